"""Store a run's maps on disk: each sign separately, in half precision with a scale per map, written
one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneeoa.atomic_io import atomic_path
from kneeoa.errors import KneeoaError, rerun_hint
from kneeoa.saliency.area import area_mean

Floats = NDArray[np.float64]
Halves = NDArray[np.float16]

# The largest stored value: a power of two below float16's limit (65504), so that what lies 29
# octaves below it still has full precision.
_TOP = 2.0**15


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
