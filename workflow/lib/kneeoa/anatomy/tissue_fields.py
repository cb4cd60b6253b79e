"""Describe tissues on a map's grid, from aligned masks: the share of each cell that a tissue fills,
whether it is near, and its distance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.central_crop import Window
from kneeoa.config.analysis import Anatomy
from kneeoa.errors import KneeoaError, rerun_hint
from kneeoa.saliency.storage import area_mean
from kneeoa.tables.shards import MASKS

Booleans = NDArray[np.bool_]

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


@dataclass(frozen=True)
class TissueFields:
    """One tissue on a map's grid, all ``[*shape]``."""

    share: Floats
    """The share of each cell that the tissue fills."""
    near: Floats
    """One where the tissue is within the tolerance, else zero."""
    distance: Floats
    """Millimetres from each cell's centre to that of the nearest cell that the tissue touches."""

    def within(self, window: Window) -> TissueFields | None:
        """These fields on a part of the grid; None where the tissue fills nothing of it."""
        share = self.share[window]
        return TissueFields(share, self.near[window], self.distance[window]) if share.any() else None

    def field(self, name: str) -> Floats:
        """Return the field of that name."""
        return {"share": self.share, "near": self.near, "distance": self.distance}[name]


def cell_size(mask_shape: Sequence[int], spacing: Sequence[float], shape: Sequence[int]) -> tuple[float, ...]:
    """Return the size of a map's cell along each axis in millimetres, from the mask's grid over the
    same field of view.
    """
    return tuple(size * width / cells for size, width, cells in zip(mask_shape, spacing, shape, strict=True))


def tissue_fields(share: Floats, size: Sequence[float], tolerance_mm: float) -> TissueFields | None:
    """Compute a tissue's fields from its share; None where it fills nothing."""
    if not share.any():
        return None
    distance: Floats = ndimage.distance_transform_edt(share == 0, sampling=size)
    return TissueFields(share, (distance <= tolerance_mm).astype(np.float64), distance)


def tissue_shares(
    mask: NDArray[np.uint8], groups: Mapping[str, Sequence[int]], dilations: Sequence[int], shape: tuple[int, ...]
) -> dict[str, Floats]:
    """Return for each group the share of each cell that it fills; for the first group also its
    dilations by so many voxels, as ``<group>_dilated<n>``.

    The mask is dilated on its own grid (face neighbours, ``n`` times): cartilage is a thin sheet,
    which coarse maps miss narrowly.
    """
    by_group = {group: occupancy(mask, values, shape) for group, values in groups.items()}
    for group, values in list(groups.items())[:1]:
        inside = np.isin(mask, values)
        for voxels in dilations if inside.any() else ():
            dilated = ndimage.binary_dilation(inside, iterations=voxels).astype(np.uint8)
            by_group[f"{group}_dilated{voxels}"] = occupancy(dilated, [1], shape)
        if not inside.any():
            by_group |= {f"{group}_dilated{voxels}": np.zeros(shape) for voxels in dilations}
    return by_group


def joint_region(mask: NDArray[np.uint8], size: Sequence[float], region_mm: float, shape: tuple[int, ...]) -> Booleans | None:
    """Return the cells within ``region_mm`` of any labelled tissue, ``[*shape]``; None without a
    label.
    """
    labelled = occupancy(mask, range(1, 256), shape) > 0
    if not labelled.any():
        return None
    region: Booleans = ndimage.distance_transform_edt(~labelled, sampling=size) <= region_mm
    return region


def tissues_of(
    mask: NDArray[np.uint8], groups: Mapping[str, Sequence[int]], anatomy: Anatomy, spacing: Sequence[float], shape: tuple[int, ...]
) -> tuple[dict[str, TissueFields | None], Booleans | None]:
    """Return every tissue's fields (None: absent) and the joint region of one case, on a map's
    grid.
    """
    size = cell_size(mask.shape, spacing, shape)
    tissues = {
        name: tissue_fields(share, size, anatomy.tolerance_mm)
        for name, share in tissue_shares(mask, groups, anatomy.dilations, shape).items()
    }
    return tissues, joint_region(mask, size, anatomy.region_mm, shape)


def tissues_within(
    tissues: Mapping[str, TissueFields | None], region: Booleans | None, window: Window
) -> tuple[dict[str, TissueFields | None], Booleans | None]:
    """Tissues and joint region, as :func:`tissues_of` returns them, on a part of the grid; what has
    no cell there is None.
    """
    inside = None if region is None or not region[window].any() else region[window]
    return {name: None if fields is None else fields.within(window) for name, fields in tissues.items()}, inside
