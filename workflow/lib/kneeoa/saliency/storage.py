"""Store a run's maps on disk: area-averaged to a small grid, each sign separately, in half
precision with a scale per map, written one by one.

Maps are brought from the arm's grid to their stored grid, and masks from the canonical grid to the
map's (where a cell's value is then the share of the cell inside the tissue). Means are preserved,
and sums up to the ratio of cell sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneeoa.atomic_io import atomic_path
from kneeoa.errors import KneeoaError, rerun_hint

Halves = NDArray[np.float16]

# The largest stored value: a power of two below float16's limit (65504), so that what lies 29
# octaves below it still has full precision.
_TOP = 2.0**15

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


def split_signs(signed: NDArray[np.floating], shape: tuple[int, ...]) -> Floats:
    """Split a map into its positive and its negative part, ``[2, *shape]``, both non-negative and
    averaged over cells.

    Signs are split before cells are averaged: opposite signs within a cell must not cancel, and the
    mean absolute value of a cell is the sum of the two.
    """
    return np.stack([area_mean(np.maximum(part, 0), shape) for part in (signed, -signed)])


def pack(values: Floats) -> tuple[Halves, float]:
    """Non-negative values as float16 and their scale: the values are ``stored * scale``. A map of
    zeros has the scale one.
    """
    top = float(values.max(initial=0.0))
    scale = top / _TOP if top > 0 else 1.0
    return (values / scale).astype(np.float16), scale


def unpack(stored: Halves, scale: float) -> Floats:
    """Restore a map from its stored values, to half precision.

    Raises:
        KneeoaError: it holds values that are negative or not finite.
    """
    values = stored.astype(np.float64) * scale
    if not np.isfinite(values).all() or (values < 0).any():
        raise KneeoaError("a saliency map holds values that are negative or not finite; make the maps again.")
    return values


@contextmanager
def create_maps(path: Path, count: int, shape: tuple[int, ...]) -> Iterator[Halves]:
    """Open an array ``[count, 2, *shape]`` on the disk, to be filled row by row; it gets its final
    name when the block ends without an error.
    """
    with atomic_path(path) as temporary:
        if not count:
            np.save(temporary, np.zeros((0, 2, *shape), dtype=np.float16), allow_pickle=False)
            yield np.zeros((0, 2, *shape), dtype=np.float16)
            return
        maps = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=(count, 2, *shape))
        yield maps
        maps.flush()


def open_maps(path: Path, count: int) -> Halves:
    """Open the array ``[count, 2, *shape]`` of a run's maps, memory-mapped.

    Raises:
        KneeoaError: the file cannot be read, or does not hold ``count`` maps of two signs.
    """
    try:
        stored: Halves = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be read as an array of saliency maps ({error}); {rerun_hint(path)}.") from error
    if stored.ndim < 3 or stored.shape[1] != 2 or len(stored) != count:
        raise KneeoaError(
            f"{path}: holds {len(stored)} maps of shape {stored.shape[1:]}, but its index lists {count} maps of two signs; make both again."
        )
    return stored
