"""Read the reference labels of cases at every level; missing coarse labels are derived from finer
ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_label
from kneeoa.tables.cohort import LABELS

MISSING = -1
DERIVED = "derived"
NO_SOURCE = "none"


@dataclass(frozen=True)
class LevelLabels:
    """Labels of one level for a list of cases."""

    values: NDArray[np.int64]
    """``[cases]``, or ``[cases, findings]`` for a multilabel level; -1 where missing."""
    sources: list[str]
    """Source of each case's label: the label table's, ``derived``, or ``none``."""

    def labelled(self) -> NDArray[np.bool_]:
        """``[cases]``: whether a case has a label, or a multilabel level's label of any finding."""
        present: NDArray[np.bool_] = (self.values != MISSING).reshape(len(self.values), -1).any(axis=1)
        return present


def read_labels(paths: Sequence[Path], cases: pd.DataFrame, levels: Sequence[Level]) -> dict[str, LevelLabels]:
    """Read labels of ``cases`` (columns cohort, case_id; order kept) at ``levels`` from LABELS
    tables.

    Where a level has several sources, the label of the cohort's reader is taken first, then the
    other sources' by name, and last what the cohort stage derived; an empty label is passed over. A
    level without a label gets it from the nearest finer level that has one (not from or into a
    multilabel level, whose findings do not exclude one another).

    Raises:
        KneeoaError: a label is out of the level's range or has the wrong number of entries.
    """
    table = LABELS.concat([Path(path) for path in paths])
    table = table.assign(_rank=[_rank(source) for source in table["source"]]).sort_values("_rank", kind="stable")
    exclusive = {level.name: level.exclusive for level in levels}
    by_level = {level.name: _read_level(table[table["level"] == level.name], cases, level) for level in levels}
    for level in reversed(levels):  # fine to coarse, so that a label climbs the whole hierarchy
        if level.parent is None or level.parent_class is None or level.parent not in by_level:
            continue
        if level.exclusive and exclusive[level.parent]:
            _derive_coarse(by_level[level.name], by_level[level.parent], level.parent_class)
    return by_level


def _rank(source: str) -> str:
    first = {"reader": 0, DERIVED: 2}.get(source, 1)
    return f"{first} {source}"


def _read_level(rows: pd.DataFrame, cases: pd.DataFrame, level: Level) -> LevelLabels:
    width, top = level.label_size, level.label_top
    values = np.full((len(cases), width), MISSING, dtype=np.int64)
    sources = [NO_SOURCE] * len(cases)
    position = {key: number for number, key in enumerate(zip(cases["cohort"], cases["case_id"], strict=True))}
    for cohort, case_id, source, value in zip(rows["cohort"], rows["case_id"], rows["source"], rows["value"], strict=True):
        number = position.get((cohort, case_id))
        if number is None or sources[number] != NO_SOURCE:
            continue  # not asked for, or a better source has labelled it
        label = [MISSING if entry is None or entry != entry else int(entry) for entry in value]
        if len(label) != width or any(entry != MISSING and not 0 <= entry <= top for entry in label):
            raise KneeoaError(
                f"Case {case_id} of cohort {cohort} has the label {list(value)} at level '{level.name}', which takes "
                f"{width} {'entry' if width == 1 else 'entries'} from 0 to {top}; correct the cohort's label table."
            )
        if any(entry != MISSING for entry in label):
            values[number] = label
            sources[number] = source
    return LevelLabels(values[:, 0] if level.exclusive else values, sources)


def _derive_coarse(fine: LevelLabels, coarse: LevelLabels, parent_class: tuple[int, ...]) -> None:
    for number in np.flatnonzero(fine.labelled() & ~coarse.labelled()):
        coarse.values[number] = derive_label(int(fine.values[number]), parent_class)
        coarse.sources[number] = DERIVED
