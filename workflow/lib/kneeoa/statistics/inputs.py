"""Checks of every method's input: finite scores, binary truth, cluster labels."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kneeoa.errors import InvalidInput
from kneeoa.subject_ids import listed_rows

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]

_ABSENT = ("", "<NA>", "NaN", "NaT", "None", "nan")
"""Strings that an absent label becomes."""


_MOST_KEPT = 1 << 20
"""Bytes of labels whose codes are kept for the next metric."""


def finite(values: ArrayLike, name: str) -> Floats:
    """``values`` as float64.

    Raises:
        InvalidInput: a value is NaN or infinite; the message names ``name`` and the first row.
    """
    array = np.asarray(values, dtype=np.float64)
    good = np.isfinite(array)
    if not good.all():
        place = tuple(int(index) for index in np.argwhere(~good)[0])
        raise InvalidInput(f"{name}: {int((~good).sum())} values are not finite numbers, the first ({array[place]}) at row {place[0]}")
    return array


def classes_of(truth: ArrayLike, count: int | None = None, name: str = "truth") -> Integers:
    """``truth`` as int64 class indices from 0 to ``count - 1`` (None: without an upper end), shape
    ``[n]``.

    Raises:
        InvalidInput: another shape, a fraction or an index out of range.
    """
    array = np.asarray(truth)
    if array.dtype.kind not in "bui":
        array = finite(array, name)
    if array.ndim != 1:
        raise InvalidInput(f"{name}: expected one value per case, got an array of shape {array.shape}")
    end = np.inf if count is None else count
    fractional = array.dtype.kind == "f" and bool(np.any(array != np.floor(array)))
    if array.size and (fractional or array.min() < 0 or array.max() >= end):
        expected = "from 0 on" if count is None else f"from 0 to {count - 1}"
        raise InvalidInput(f"{name}: expected whole numbers {expected}, found {array[(array < 0) | (array >= end) | (array % 1 != 0)][0]}")
    return array.astype(np.int64, copy=False)


def same_length(count: int, **arrays: NDArray[Any]) -> None:
    """Raise InvalidInput where an array does not have ``count`` rows."""
    for name, array in arrays.items():
        if array.shape[0] != count:
            raise InvalidInput(f"{name}: {array.shape[0]} rows, but truth has {count}")


def cluster_codes(cluster: ArrayLike | None, count: int) -> Integers | None:
    """Cluster labels (numbers or strings, shape ``[n]``) as codes from 0; None where every case is
    a cluster of its own.

    The None makes "all clusters are singletons" and "no clusters" the same computation, not only
    the same value.

    Raises:
        InvalidInput: another length than ``count``, or a label that is absent (null, NaN or empty):
            all who have none would be taken for one subject.
    """
    if cluster is None:
        return None
    labels = np.asarray(cluster)
    if labels.dtype == object:
        labels = labels.astype(str)
    same_length(count, cluster=labels)
    if labels.ndim != 1 or labels.nbytes > _MOST_KEPT:
        return _codes(labels)
    return _kept_codes(labels.tobytes(), labels.dtype.str)


@functools.lru_cache(maxsize=64)
def _kept_codes(labels: bytes, dtype: str) -> Integers | None:
    """:func:`_codes` of labels that many metrics ask for; one array for all, which none may
    change.
    """
    codes = _codes(np.frombuffer(labels, dtype=dtype))
    if codes is not None:
        codes.flags.writeable = False
    return codes


def _codes(labels: NDArray[Any]) -> Integers | None:
    unique, codes = np.unique(labels, return_inverse=True)
    absent = np.flatnonzero(np.isnan(unique) if unique.dtype.kind == "f" else np.isin(unique, _ABSENT))
    if absent.size:
        rows = (np.flatnonzero(np.isin(codes, absent)) + 1).tolist()
        raise InvalidInput(f"cluster: no subject in {listed_rows(rows)}; every case needs the subject that it comes from")
    return None if unique.size == labels.size else codes.astype(np.int64)


def subject_count(codes: Integers | None, count: int) -> int:
    """Number of subjects among ``count`` cases, ``codes`` as :func:`cluster_codes` gives them."""
    return count if codes is None else int(codes.max()) + 1
