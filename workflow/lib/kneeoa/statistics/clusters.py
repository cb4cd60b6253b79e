"""Sums within subjects: what a variance over subjects is made of."""

from __future__ import annotations

import numpy as np

from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.wald import NOISE


def sums_within(values: Floats, groups: Integers, count: int) -> Floats:
    """Sums of each column of ``values`` ``[n, k]`` within groups, ``[count, k]``; what is only
    rounding of zero is zero.

    Influences that cancel within every subject must have variance zero: rounding would be a
    variance of 1e-32, and any difference beyond all doubt.
    """
    sums = np.stack([np.bincount(groups, weights=column, minlength=count) for column in values.T], axis=1)
    return np.where(np.abs(sums) > NOISE * np.abs(values).max(axis=0, initial=0.0), sums, 0.0)
