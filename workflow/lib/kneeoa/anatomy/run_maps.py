"""Read one run's saliency maps from disk, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.anatomy.run_overlap import subjects_of
from kneeoa.central_crop import Taken
from kneeoa.saliency.storage import open_maps, unpack
from kneeoa.tables.saliency import SALIENCY

TRAINED = "trained"
Key = tuple[str, str, str]
"""Cohort, case_id and weights (trained, or which of them were randomised)."""


class RunMaps:
    """The maps of one run by one method."""

    def __init__(self, array: Path, index: pd.DataFrame, subjects: dict[tuple[str, str], str], taken: Mapping[str, Taken]) -> None:
        self._stored = open_maps(array, len(index))
        self.rows = {(row["cohort"], row["case_id"], row["weights"]): row for row in index.to_dict("records")}
        self.subjects = subjects
        first = index.iloc[0]
        self.study, self.arm, self.method, self.view = (str(first[name]) for name in ("study", "arm", "method", "view"))
        self.seed = int(first["seed"])
        self.grid = self._stored.shape[2:]
        """Cells of a map as it is stored, along each axis."""
        self.window = taken[self.arm].cells(self.grid) if self.arm in taken else None
        """The part of it that the network takes, where that is not all."""
        self.shape = self.grid if self.window is None else tuple(part.stop - part.start for part in self.window)
        """Cells of a map as it is read."""

    @classmethod
    def read(cls, array: Path, index: Path, splits: Sequence[Path], taken: Mapping[str, Taken] | None = None) -> Iterator[RunMaps]:
        """Yield the run's maps; nothing for a run that explained no case. ``taken``: by arm, the
        part of its images that its network takes, where that is not all.

        Raises:
            KneeoaError: a file is not what it should be, or a case is in none of the split tables.
        """
        table = SALIENCY.read(index)
        if len(table):
            yield cls(array, table, subjects_of(table, splits, index), taken or {})

    def signed_parts(self, key: Key) -> NDArray[np.float64]:
        """Return the evidence for and against the score, ``[2, *shape]``, both non-negative."""
        row = self.rows[key]
        return unpack(self._stored[row["row"]], row["scale"])[(slice(None), *(self.window or ()))]

    def positive_part(self, key: Key) -> NDArray[np.float64]:
        """Return the evidence for the score, ``[*shape]``."""
        row = self.rows[key]
        return unpack(self._stored[row["row"], 0], row["scale"])[self.window or ()]
