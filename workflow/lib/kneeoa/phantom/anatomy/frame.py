"""Coordinates in the knee's frame at every voxel of a grid, and the voxels inside a box of the
knee.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kneeoa.phantom.anatomy.knee import Knee
from kneeoa.phantom.anatomy.solids import Box, Field, Points
from kneeoa.phantom.grid import Grid, corners

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
