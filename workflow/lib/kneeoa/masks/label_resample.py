"""Resample a label map to another grid: nearest neighbour, or label-wise linear.

Label-wise linear interpolation gives each voxel the label whose indicator (1 in the label, 0
elsewhere, background a label like the others), interpolated trilinearly, is largest. It differs
from nearest neighbour only where the voxels around a point disagree, so votes are counted only
there. Where the grid is finer than the map, the map's voxels would show as a staircase: there the
indicators are blurred first, over the next voxels, in proportion to how much finer the grid is and
not at all on an equal or coarser one. Both look at a point and not at what a coarse voxel covers:
an average over the voxel followed by a majority vote would eat cartilage that is thinner than the
voxel.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.formats.volume import Affine, Volume
from kneeoa.masks.surfaces import bounding_box

Interpolation = Literal["nearest", "linear"]

_SLAB = 1_000_000
"""Voxels worked on at a time, so that memory does not grow with the grid."""
_MAX_TURN = 0.01
"""Voxels of the map by which a grid may be turned over its whole length and still count as
straight.
"""
_BLUR_SHARE = 0.5
_NEGLIGIBLE = 1e-4
_MIXED = 255
_PAD = 3


def resample_labels(labels: Volume, affine: Affine, shape: tuple[int, ...], interpolation: Interpolation = "linear") -> NDArray[np.uint8]:
    """Values of a label map (uint8) at the voxel centres of another grid, through the world; 0
    outside.

    Args:
        labels: the label map, values up to 254.
        affine: the other grid's affine, 4 x 4, index -> mm.
        shape: the other grid's shape, three axes.
        interpolation: ``nearest`` or ``linear`` (label-wise; ties go to the nearest voxel's label
            where it is among them).

    Returns:
        uint8 array of ``shape``. Equal grids keep every voxel with either interpolation.
    """
    out = np.zeros(tuple(shape), dtype=np.uint8)
    labelled = bounding_box(labels.array != 0)
    if labelled is None:
        return out
    # Only the labelled box matters; a margin of background stands for what lies outside, and
    # positions farther away are clipped onto it.
    source = np.pad(labels.array[labelled].astype(np.uint8, copy=False), _PAD)
    step = np.linalg.inv(labels.affine) @ affine
    step[:3, 3] -= [part.start - _PAD for part in labelled]
    blur = _blur(step, labels.spacing)
    taps = 4 if blur.any() else 2
    unanimous = source if interpolation == "nearest" else _unanimous_labels(source, taps)
    for block in _slabs(_covered_block(step, source.shape, out.shape)):
        points = _positions(step, block, source.shape)
        out[block] = _nearest(source, points) if interpolation == "nearest" else _linear(source, unanimous, points, blur, taps)
    return out


def _blur(step: NDArray[np.float64], spacing: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight of the voxel before and of the one after in the blur of each axis; 0 where no axis of
    the grid is finer than the map's.

    The blur's variance (mm2) is half the difference in squared voxel size between the map and the
    grid, and is the same along all axes: a surface that runs along the coarse axis has its
    staircase across it. The weight is a quarter at most, which leaves a layer of one voxel its
    middle.
    """
    missing_variance = np.maximum(0.0, 1 - np.square(step[:3, :3]).sum(axis=1)) * np.square(spacing)
    weight = np.minimum(0.25, _BLUR_SHARE * float(missing_variance.max()) / (2 * np.square(spacing)))
    return np.where(weight > _NEGLIGIBLE, weight, 0.0)


