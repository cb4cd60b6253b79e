"""Intervals of paired differences that hold their level with few differing subjects, and agree with
the sign permutation test.

Both invert the score statistic (difference - d) / sqrt(its variance were d true), which at d = 0 is
the z of :mod:`kneeoa.statistics.sign_permutation`: with that test's critical value in the place of
the normal quantile, an interval excludes 0 exactly where p is below 1 - confidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.wald import NOISE


def tango(b: float, c: float, n: float, critical: float) -> tuple[float, float]:
    """Score interval of the difference of two paired shares, (b - c) / n.

    Tango 1998 (Stat Med 17:891). For subjects with several cases b, c and n are divided by the
    design effect of the differences, sum_k (sum of k's differences)^2 / (b + c), as effective
    numbers (Rao and Scott 1992, Biometrics 48:577); whole numbers are not needed.

    Args:
        b: cases that only the first has right.
        c: cases that only the second has right.
        n: all cases.
        critical: standard deviations either side, e.g. 1.96.
    """
    estimate = (b - c) / n

    def distance(difference: float) -> float:
        middle = -b - c + (2 * n - b + c) * difference
        root = math.sqrt(max(middle * middle + 8 * n * c * difference * (1 - difference), 0.0))
        variance = n * (2 * max(root - middle, 0.0) / (4 * n) + difference * (1 - difference))
        gap = n * (estimate - difference)
        if variance <= 0.0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    low = -1.0 if distance(-1.0) <= critical else _root(distance, critical, -1.0, estimate)
    high = 1.0 if distance(1.0) >= -critical else _root(distance, -critical, estimate, 1.0)
    return low, high


def paired_interval(parts: Floats, sums: Floats, critical: float, effective: float) -> tuple[float, float]:
    """Interval of a difference that is the sum of what its cases add: :func:`tango` at effective
    numbers where each adds 1, 0 or -1 of a number of cases, else :func:`mean_interval`.

    Args:
        parts: of each case, ``[n]``; not all zero.
        sums: of each subject, ``[K]``.
        critical: as :func:`tango`.
        effective: the effective number of subjects.
    """
    sizes = np.abs(parts[np.abs(parts) > NOISE * np.abs(parts).max()])
    if np.ptp(sizes) > 1e-9 * sizes[0] or not sums.any() or sizes.sum() > 1.0:
        return mean_interval(sums, critical, effective)
    effect = float(sums @ sums) / float(sizes @ sizes)
    b, c = (float((sign * parts > 0.5 * sizes[0]).sum()) for sign in (1.0, -1.0))
    return tango(b / effect, c / effect, 1.0 / sizes[0] / effect, critical)


def mean_interval(sums: Floats, critical: float, effective: float) -> tuple[float, float]:
    """Interval of a difference that is the sum of its subjects' parts ``[K]``.

    Inverts |difference - d| <= critical * sqrt(V + (difference - d)^2 / m), V being the variance of
    the sum, so that V + difference^2 / m is sum g^2 and the interval excludes 0 where |z| >
    critical, whatever m. m says over how many subjects a difference is spread: near 0 the effective
    number, which widens the interval by 1 / sqrt(1 - critical^2 / m), about as Student's quantile
    (m is taken as at least 4/3 critical^2, beyond which it would have no end); far from 0 all
    subjects, since a difference that were borne by the effective ones alone would leave V next to
    nothing. The wider of the two is the interval.
    """
    difference, squares = float(sums.sum()), float(sums @ sums)
    halves = []
    for spread in (effective, float(sums.size)):
        size = max(spread, 4 / 3 * critical**2)
        variance = max(squares - difference**2 / size, 0.1 * squares)
        halves.append(critical * math.sqrt(variance / (1 - critical**2 / size)))
    return difference - max(halves), difference + max(halves)


def _root(distance: Callable[[float], float], level: float, low: float, high: float) -> float:
    return float(brentq(lambda at: max(min(distance(at), 1e9), -1e9) - level, low, high, xtol=1e-13))
