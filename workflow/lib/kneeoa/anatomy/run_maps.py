"""Read one run's saliency maps from disk, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.anatomy.run_overlap import subjects_of
from kneeoa.saliency.storage import open_maps, unpack
from kneeoa.tables.saliency import SALIENCY

TRAINED = "trained"
Key = tuple[str, str, str]
"""Cohort, case_id and weights (trained, or which of them were randomised)."""


class RunMaps:
    """The maps of one run by one method."""

    def __init__(self, array: Path, index: pd.DataFrame, subjects: dict[tuple[str, str], str]) -> None:
        self._stored = open_maps(array, len(index))
        self.rows = {(row["cohort"], row["case_id"], row["weights"]): row for row in index.to_dict("records")}
        self.subjects = subjects
        first = index.iloc[0]
        self.study, self.arm, self.method, self.view = (str(first[name]) for name in ("study", "arm", "method", "view"))
        self.seed = int(first["seed"])
        self.shape = self._stored.shape[2:]

    @classmethod
    def read(cls, array: Path, index: Path, splits: Sequence[Path]) -> Iterator[RunMaps]:
        """Yield the run's maps; nothing for a run that explained no case.

        Raises:
            KneeoaError: a file is not what it should be, or a case is in none of the split tables.
        """
        table = SALIENCY.read(index)
        if len(table):
            yield cls(array, table, subjects_of(table, splits, index))

    def signed_parts(self, key: Key) -> NDArray[np.float64]:
        """Return the evidence for and against the score, ``[2, *shape]``, both non-negative."""
        row = self.rows[key]
        return unpack(self._stored[row["row"]], row["scale"])

    def positive_part(self, key: Key) -> NDArray[np.float64]:
        """Return the evidence for the score, ``[*shape]``."""
        row = self.rows[key]
        return unpack(self._stored[row["row"], 0], row["scale"])