def _covered_block(step: NDArray[np.float64], source: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The block of the other grid that the map's box can reach."""
    inverse = np.linalg.inv(step)
    corners = np.array(list(itertools.product(*((-1.0, float(size)) for size in source))))
    mapped = corners @ inverse[:3, :3].T + inverse[:3, 3]
    low = np.clip(np.floor(mapped.min(axis=0)), 0, shape).astype(int)
    high = np.clip(np.ceil(mapped.max(axis=0)) + 1, low, shape).astype(int)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _slabs(block: tuple[slice, ...]) -> Iterator[tuple[slice, ...]]:
    first, second, third = block
    plane = (second.stop - second.start) * (third.stop - third.start)
    if not plane:
        return
    planes = max(1, _SLAB // plane)
    for start in range(first.start, first.stop, planes):
        yield slice(start, min(start + planes, first.stop)), second, third


def _positions(step: NDArray[np.float64], block: tuple[slice, ...], source: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """For each axis of the map the index of every voxel of the block, clipped into the margin,
    broadcastable to the block's shape.

    Where the grids are not turned against each other an index depends on one axis alone and stays
    that small.
    """
    steps = [np.arange(part.start, part.stop, dtype=np.float64) for part in block]
    positions = []
    for row, size in zip(step[:3], source, strict=True):
        total = np.full((1, 1, 1), row[3])
        for axis, count in enumerate(steps):
            if abs(row[axis]) * (abs(count[-1]) + 1) > _MAX_TURN:
                total = total + (row[axis] * count).reshape([-1 if other == axis else 1 for other in range(3)])
        positions.append(np.clip(total, 1, size - _PAD))
    return positions


def _nearest(source: NDArray[np.uint8], points: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    values: NDArray[np.uint8] = source[tuple(np.rint(axis).astype(np.int32) for axis in points)]
    return values


def _unanimous_labels(source: NDArray[np.uint8], taps: int) -> NDArray[np.uint8]:
    """The label that a voxel shares with all of the ``taps`` voxels (along each axis) around the
    point after it; ``_MIXED`` where they differ.
    """
    # scipy's window of an even size begins half its size before its voxel; this one begins half its
    # size less one before.
    low, high = (near(source, size=taps, origin=-1, mode="constant", cval=0) for near in (ndimage.minimum_filter, ndimage.maximum_filter))
    return np.where(low == high, source, np.uint8(_MIXED))


def _linear(
    source: NDArray[np.uint8], unanimous: NDArray[np.uint8], points: list[NDArray[np.float64]], blur: NDArray[np.float64], taps: int
) -> NDArray[np.uint8]:
    low = [np.floor(axis).astype(np.int32) for axis in points]
    out: NDArray[np.uint8] = unanimous[tuple(low)]
    where = np.nonzero(out == _MIXED)
    base = [np.broadcast_to(axis, out.shape)[where] for axis in low]
    part = [np.broadcast_to(axis, out.shape)[where] - first for axis, first in zip(points, base, strict=True)]
    # Voxels from taps / 2 - 1 before the point to taps / 2 after it, each with its weight along
    # each axis.
    reach = range(1 - taps // 2, taps // 2 + 1)
    weights = [{tap: _weight(x - tap, side) for tap in reach} for x, side in zip(part, blur, strict=True)]
    votes = np.zeros((int(source.max()) + 1, len(where[0])), dtype=np.float32)
    columns = np.arange(len(where[0]))
    for i, j, k in itertools.product(reach, repeat=3):
        votes[source[base[0] + i, base[1] + j, base[2] + k], columns] += weights[0][i] * weights[1][j] * weights[2][k]
    nearest = source[tuple(first + np.rint(rest).astype(np.int32) for first, rest in zip(base, part, strict=True))]
    most = votes.max(axis=0)
    out[where] = np.where(votes[nearest, columns] >= most - np.float32(1e-6), nearest, votes.argmax(axis=0))
    return out


def _weight(away: NDArray[np.float64], side: float) -> NDArray[np.float32]:
    """The weight of a voxel that lies ``away`` from a point: linear interpolation of a map blurred
    by (side, 1 - 2 side, side).
    """
    total = (1 - 2 * side) * np.maximum(0.0, 1 - np.abs(away))
    if side:
        total += side * (np.maximum(0.0, 1 - np.abs(away - 1)) + np.maximum(0.0, 1 - np.abs(away + 1)))
    return np.asarray(total, dtype=np.float32)
