"""Bone that should be covered by cartilage and is not.

A mask shows where cartilage is, not where it once was. What is certain is a gap in the plate: bare
bone with cartilage round it. Bare bone counts as denuded where it belongs to the morphological
closing of the covered surface (a disc of 5 mm cannot be put down on the bone's bare outside so that
it touches the spot) or to a hole that covered bone encloses, however large. Bone laid bare at the
outer edge of a plate along more than 10 mm is not told from bone that never had cartilage, and
patches below 10 mm2 are not told from the ragged edge of an outline and do not count: the measure
is a lower bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from kneeoa.images.surfaces import Surface
from kneeoa.images.volume import Volume

_RADIUS_MM = 5.0
_LEAST_MM2 = 10.0


def denuded(plate: Surface, bare: Surface, box: Volume) -> NDArray[np.bool_]:
    """Which of the bare faces are denuded.

    Args:
        plate: the bone's faces under one plate of cartilage.
        bare: all faces of the same bone that no cartilage covers.
        box: the label map that both were found in; bare bone that reaches its edge is outside every
            plate.

    Returns:
        Shape ``[len(bare)]``.
    """
    found = np.zeros(len(bare), dtype=bool)
    if not len(plate) or not len(bare):
        return found
    distance, _ = cKDTree(plate.points).query(bare.points, distance_upper_bound=_RADIUS_MM)
    near = np.isfinite(distance)
    found[~near] = _enclosed(bare.inner[~near], box.array.shape)
    outside = ~near & ~found
    if outside.any() and near.any():
        # The disc is larger than the dilation by half a voxel, so that the staircase of a plate's
        # edge is no gap.
        disc = _RADIUS_MM + float(np.linalg.norm(box.spacing)) / 2
        clear, _ = cKDTree(bare.points[outside]).query(bare.points[near], distance_upper_bound=disc)
        found[near] = ~np.isfinite(clear)
    part = _parts(bare.inner[found])
    found[found] = np.bincount(part, bare.areas[found])[part] >= _LEAST_MM2
    return found


def _enclosed(voxels: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which voxels belong to parts that neither reach the map's edge nor are the largest."""
    part = _parts(voxels)
    outside = np.zeros(int(part.max(initial=0)) + 1, dtype=bool)
    outside[np.argmax(np.bincount(part, minlength=1))] = True
    outside[part[((voxels == 0) | (voxels == np.array(shape) - 1)).any(axis=1)]] = True
    return ~outside[part]


def _parts(voxels: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of the connected part (26 neighbours) that each of some voxels belongs to."""
    if not len(voxels):
        return np.zeros(0, dtype=np.int64)
    own = voxels - voxels.min(axis=0)
    there = np.zeros(own.max(axis=0) + 1, dtype=bool)
    there[tuple(own.T)] = True
    parts, _ = ndimage.label(there, structure=np.ones((3, 3, 3)))
    return np.asarray(parts[tuple(own.T)], dtype=np.int64)
