"""Read class labels again through a confusion matrix: a pure function of seed and case, whatever
the order and number of the cases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError

_BITS = 53
"""Bits of a double's fraction: every draw is an exact number in [0, 1)."""


def reread(
    labels: NDArray[np.int64], cohorts: Sequence[str], case_ids: Sequence[str], confusion: Sequence[Sequence[float]], seed: int
) -> NDArray[np.int64]:
    """The labels that a rater with ``confusion`` writes.

    A case has two draws of its own: whether it is misread, and as what. Raters of one seed share
    them, so that of two raters the one with the smaller chance of an error misreads a subset of the
    other's cases: a sweep of confusions varies how many labels are wrong, not which cases are hit
    first.

    Args:
        labels: reference classes, ``[n]``.
        cohorts: of each case.
        case_ids: of each case, unique within a cohort.
        confusion: ``[K][K]``, row the reference class, column the probability of what is read; rows
            add up to 1.
        seed: of the rater.

    Returns:
        int64 ``[n]``.

    Raises:
        KneeoaError: a label is not one of the K classes.
    """
    matrix = np.asarray(confusion, dtype=np.float64)
    wrong = labels[(labels < 0) | (labels >= len(matrix))]
    if wrong.size:
        raise KneeoaError(f"Label {wrong[0]} is not one of the {len(matrix)} classes of the rater's confusion.")
    read = labels.copy()
    for number, (label, cohort, case_id) in enumerate(zip(labels.tolist(), cohorts, case_ids, strict=True)):
        others = matrix[label].copy()
        others[label] = 0.0
        misread, which = uniform_draws(seed, cohort, case_id)
        if misread < others.sum():
            read[number] = min(int(np.searchsorted(np.cumsum(others), which * others.sum(), side="right")), int(others.nonzero()[0][-1]))
    return read


def uniform_draws(seed: int, cohort: str, case_id: str) -> tuple[float, float]:
    """Two independent uniform numbers in [0, 1) that belong to this seed and case: the two halves
    of a SHA-256.
    """
    state = hashlib.sha256(f"{seed}/{cohort}/{case_id}".encode()).digest()
    first, second = (int.from_bytes(state[start : start + 8], "big") >> (64 - _BITS) for start in (0, 8))
    return first / 2**_BITS, second / 2**_BITS
