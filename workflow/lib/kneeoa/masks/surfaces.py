"""Surfaces between two parts of a label map: their faces with positions, normals and areas.

A voxel face stands for more or less of a smooth surface according to how the surface lies to the
grid. Its area is that of the face times the cosine of the angle between the face and the surface's
normal, which makes the sum exact for planes in any direction (Windreich, Kiryati and Lohmann 2003,
"Voxel-based surface area estimation", Pattern Recognition 36:2531). Normals are those of the
smoothed part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.formats.volume import Affine, Volume

SMOOTHING_MM = 1.0
"""Standard deviation of the smoothing under which normals are taken: more than a voxel's staircase,
less than a condyle.
"""


def bounding_box(part: NDArray[np.bool_]) -> tuple[slice, ...] | None:
    """The smallest slices that hold every true entry; None where there is none.

    One pass over the array per axis, each on what the passes before left: far faster than
    ``scipy.ndimage.find_objects`` for one part.
    """
    box: list[slice] = []
    rest = part
    for axis in range(part.ndim):
        occupied = np.flatnonzero(rest.any(axis=tuple(other for other in range(part.ndim) if other != axis)))
        if not occupied.size:
            return None
        box.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
        rest = rest[(*(slice(None),) * axis, box[-1])]
    return tuple(box)


@dataclass(frozen=True)
class Surface:
    """Faces between an inner and an outer part.

    Attributes:
        points: middles of the faces, mm (RAS+), shape ``[n, 3]``.
        normals: unit vectors from the inner part outwards, shape ``[n, 3]``.
        areas: mm2 of the smooth surface that each face stands for, shape ``[n]``.
        inner: index of the voxel within, shape ``[n, 3]``.
        outer: index of the voxel beyond, shape ``[n, 3]``.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    areas: NDArray[np.float64]
    inner: NDArray[np.int64]
    outer: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.points)

    def where(self, chosen: NDArray[np.bool_]) -> Surface:
        """The surface of the chosen faces alone."""
        return Surface(self.points[chosen], self.normals[chosen], self.areas[chosen], self.inner[chosen], self.outer[chosen])

    def reversed(self) -> Surface:
        """The surface seen from the other part: normals reversed, voxels exchanged."""
        return Surface(self.points, -self.normals, self.areas, self.outer, self.inner)

    def moved(self, change: Affine) -> Surface:
        """The surface after ``change`` (4 x 4, mm -> mm, any invertible one); areas and indices are
        kept.
        """
        normals = self.normals @ np.linalg.inv(change[:3, :3])
        lengths = np.linalg.norm(normals, axis=1, keepdims=True)
        return Surface(self.points @ change[:3, :3].T + change[:3, 3], normals / lengths, self.areas, self.inner, self.outer)


def surface_between(labels: Volume, inner: list[int], outer: list[int] | None = None, most: int | None = None) -> Surface:
    """The faces where a voxel of ``inner`` meets one of ``outer`` (default: any other); faces on
    the map's edge do not count.

    Args:
        labels: the label map, its axes at right angles.
        inner: values of the part.
        outer: values beyond it.
        most: about how many faces to keep, every n-th one; default all. The areas then still add up
            to the whole.
    """
    chosen = np.isin(np.arange(256), inner)
    beyond = ~chosen if outer is None else np.isin(np.arange(256), outer)
    spacing = labels.spacing
    block = _block(labels.array, chosen, None if outer is None else beyond, np.ceil(3 * SMOOTHING_MM / spacing).astype(int) + 1)
    part, other = chosen[labels.array[block]], beyond[labels.array[block]]
    faces, axes = _faces(part, other)
    thinning = 1 if most is None else max(1, len(faces) // most)
    faces, axes = faces[::thinning], axes[::thinning]
    if not len(faces):
        empty = np.zeros((0, 3))
        return Surface(empty, empty, np.zeros(0), empty.astype(np.int64), empty.astype(np.int64))
    signs, axes = np.sign(axes), np.abs(axes) - 1
    step = np.zeros_like(faces)
    step[np.arange(len(faces)), axes] = signs
    normals = _normals(part, faces + step / 2, spacing)
    cosine = np.abs(normals[np.arange(len(faces)), axes])
    face = np.prod(spacing) / spacing
    linear = labels.affine[:3, :3]
    first = faces + [part.start for part in block]
    points = (first + step / 2) @ linear.T + labels.affine[:3, 3]
    directions = linear / spacing
    return Surface(points, normals @ directions.T, face[axes] * cosine * thinning, first, first + step)


def _block(
    array: NDArray[np.generic], inner: NDArray[np.bool_], outer: NDArray[np.bool_] | None, margin: NDArray[np.int64]
) -> tuple[slice, ...]:
    """The box in which the two parts can meet, with room for the smoothing; empty where one of them
    is missing.
    """
    low, high = np.zeros(3, dtype=np.int64), np.array(array.shape)
    for wanted in (inner, outer):
        if wanted is None:
            continue
        box = bounding_box(wanted[array])
        if box is None:
            return (slice(0, 0),) * 3
        low = np.maximum(low, [part.start for part in box] - margin)
        high = np.minimum(high, [part.stop for part in box] + margin)
    return tuple(slice(int(a), int(max(a, b))) for a, b in zip(low, high, strict=True))


def _faces(part: NDArray[np.bool_], other: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index of each face's inner voxel, and its axis counted from 1, negative where the face lies
    before the voxel.
    """
    indices, axes = [], []
    for axis in range(3):
        low = tuple(slice(None, -1) if dimension == axis else slice(None) for dimension in range(3))
        high = tuple(slice(1, None) if dimension == axis else slice(None) for dimension in range(3))
        after = _places(part[low] & other[high])
        before = _places(part[high] & other[low])
        before[:, axis] += 1
        indices += [after, before]
        axes += [np.full(len(after), axis + 1), np.full(len(before), -(axis + 1))]
    faces, signed = np.concatenate(indices), np.concatenate(axes)
    # In the order of the voxels, so that every n-th face is an even sample of all directions.
    order = np.lexsort((signed, faces[:, 2], faces[:, 1], faces[:, 0]))
    return faces[order], signed[order]


def _places(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """``np.argwhere``, several times as fast where few entries are chosen."""
    return np.stack(np.unravel_index(np.flatnonzero(chosen), chosen.shape), axis=1)


def _normals(part: NDArray[np.bool_], places: NDArray[np.float64], spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors along the array's axes that point out of ``part`` at ``places`` (voxel
    indices).
    """
    smooth = ndimage.gaussian_filter(part.astype(np.float32), SMOOTHING_MM / spacing, mode="nearest", truncate=3)
    gradient = np.stack(
        [
            (_interpolate(smooth, places + 0.5 * unit) - _interpolate(smooth, places - 0.5 * unit)) / step
            for unit, step in zip(np.eye(3), spacing, strict=True)
        ],
        axis=1,
    )
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    return np.asarray(-gradient / np.maximum(length, 1e-9), dtype=np.float64)


def _interpolate(array: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    values: NDArray[np.float32] = ndimage.map_coordinates(array, places.T, order=1, mode="nearest")
    return values
