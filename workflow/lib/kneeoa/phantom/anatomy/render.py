"""Render a knee on any grid: as a label map, or as signal with partial volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from kneeoa.phantom.anatomy.knee import Knee
from kneeoa.phantom.anatomy.layers import JOINT, WRITTEN, Tissue
from kneeoa.phantom.anatomy.leg import LEG
from kneeoa.phantom.anatomy.solids import Box, Field, Points
from kneeoa.phantom.grid import Grid, corners

_SLAB = 1_500_000
"""Voxels computed at a time: limits the memory (about 60 bytes each) whatever the size of the
grid.
"""
_SPREAD = np.float32(1.1)
"""Width of the blur at a surface, in voxels along its normal: the voxel itself, and a little of the
scanner's point spread.
"""

Block = tuple[slice, slice, slice]


def plane_wave(grid: Grid, vector: npt.ArrayLike, phase: float) -> Field:
    """Evaluate ``sin(vector . p + phase)`` at every voxel, ``p`` in RAS+ mm.

    A plane wave on a grid is a product of one complex exponential per array axis, so it costs no
    sine per voxel.
    """
    along = np.asarray(vector, dtype=np.float64) @ grid.affine[:3, :3]
    start = float(np.asarray(vector) @ grid.affine[:3, 3]) + phase
    i, j, k = (np.exp(1j * step * np.arange(count)).astype(np.complex64) for step, count in zip(along, grid.shape, strict=True))
    first = np.complex64(np.exp(1j * start)) * i[:, None] * j[None, :]
    wave: Field = first.imag[:, :, None] * k.real + first.real[:, :, None] * k.imag
    return wave


def coordinates(knee: Knee, grid: Grid) -> Points:
    """Coordinates of every voxel in the knee's frame (mm), warp included; three float32 arrays of
    ``grid.shape``.
    """
    matrix = knee.to_frame @ grid.affine
    i, j, k = (np.arange(count, dtype=np.float64) for count in grid.shape)
    axes = [
        ((row[0] * i + row[3])[:, None, None] + (row[1] * j)[None, :, None] + (row[2] * k)[None, None, :]).astype(np.float32)
        for row in matrix[:3]
    ]
    for wave in knee.waves:
        # The wave is defined in the knee's frame; carry its vector and phase over to the patient's
        # space.
        vector = np.asarray(wave.vector) @ knee.to_frame[:3, :3]
        phase = wave.phase + float(np.asarray(wave.vector) @ knee.to_frame[:3, 3])
        height = plane_wave(grid, vector, phase)
        for axis, amplitude in zip(axes, wave.amplitude, strict=True):
            axis += np.float32(amplitude) * height
    return Points(*axes)


def block(knee: Knee, grid: Grid, box: Box) -> Block | None:
    """The smallest index block of ``grid`` that contains ``box`` (with a margin for the warp and
    one voxel more); None if they do not intersect.
    """
    room = np.sum(np.abs([wave.amplitude for wave in knee.waves]), axis=0) if knee.waves else np.zeros(3)
    points = corners(np.asarray(box.low) - room, np.asarray(box.high) + room)
    inverse = np.linalg.inv(knee.to_frame @ grid.affine)
    indices = points @ inverse[:3, :3].T + inverse[:3, 3]
    low = np.maximum(np.floor(indices.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(indices.max(axis=0)).astype(int) + 2, grid.shape)
    if np.any(high <= low):
        return None
    i, j, k = (slice(int(first), int(last)) for first, last in zip(low, high, strict=True))
    return (i, j, k)


def label_map(knee: Knee, grid: Grid, *, whole: bool = False) -> npt.NDArray[np.uint8]:
    """Label map of a knee: :class:`~kneeoa.phantom.anatomy.layers.Label` at the voxels' centres,
    shape ``grid.shape``.

    ``whole`` False gives what a person would outline (bones and cartilage, osteophytes counted as
    bone); True gives every structure, marrow lesions and osteophytes included.
    """
    labels = np.zeros(grid.shape, dtype=np.uint8)
    for start, stop, _ in _slabs(grid, halo=0):
        slab = grid.slab(start, stop)
        p = coordinates(knee, slab)
        view = labels[start:stop]
        for part in LEG if whole else JOINT:
            if (where := block(knee, slab, part.box)) is None:
                continue
            target = view[where]
            for layer in part.layers(knee, Points(*(axis[where] for axis in p))):
                if layer.label is not None and (whole or not layer.finding):
                    target[layer.distance < 0] = layer.label
    if not whole:
        labels[~np.isin(labels, WRITTEN)] = 0
    return labels


def signal(knee: Knee, grid: Grid, brightness: Mapping[Tissue, float]) -> Field:
    """Signal of the whole leg, float32, shape ``grid.shape``: each layer is blended over those
    before by the share of the voxel that it fills.

    The share is ``clip(1/2 - d / (s |grad d|), 0, 1)`` with d the layer's distance, its gradient in
    millimetres per voxel along the array's axes (which takes account of the voxel's shape), and s
    the spread: exact for a plane surface and a box of that width.
    """
    image = np.full(grid.shape, brightness[Tissue.AIR], dtype=np.float32)
    for start, stop, (low, high) in _slabs(grid, halo=1):
        slab = grid.slab(low, high)
        p = coordinates(knee, slab)
        canvas = np.full(slab.shape, brightness[Tissue.AIR], dtype=np.float32)
        for part in LEG:
            if (where := block(knee, slab, part.box)) is None:
                continue
            target = canvas[where]
            for layer in part.layers(knee, Points(*(axis[where] for axis in p))):
                if layer.tissue is not None:
                    share = _filled_share(layer.distance)
                    target += share * (np.float32(brightness[layer.tissue]) - target)
        image[start:stop] = canvas[start - low : stop - low]
    return image


def _filled_share(distance: Field) -> Field:
    """Share of each voxel that the solid fills."""
    squares = np.zeros_like(distance)
    for axis in range(3):
        if distance.shape[axis] > 1:
            step = np.gradient(distance, axis=axis)
            squares += step * step
    share: Field = np.clip(np.float32(0.5) - distance / (_SPREAD * np.sqrt(squares) + np.float32(1e-6)), 0, 1)
    return share


def _slabs(grid: Grid, halo: int) -> Iterator[tuple[int, int, tuple[int, int]]]:
    """Yield slabs of the first axis (start, stop), each with its limits widened by ``halo``
    planes.
    """
    count = grid.shape[0]
    step = max(1, _SLAB // (grid.shape[1] * grid.shape[2]))
    for start in range(0, count, step):
        stop = min(start + step, count)
        yield start, stop, (max(start - halo, 0), min(stop + halo, count))
