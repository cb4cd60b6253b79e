"""Find denuded bone: bone that should be covered by cartilage and is not.

A mask shows where cartilage is, not where it once was. What is certain is a gap in the plate: bare
bone with cartilage round it. Bare bone counts as denuded where it belongs to the morphological
closing of the covered surface (a disc of 5 mm cannot be put down on the bone's bare outside so that
it touches the spot) or to a hole that covered bone encloses, however large. Bone laid bare at the
outer edge of a plate along more than 10 mm cannot be distinguished from bone that never had
cartilage, nor patches below 10 mm2 from the ragged edge of an outline; neither counts: the measure
is a lower bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from kneeoa.formats.volume import Volume
from kneeoa.masks.surfaces import Surface

_RADIUS_MM = 5.0
_MIN_MM2 = 10.0


def mark_denuded(plate: Surface, bare: Surface, box: Volume) -> NDArray[np.bool_]:
    """Mark the bare faces that are denuded.

    Args:
        plate: the bone's faces under one plate of cartilage.
        bare: all faces of the same bone that no cartilage covers.
        box: the label map that both are of; bare bone that reaches its edge is outside every plate.

    Returns:
        Shape ``[len(bare)]``.
    """
    is_denuded = np.zeros(len(bare), dtype=bool)
    if not len(plate) or not len(bare):
        return is_denuded
    distance, _ = cKDTree(plate.points).query(bare.points, distance_upper_bound=_RADIUS_MM)
    near = np.isfinite(distance)
    is_denuded[~near] = _enclosed(bare.inner[~near], box.array.shape)
    outside = ~near & ~is_denuded
    if outside.any() and near.any():
        # The disc is larger than the dilation by half a voxel, so that the staircase of a plate's
        # edge is no gap.
        disc = _RADIUS_MM + float(np.linalg.norm(box.spacing)) / 2
        to_outside, _ = cKDTree(bare.points[outside]).query(bare.points[near], distance_upper_bound=disc)
        is_denuded[near] = ~np.isfinite(to_outside)
    part = _connected_parts(bare.inner[is_denuded])
    is_denuded[is_denuded] = np.bincount(part, bare.areas[is_denuded])[part] >= _MIN_MM2
    return is_denuded


def _enclosed(voxels: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the voxels of parts that neither reach the map's edge nor are the largest."""
    part = _connected_parts(voxels)
    outside = np.zeros(int(part.max(initial=0)) + 1, dtype=bool)
    outside[np.argmax(np.bincount(part, minlength=1))] = True
    outside[part[((voxels == 0) | (voxels == np.array(shape) - 1)).any(axis=1)]] = True
    return ~outside[part]


def _connected_parts(voxels: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each voxel, the number of its connected part (26 neighbours)."""
    if not len(voxels):
        return np.zeros(0, dtype=np.int64)
    offsets = voxels - voxels.min(axis=0)
    occupied = np.zeros(offsets.max(axis=0) + 1, dtype=bool)
    occupied[tuple(offsets.T)] = True
    parts, _ = ndimage.label(occupied, structure=np.ones((3, 3, 3)))
    return np.asarray(parts[tuple(offsets.T)], dtype=np.int64)
