"""A label map on another grid: nearest neighbour, or label-wise linear.

Label-wise linear interpolation gives each voxel the label whose indicator (1 in the label, 0 elsewhere, background a label like the
others), interpolated trilinearly, is largest. It differs from nearest neighbour only where the eight voxels around a point disagree, so
that only there the vote is counted: surfaces are placed between voxels instead of on them, which halves the error of a turned grid.
Both look at a point and not at what a coarse voxel covers: an average over the voxel followed by a majority vote would eat cartilage
that is thinner than the voxel.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kneeoa.images.boxes import bounding_box
from kneeoa.images.volume import Affine, Volume

Interpolation = Literal["nearest", "linear"]

_SLAB = 1_000_000
"""Voxels worked on at a time, so that memory does not grow with the grid."""
_STRAIGHT = 0.01
"""Voxels of the map by which a grid may be turned over its whole length and still count as straight."""
_MIXED = 255
_CORNERS = tuple(itertools.product((0, 1), repeat=3))


def resample_labels(labels: Volume, affine: Affine, shape: tuple[int, ...], interpolation: Interpolation = "linear") -> NDArray[np.uint8]:
    """Values of a label map (uint8) at the voxel centres of another grid, through the world; 0 outside.

    Args:
        labels: the label map, values up to 254.
        affine: the other grid's affine, 4 x 4, index -> mm.
        shape: the other grid's shape, three axes.
        interpolation: ``nearest`` or ``linear`` (label-wise; ties go to the nearest voxel's label where it is among them).

    Returns:
        uint8 array of ``shape``. Equal grids keep every voxel with either interpolation.
    """
    out = np.zeros(tuple(shape), dtype=np.uint8)
    held = bounding_box(labels.array != 0)
    if held is None:
        return out
    # Only the labelled box matters; a margin of background answers for what lies outside, everything farther is clipped onto it.
    source = np.pad(labels.array[held].astype(np.uint8, copy=False), 1)
    start = np.array([part.start - 1 for part in held])
    step = np.linalg.inv(labels.affine) @ affine
    step[:3, 3] -= start
    # Each voxel's label, or a mark where the eight voxels from it onwards disagree.
    cells = source if interpolation == "nearest" else _cells(source)
    for block in _slabs(_reached(step, source.shape, out.shape)):
        points = _positions(step, block, source.shape)
        out[block] = _nearest(source, points) if interpolation == "nearest" else _linear(source, cells, points)
    return out


def _reached(step: NDArray[np.float64], source: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """The block of the other grid that the map's box can touch."""
    inverse = np.linalg.inv(step)
    corners = np.array(list(itertools.product(*((-1.0, float(size)) for size in source))))
    found = corners @ inverse[:3, :3].T + inverse[:3, 3]
    low = np.clip(np.floor(found.min(axis=0)), 0, shape).astype(int)
    high = np.clip(np.ceil(found.max(axis=0)) + 1, low, shape).astype(int)
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
    """For each axis of the map the index of every voxel of the block, clipped to the map, broadcastable to the block's shape.

    Where the grids are not turned against each other an index depends on one axis alone and stays that small.
    """
    steps = [np.arange(part.start, part.stop, dtype=np.float64) for part in block]
    found = []
    for row, size in zip(step[:3], source, strict=True):
        total = np.full((1, 1, 1), row[3])
        for axis, count in enumerate(steps):
            if abs(row[axis]) * (abs(count[-1]) + 1) > _STRAIGHT:
                total = total + (row[axis] * count).reshape([-1 if other == axis else 1 for other in range(3)])
        found.append(np.clip(total, 0, size - 1))
    return found


def _nearest(source: NDArray[np.uint8], points: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = source[tuple(np.rint(axis).astype(np.int32) for axis in points)]
    return found


def _cells(source: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The label that a voxel shares with the seven after it along the axes, ``_MIXED`` where they differ or there are none."""
    cells = np.full(source.shape, _MIXED, dtype=np.uint8)
    first = source[:-1, :-1, :-1]
    mixed = np.zeros(first.shape, dtype=bool)
    for bits in _CORNERS[1:]:
        mixed |= first != source[tuple(slice(bit, size - 1 + bit) for bit, size in zip(bits, source.shape, strict=True))]
    cells[:-1, :-1, :-1] = np.where(mixed, np.uint8(_MIXED), first)
    return cells


def _linear(source: NDArray[np.uint8], cells: NDArray[np.uint8], points: list[NDArray[np.float64]]) -> NDArray[np.uint8]:
    low = [np.minimum(axis.astype(np.int32), size - 2) for axis, size in zip(points, source.shape, strict=True)]
    out: NDArray[np.uint8] = cells[tuple(low)]
    where = np.nonzero(out == _MIXED)
    base = [np.broadcast_to(axis, out.shape)[where] for axis in low]
    part = [(np.broadcast_to(axis, out.shape)[where] - first).astype(np.float32) for axis, first in zip(points, base, strict=True)]
    corners = np.stack([source[tuple(first + bit for first, bit in zip(base, bits, strict=True))] for bits in _CORNERS])
    out[where] = _vote(corners, part)
    return out


def _vote(values: NDArray[np.uint8], part: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """The label with the largest trilinear weight among eight corners, ``values[8, n]``; the nearest corner's where it ties."""
    weights = np.stack(
        [np.prod(np.stack([axis if bit else 1 - axis for axis, bit in zip(part, bits, strict=True)]), axis=0) for bits in _CORNERS]
    )
    nearest = np.argmax(weights, axis=0)
    columns = np.arange(values.shape[1])
    best: NDArray[np.uint8] = values[nearest, columns]
    most = np.where(values == best, weights, 0).sum(axis=0)
    for corner in range(8):
        total = np.where(values == values[corner], weights, 0).sum(axis=0)
        better = total > most + np.float32(1e-6)
        best = np.where(better, values[corner], best)
        most = np.where(better, total, most)
    return best
