"""Measure whether a mask's surfaces lie on edges of the image, which proves that image and mask
agree, whatever their headers say.

Where cartilage covers bone, a fat-suppressed image goes from dark (bone, its cortex) to bright
(cartilage) within a voxel or two. The mask says where that surface is and which way it faces. The
image is therefore read along the surface's normals; the readings of neighbouring points are
averaged against noise, and the steepest step from dark to bright within a few millimetres is
located. On a mask of this very knee the step lies at the surface nearly everywhere; a mask of
another knee, however well it is centred, follows the outline of another bone, and a flipped or
displaced one that of none. (Profiles along normals are those of active shape models, Cootes et al.
1995, Computer Vision and Image Understanding 61:38; here nothing is fitted, the offsets themselves
are the measure.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from kneeoa.formats.volume import Affine
from kneeoa.masks.surfaces import Surface
from kneeoa.statistics.midranks import midranks

_PATCHES = 500
_NEIGHBOURS = 24
_PATCH_MM = 5.0
_SEARCH_MM = 5.0
_STEP_MM = 0.25
_WINDOW_MM = 1.5
_TOLERANCE_MM = 1.0
_TOLERANCE_VOXELS = 0.6
_FACING = 0.7
# Fit of a mask's displacement: rounds, the ridge that keeps directions without patches at 0, and
# the distance (mm) from which an edge counts less.
_ROUNDS, _RIDGE, _FAR_MM = 10, 1e-3, 1.0
# Millimetres from the surface at which cartilage and bone are read: half a thin layer above it, and
# below the cortex under it.
_CARTILAGE_MM, _BONE_MM = 0.75, -3.0


@dataclass(frozen=True)
class EdgeAlignment:
    """Agreement of a mask's surface with the edges of the image.

    Attributes:
        contrast: area under the ROC curve by which readings just above the bone exceed those just
            below (0.5: no difference).
        boundary: share of the surface whose steepest edge from dark to bright lies within 1 mm (0.6
            voxels of the image, where that is more); each patch counts by how steep its edge is,
            since cartilage worn thinner than a voxel shows none.
        offset: median distance (mm) of these edges from the surface.
        shift: mm (RAS+) by which the edges lie displaced as a whole, the one vector that explains
            most of their distances along the normals; None where nothing was measured.
    """

    contrast: float
    boundary: float
    offset: float
    shift: tuple[float, float, float] | None = None


NO_ALIGNMENT = EdgeAlignment(0.5, 0.0, _SEARCH_MM)
"""Value for a mask without cartilage in the image."""


def measure_edge_alignment(image: NDArray[np.floating], affine: Affine, faces: Surface) -> EdgeAlignment:
    """Measure how well a surface lies on edges of an image.

    Args:
        image: intensities, any unit, shape ``[i, j, k]``.
        affine: the image's, index -> mm.
        faces: the mask's surface in the same millimetres, normals from dark to bright.

    Returns:
        :data:`NONE` where most of the surface lies outside the image.
    """
    voxel = float(np.cbrt(abs(np.linalg.det(affine[:3, :3]))))
    window = max(_WINDOW_MM, voxel)
    reach = _SEARCH_MM + window
    offsets = np.arange(-reach, reach + _STEP_MM / 2, _STEP_MM)
    readings = _profiles(image, affine, faces, offsets)
    inside = np.isfinite(readings).all(axis=1)
    if 2 * inside.sum() <= max(len(faces), 2 * _NEIGHBOURS):
        return NO_ALIGNMENT
    readings = readings[inside]
    auc = _auc(readings[:, _nearest_offset(offsets, _CARTILAGE_MM)], readings[:, _nearest_offset(offsets, _BONE_MM)])
    profiles, normals = _patches(readings, faces.points[inside], faces.normals[inside])
    places, steps = _edges(profiles, offsets, round(window / _STEP_MM))
    at_surface = np.abs(places) <= max(_TOLERANCE_MM, _TOLERANCE_VOXELS * voxel)
    steep = np.maximum(steps, 0.0)
    boundary = float(steep[at_surface].sum() / steep.sum()) if steep.any() else 0.0
    return EdgeAlignment(auc, boundary, float(np.median(np.abs(places))), _displacement(places, steep, normals))


def contrast(image: NDArray[np.floating], affine: Affine, faces: Surface) -> float:
    """The ``contrast`` of :func:`evidence` alone, at a hundredth of its cost, for ranking
    candidates; 0 where most of the surface is outside.
    """
    readings = _profiles(image, affine, faces, np.array([_BONE_MM, _CARTILAGE_MM]))
    inside = np.isfinite(readings).all(axis=1)
    return _auc(readings[inside, 1], readings[inside, 0]) if 2 * inside.sum() > len(faces) else 0.0


def _nearest_offset(offsets: NDArray[np.float64], place: float) -> int:
    return int(np.argmin(np.abs(offsets - place)))


def _profiles(image: NDArray[np.floating], affine: Affine, faces: Surface, offsets: NDArray[np.float64]) -> NDArray[np.float32]:
    """Readings along the normals, shape ``[faces, offsets]``, linear between voxels; NaN outside
    the grid.
    """
    inverse = np.linalg.inv(affine)
    start = inverse[:3, :3] @ faces.points.T + inverse[:3, 3:]
    along = inverse[:3, :3] @ faces.normals.T
    places = start[:, :, None] + along[:, :, None] * offsets
    readings: NDArray[np.float32] = ndimage.map_coordinates(image, places, order=1, output=np.float32, mode="constant", cval=np.nan)
    return readings


def _patches(
    readings: NDArray[np.float32], points: NDArray[np.float64], normals: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean readings of patches of neighbouring faces that look the same way, shape ``[patches,
    offsets]``, and the normal of each.
    """
    every = max(1, len(points) // _PATCHES)
    _, near = cKDTree(points).query(points[::every], k=min(_NEIGHBOURS, len(points)), distance_upper_bound=_PATCH_MM)
    missing = near == len(points)
    near = np.where(missing, 0, near)
    weight = np.einsum("pnk,pk->pn", normals[near], normals[::every]) > _FACING
    weight &= ~missing
    total = np.einsum("pn,pno->po", weight.astype(np.float64), readings[near].astype(np.float64))
    return np.asarray(total / weight.sum(axis=1, keepdims=True)), normals[::every]


def _displacement(places: NDArray[np.float64], steep: NDArray[np.float64], normals: NDArray[np.float64]) -> tuple[float, float, float]:
    """The vector (mm) whose part along each patch's normal comes nearest to where its edge lies:
    least squares, steep edges counting more and far ones less (Huber 1964).

    A direction in which no patch looks is left at 0.
    """
    weight = steep
    moved: NDArray[np.floating] = np.zeros(3)
    for _ in range(_ROUNDS):
        scaled = normals * weight[:, None]
        square = normals.T @ scaled
        moved = np.linalg.solve(square + _RIDGE * max(float(np.trace(square)), 1e-9) * np.eye(3), scaled.T @ places)
        weight = steep / np.maximum(np.abs(places - normals @ moved), _FAR_MM)
    return float(moved[0]), float(moved[1]), float(moved[2])


def _edges(profiles: NDArray[np.float64], offsets: NDArray[np.float64], window: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place (mm) and height of the largest step up of each profile: the mean of ``window`` readings
    after it less that of as many before.
    """
    sums = np.cumsum(np.pad(profiles, ((0, 0), (1, 0))), axis=1)
    middle = np.arange(window, profiles.shape[1] - window + 1)
    steps = (sums[:, middle + window] - 2 * sums[:, middle] + sums[:, middle - window]) / window
    best = np.argmax(steps, axis=1)
    places = offsets[0] + (middle - 0.5) * _STEP_MM
    return places[best], steps[np.arange(len(steps)), best]


def _auc(bright: NDArray[np.floating], dark: NDArray[np.floating]) -> float:
    """Probability that a bright value exceeds a dark one, ties counting half (Mann-Whitney)."""
    ranks = midranks(np.concatenate([bright, dark]).astype(np.float32))
    return float((ranks[: len(bright)].sum() - len(bright) * (len(bright) + 1) / 2) / (len(bright) * len(dark)))
