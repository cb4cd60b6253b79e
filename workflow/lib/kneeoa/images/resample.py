"""Separable resampling: one sparse matrix of weights per axis, so that a whole volume takes three thin products.

The kernel is the triangle of linear interpolation. Where the output's voxels are larger than the input's, the triangle is widened to
the output's voxel, so that each one averages what it covers instead of picking from it (no aliasing).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


def axis_weights(positions: NDArray[np.float64], size: int, step: float) -> csr_array:
    """Weights of one axis, shape ``[len(positions), size]``.

    Args:
        positions: input index (a real number) of each output voxel's centre.
        size: input voxels along the axis.
        step: input voxels between two output voxels.

    Rows sum to one where the centre lies inside the input (up to half a voxel beyond its outer centres, where the outer voxel is
    repeated) and are empty elsewhere.
    """
    reach = max(1.0, step)
    taps = np.floor(positions - reach).astype(np.int64)[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    weights = np.maximum(0.0, 1.0 - np.abs(taps - positions[:, None]) / reach)
    inside = (positions >= -0.5) & (positions <= size - 0.5)
    rows = np.broadcast_to(np.arange(len(positions))[:, None], taps.shape)
    keep = (weights > 0) & inside[:, None]
    matrix = csr_array((weights[keep], (rows[keep], np.clip(taps[keep], 0, size - 1))), shape=(len(positions), size))
    matrix.sum_duplicates()
    sums = np.asarray(matrix.sum(axis=1)).ravel()
    matrix.data /= np.repeat(np.where(sums > 0, sums, 1.0), np.diff(matrix.indptr))
    return matrix.astype(np.float32)


def separable(array: NDArray[np.generic], weights: tuple[csr_array, csr_array, csr_array]) -> NDArray[np.float32]:
    """Apply one matrix per axis to a volume; float32 result. Memory: the first axis' product and one slice of work."""
    first, second, third = weights
    flat = array.reshape(array.shape[0], -1).astype(np.float32, copy=False)
    slices = (first @ flat).reshape(first.shape[0], *array.shape[1:])
    out = np.empty((first.shape[0], second.shape[0], third.shape[0]), dtype=np.float32)
    for index, plane in enumerate(slices):
        out[index] = (third @ (second @ plane).T).T
    return out


def stretch(array: NDArray[np.generic], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Resample a volume to ``shape`` over the same extent (voxel edges meet edges); float32."""
    weights = []
    for size, new in zip(array.shape, shape, strict=True):
        step = size / new
        weights.append(axis_weights((np.arange(new) + 0.5) * step - 0.5, size, step))
    return separable(array, (weights[0], weights[1], weights[2]))
