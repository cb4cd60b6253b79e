"""Resample volumes separably: one sparse matrix of weights per axis, so that a whole volume takes
three thin products.

Each output voxel is the mean of the linear interpolant over a box. The box makes up for the
difference in voxel size: input voxels of width 1 are averages already, and ``sqrt(step^2 - 1)``
more brings them to the variance of voxels of width ``step``. So refining is plain linear
interpolation, shrinking averages what the new voxel covers (no aliasing), there is no jump between
the two, and a linear field stays exactly linear.

A volume is worked on plane by plane, so that the work stays in the processor's cache and memory
holds the result and a few planes. The products are sparse and not BLAS, whose sums depend on the
number of threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

# Below this width (input voxels) the box is a point.
_NARROW = 1e-3
# A position this near to a voxel's centre (input voxels) is that centre: headers round their
# spacing, and voxels on an aligned axis are copied.
_CENTRED = 1e-4

Weights = tuple[csr_array, csr_array, csr_array]


def axis_weights(positions: NDArray[np.float64], size: int, step: float, *, antialias: bool = True) -> csr_array:
    """Weights of one axis, shape ``[len(positions), size]``.

    Args:
        positions: input index (a real number) of each output voxel's centre.
        size: input voxels along the axis.
        step: input voxels between two output voxels.
        antialias: average over what an output voxel covers where it is larger than an input voxel;
            False: plain linear interpolation.

    Rows sum to one where the centre lies inside the input (up to half a voxel beyond its outer
    centres; the outer voxels are repeated as far as a box reaches) and are empty elsewhere.
    """
    nearest = np.round(positions)
    positions = np.where(np.abs(positions - nearest) < _CENTRED, nearest, positions)
    width = np.sqrt(max(step, 1.0) ** 2 - 1.0) if antialias else 0.0
    reach = 1.0 + width / 2
    taps = np.floor(positions - reach).astype(np.int64)[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    offsets = positions[:, None] - taps
    if width > _NARROW:
        weights = (_below(offsets + width / 2) - _below(offsets - width / 2)) / width
    else:
        weights = np.maximum(0.0, 1.0 - np.abs(offsets))
    inside = (positions >= -0.5) & (positions <= size - 0.5)
    rows = np.broadcast_to(np.arange(len(positions))[:, None], taps.shape)
    keep = (weights > 0) & inside[:, None]
    matrix = csr_array((weights[keep], (rows[keep], np.clip(taps[keep], 0, size - 1))), shape=(len(positions), size))
    matrix.sum_duplicates()
    return matrix.astype(np.float32)


def _below(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integral of the hat function ``max(0, 1 - |t|)`` from minus infinity to ``x``."""
    near = np.clip(x, -1.0, 1.0)
    return 0.5 + near - np.sign(near) * near**2 / 2


def resample_separably(array: NDArray[np.generic], weights: Weights) -> NDArray[np.float32]:
    """Apply one matrix per axis to a volume (any memory order, any numeric type); float32 result.

    Each input plane along axis 0 is converted, shrunken in its plane, and added to the output
    planes that it has a share in.
    """
    first, second, third = weights
    shares = first.tocsc()
    keep_rows, keep_columns = _is_identity(second), _is_identity(third)
    out = np.zeros((first.shape[0], second.shape[0], third.shape[0]), dtype=np.float32)
    for index in np.flatnonzero(np.diff(shares.indptr)):
        plane = array[index].astype(np.float32)
        if not keep_rows:
            plane = second @ plane
        if not keep_columns:
            plane = (third @ plane.T).T
        for entry in range(shares.indptr[index], shares.indptr[index + 1]):
            share = shares.data[entry]
            out[shares.indices[entry]] += plane if share == 1 else share * plane
    return out


def _is_identity(matrix: csr_array) -> bool:
    """Whether a matrix leaves its axis as it is."""
    size = matrix.shape[0]
    return bool(
        matrix.shape == (size, size)
        and matrix.nnz == size
        and np.array_equal(matrix.indptr, np.arange(size + 1))
        and np.array_equal(matrix.indices, np.arange(size))
        and (matrix.data == 1).all()
    )


def stretch(array: NDArray[np.generic], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Resample a volume to ``shape`` over the same extent (voxel edges meet edges); float32."""
    weights = []
    for size, new in zip(array.shape, shape, strict=True):
        step = size / new
        weights.append(axis_weights((np.arange(new) + 0.5) * step - 0.5, size, step))
    return resample_separably(array, (weights[0], weights[1], weights[2]))
