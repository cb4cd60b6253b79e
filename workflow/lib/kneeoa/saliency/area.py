"""Resample by area averaging between grids that cover the same field of view: a cell's value is the
mean over the volume that it covers.

Maps are brought from the arm's grid to their stored grid, and masks from the canonical grid to the
map's (where a cell's value is then the share of the cell inside the tissue). Means are preserved,
and sums up to the ratio of cell sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def kept_shape(shape: Sequence[int], keep: int) -> tuple[int, ...]:
    """Shape of a map stored at ``1/keep`` of a grid: cells along each axis, rounded up."""
    return tuple(-(-size // keep) for size in shape)


def overlaps(voxels: int, cells: int) -> Floats:
    """Share of each cell that each voxel fills, ``[cells, voxels]``, where both divide the same
    length evenly. Rows sum to one.
    """
    edges = np.linspace(0, voxels, cells + 1)
    voxel = np.arange(voxels)
    shared = np.minimum(edges[1:, None], voxel + 1) - np.maximum(edges[:-1, None], voxel)
    shares: Floats = np.clip(shared, 0, None) * (cells / voxels)
    return shares


def area_mean(image: NDArray[np.floating] | NDArray[np.bool_], shape: Sequence[int]) -> Floats:
    """Resample ``image`` to the grid ``shape`` (same number of axes, any ratio, up or down) by area
    averaging.

    Where ``shape`` divides the image's, this is the mean of whole blocks.
    """
    result = image
    for axis, cells in enumerate(shape):
        if result.shape[axis] != cells:
            matrix = overlaps(result.shape[axis], cells)
            result = np.moveaxis(np.tensordot(matrix, result, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(result, dtype=np.float64)
