"""Describe tissues on a map's grid: the share of each cell that a tissue fills, whether it is near,
and its distance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.anatomy.masks import occupancy
from kneeoa.config.analysis import Anatomy

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class TissueFields:
    """One tissue on a map's grid, all ``[*shape]``."""

    share: Floats
    """The share of each cell that the tissue fills."""
    near: Floats
    """One where the tissue is within the tolerance, else zero."""
    distance: Floats
    """Millimetres from each cell's centre to that of the nearest cell that the tissue touches."""

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
