"""Influences without rounding, and their sums within subjects: what a variance over subjects is
made of.
"""

from __future__ import annotations

import math

import numpy as np

from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.wald import NOISE


def without_rounding(influence: Floats, value: float = 1.0) -> Floats:
    """Influences ``[n]`` or ``[n, k]`` in which what is only rounding of zero is zero.

    A case moves a statistic by 1/n of what it adds; what it adds to less than 1e-12 of the
    statistic's own size (of 1, where that is smaller) is rounding of the numbers that were
    subtracted.
    """
    size = max(1.0, abs(value)) if math.isfinite(value) else 1.0
    return np.where(np.abs(influence) * len(influence) <= NOISE * size, 0.0, influence)


def sums_within(values: Floats, groups: Integers, count: int) -> Floats:
    """Sums of each column of ``values`` ``[n, k]`` within groups, ``[count, k]``; what is only
    rounding of zero is zero.

    Influences that cancel within every subject must have variance zero: rounding would be a
    variance of 1e-32, and any difference beyond all doubt.
    """
    sums = np.stack([np.bincount(groups, weights=column, minlength=count) for column in values.T], axis=1)
    return np.where(np.abs(sums) > NOISE * np.abs(values).max(axis=0, initial=0.0), sums, 0.0)
