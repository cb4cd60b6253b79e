"""Read volumes, masks and maps for figures, one case at a time, and choose the cases that are
shown.

Axes are the canonical ones: slices from medial to lateral (left knees are stored mirrored), rows
from superior to inferior, columns from anterior to posterior. An image of two axes is one plane.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError, rerun_hint
from kneeoa.tables.cohort import LABELS, SPLITS
from kneeoa.tables.schema import TableSchema

Case = tuple[str, str]
"""Cohort and case_id."""


class CaseArrays:
    """Arrays ``[rows, *shape]`` on disk with their index tables; a case is read on request."""

    def __init__(self, schema: TableSchema, arrays: Sequence[Path], indices: Sequence[Path], view: str, *, doubted: bool = False) -> None:
        """Open ``arrays``; ``indices[i]`` is the table of ``arrays[i]``. Only rows of ``view``
        count, and of masks the usable ones (with ``doubted``, all that could be read).

        Raises:
            KneeoaError: the lists differ in length, a table is not ``schema``, or an array is
                missing or shorter than its index.
        """
        if len(arrays) != len(indices):
            raise KneeoaError(f"there are {len(arrays)} arrays but {len(indices)} index tables; each array needs its own.")
        self._rows: dict[Case, tuple[NDArray[Any], dict[str, Any]]] = {}
        for path, index in zip(arrays, indices, strict=True):
            try:
                array = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError) as error:
                raise KneeoaError(f"{path}: cannot be read as an array ({error}); {rerun_hint(path)}.") from error
            rows = schema.read(index)
            if len(rows) and rows["row"].max() >= len(array):
                raise KneeoaError(f"{path}: holds {len(array)} rows, but its index {index} names row {rows['row'].max()}; make both again.")
            kept = rows[rows["view"] == view]
            kept = kept[kept["usable"]] if "usable" in kept and not doubted else kept
            for record in kept.to_dict("records"):
                self._rows[str(record["cohort"]), str(record["case_id"])] = (array, {str(key): value for key, value in record.items()})

    def __contains__(self, case: Case) -> bool:
        return case in self._rows

    def cases(self) -> list[Case]:
        """List every case, sorted."""
        return sorted(self._rows)

    def array(self, case: Case) -> NDArray[Any]:
        """Return the case's array as it is stored, memory-mapped."""
        array, record = self._rows[case]
        return np.asarray(array[record["row"]])

    def record(self, case: Case) -> dict[str, Any]:
        """Return the case's row of the index."""
        return self._rows[case][1]


def spacing(record: Mapping[str, Any], dimensions: int) -> tuple[float, ...]:
    """Return the size in millimetres of a canonical voxel along each axis, from the affine of a row
    of VOLUMES.
    """
    affine = np.asarray(record["affine"], dtype=np.float64).reshape(4, 4)
    return tuple(float(np.linalg.norm(affine[:3, axis])) for axis in range(dimensions))


def has_pixel_size(record: Mapping[str, Any]) -> bool:
    """Whether the file of a row of VOLUMES has the size of its pixels; radiographs may lack it."""
    return bool(np.isfinite(np.asarray(record["source_spacing"], dtype=np.float64)).all())


def grades(labels: Sequence[Path], splits: Sequence[Path], level: str, split: str = "test") -> pd.DataFrame:
    """Read the cases of one split with their grade (for a multilabel level, the number of
    findings): columns cohort, case_id, grade, sorted; cases without a reading are left out.
    """
    cases = SPLITS.concat(list(splits))
    read = LABELS.concat(list(labels))
    read = read[(read["level"] == level) & read["value"].map(lambda value: not pd.isna(value).all())]
    read = read.assign(grade=read["value"].map(lambda value: int(np.nansum(np.asarray(value, dtype=np.float64))))).drop_duplicates(
        ["cohort", "case_id"]
    )
    joined = cases[cases["split"] == split].merge(read[["cohort", "case_id", "grade"]], on=["cohort", "case_id"])
    return joined[["cohort", "case_id", "grade"]].sort_values(["cohort", "case_id"], ignore_index=True)


def examples(graded: pd.DataFrame, available: Sequence[Case], preferred: Sequence[Case], count: int) -> list[tuple[Case, int]]:
    """Choose ``count`` cases spread over the grades, mild to severe: the first of each grade in
    turn, those of ``preferred`` before others.

    The choice looks at grades and names alone, never at predictions, so that no flattering case can
    be picked.
    """
    usable, better = set(available), set(preferred)
    listed = zip(graded["cohort"].astype(str), graded["case_id"].astype(str), graded["grade"].tolist(), strict=True)
    rows = [((cohort, case_id), int(grade)) for cohort, case_id, grade in listed if (cohort, case_id) in usable]
    rows.sort(key=lambda row: (row[0] not in better, row[0]))
    levels = sorted({grade for _, grade in rows})
    if not levels:
        return []
    wanted = [levels[round(position)] for position in np.linspace(0, len(levels) - 1, count)]
    chosen: list[tuple[Case, int]] = []
    for grade in wanted:
        match = next((row for row in rows if row[1] == grade and row not in chosen), None)
        if match is not None:
            chosen.append(match)
    return chosen


@dataclass(frozen=True)
class Plane:
    """An anatomical plane: the axis that it cuts, and the directions at the edges of the
    picture.
    """

    name: str
    axis: int
    letters: tuple[str, str, str, str]
    """Left, right, top, bottom of the picture."""


# Radiological convention: the picture's left is the patient's right, which in a right knee is
# lateral.
PLANES = (
    Plane("Sagittal", 0, ("A", "P", "S", "I")),
    Plane("Coronal", 2, ("lat", "med", "S", "I")),
    Plane("Axial", 1, ("lat", "med", "A", "P")),
)


def plane_slice(volume: NDArray[Any], plane: Plane, index: int) -> NDArray[Any]:
    """Return the slice of ``volume[slices, rows, columns]`` at ``index`` of the plane's axis,
    oriented for the screen: ``[down, across]``.
    """
    picture: NDArray[Any] = np.take(volume, index, axis=plane.axis)
    return picture if plane.axis == 0 else picture.T[:, ::-1]


def slice_spacing(millimetres: Sequence[float], plane: Plane) -> tuple[float, float]:
    """Return the size in millimetres of a pixel of :func:`cut`, (down, across)."""
    rest = [size for axis, size in enumerate(millimetres) if axis != plane.axis]
    return (rest[0], rest[1]) if plane.axis == 0 else (rest[1], rest[0])


def largest_slice(mask: NDArray[Any] | None, shape: Sequence[int], axis: int) -> int:
    """Return the index of the slice along ``axis`` with most of the mask; the middle one without a
    mask.
    """
    if mask is None or not mask.any():
        return shape[axis] // 2
    return int(np.argmax((mask > 0).sum(axis=tuple(other for other in range(mask.ndim) if other != axis))))
