"""Read aligned masks of tissues, and compute the share of each cell of a map's grid that a group of
tissues fills.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError, rerun_hint
from kneeoa.saliency.area import area_mean
from kneeoa.tables.masks import MASKS

Floats = NDArray[np.float64]

BACKGROUND = "background"
"""The group of all voxels without a label."""


class MaskArrays:
    """Label maps on disk, read one at a time: the usable ones, by cohort, case and view."""

    def __init__(self, arrays: Sequence[Path], indices: Sequence[Path]) -> None:
        """Open ``arrays`` (uint8 ``.npy``, ``[rows, *shape]``); ``indices[i]`` is the MASKS table
        of ``arrays[i]``.

        Raises:
            KneeoaError: the lists differ in length, or an array cannot be read or does not fit its
                index.
        """
        if len(arrays) != len(indices):
            raise KneeoaError(f"There are {len(arrays)} arrays of masks but {len(indices)} index tables; each array needs its own.")
        self._places: dict[tuple[str, str, str], tuple[Path, int]] = {}
        for path, table in zip(arrays, indices, strict=True):
            try:
                array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
            except (OSError, ValueError) as error:
                raise KneeoaError(f"{path}: cannot be read as an array of masks ({error}); {rerun_hint(path)}.") from error
            index = MASKS.read(table)
            if array.dtype != np.uint8 or len(array) != len(index) or not index["row"].between(0, len(array) - 1).all():
                raise KneeoaError(f"{path}: holds {len(array)} rows of {array.dtype}, but its index {table} lists {len(index)} masks.")
            for row in index[index["usable"]].to_dict("records"):
                self._places[row["cohort"], row["case_id"], row["view"]] = path, int(row["row"])

    def get(self, cohort: str, case_id: str, view: str) -> NDArray[np.uint8] | None:
        """The label map of a case, or None where it has no usable one.

        A copy: pages of a map that stays open add up to the whole array.
        """
        place = self._places.get((cohort, case_id, view))
        return None if place is None else np.array(np.load(place[0], mmap_mode="r", allow_pickle=False)[place[1]])


def group_values(tissues: Mapping[str, object], targets: Mapping[str, Sequence[str]], cohort: str) -> dict[str, list[int]]:
    """Return the mask values of each group of tissues: a cohort's tissues are stored as 1.. in the
    order of their sorted names.

    The name ``background`` stands for voxels without a label, which are stored as 0.

    Raises:
        KneeoaError: a group names a tissue that the cohort lacks.
    """
    stored = {BACKGROUND: 0} | {name: value for value, name in enumerate(sorted(tissues), start=1)}
    for group, members in targets.items():
        missing = [name for name in members if name not in stored]
        if missing:
            raise KneeoaError(
                f"'anatomy.targets.{group}' names '{missing[0]}', but the tissues of cohort '{cohort}' are {sorted(tissues)}."
            )
    return {group: [stored[name] for name in members] for group, members in targets.items()}


def occupancy(mask: NDArray[np.uint8], values: Sequence[int], shape: tuple[int, ...]) -> Floats:
    """Return the share of each cell of a grid ``shape`` that has one of ``values`` in ``mask``;
    both cover the same field of view.

    Raises:
        KneeoaError: the mask has another number of axes.
    """
    if mask.ndim != len(shape):
        raise KneeoaError(f"A mask of shape {mask.shape} cannot be brought to a map's grid {shape}: the number of axes differs.")
    inside = np.isin(np.arange(256), values)  # looked up by value: isin on every voxel would cost twice the averaging
    return area_mean(inside[mask], shape)
