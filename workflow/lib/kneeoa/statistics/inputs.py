"""What every method checks before it counts: finite scores, binary truth, cluster labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


def finite(values: ArrayLike, name: str) -> Floats:
    """``values`` as float64.

    Raises:
        ValueError: a value is NaN or infinite; the message names ``name`` and the first row.
    """
    array = np.asarray(values, dtype=np.float64)
    good = np.isfinite(array)
    if not good.all():
        place = tuple(int(index) for index in np.argwhere(~good)[0])
        raise ValueError(f"{name}: {int((~good).sum())} values are not finite numbers, the first ({array[place]}) at row {place[0]}")
    return array


def classes_of(truth: ArrayLike, count: int, name: str = "truth") -> Integers:
    """``truth`` as int64 class indices from 0 to ``count - 1``, shape ``[n]``.

    Raises:
        ValueError: another shape, a fraction or an index out of range.
    """
    array = finite(truth, name)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one value per case, got an array of shape {array.shape}")
    if array.size and (np.any(array != np.floor(array)) or array.min() < 0 or array.max() >= count):
        raise ValueError(
            f"{name}: expected whole numbers from 0 to {count - 1}, found {array[(array < 0) | (array >= count) | (array % 1 != 0)][0]}"
        )
    return array.astype(np.int64)


def same_length(count: int, **arrays: NDArray[Any]) -> None:
    """Raise ValueError where an array does not have ``count`` rows."""
    for name, array in arrays.items():
        if array.shape[0] != count:
            raise ValueError(f"{name}: {array.shape[0]} rows, but truth has {count}")


def cluster_codes(cluster: ArrayLike | None, count: int) -> Integers | None:
    """Cluster labels (numbers or strings, shape ``[n]``) as codes from 0; None where every case is a cluster of its own.

    The None makes "all clusters are singletons" and "no clusters" the same computation, not only the same value.
    """
    if cluster is None:
        return None
    labels = np.asarray(cluster)
    if labels.dtype == object:
        labels = labels.astype(str)
    same_length(count, cluster=labels)
    unique, codes = np.unique(labels, return_inverse=True)
    return None if unique.size == count else codes.astype(np.int64)
