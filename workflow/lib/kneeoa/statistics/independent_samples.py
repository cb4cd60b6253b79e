"""Compare a statistic of two independent samples: no person is in both, so variances add.

Shares are compared by Newcombe's hybrid score interval (Newcombe 1998, Stat Med 17:873, method 10;
of any two estimates with limits of their own: Zou and Donner 2008, Stat Med 27:1693): the distance
of each limit from its estimate is a variance of that side, and the two are added. With Wilson's
limits at the effective number of cases it holds where people have several cases and where a share
is 0 or 1, which leaves a normal interval without a width. Its p is that of the interval: the
smallest error at which the interval leaves out zero. Other statistics are compared by a normal test
from their influences.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from kneeoa.statistics.influence_functions import Sampled, covariance, of_mean, undefined
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.proportions import wilson_at
from kneeoa.statistics.wald import Wald, normal_quantile, wald

Limits = Callable[[float], tuple[float, float]]
"""Standard errors either side -> low and high limit."""

_MOST = 38.0
"""Standard errors beyond which p is below the smallest float."""


def compare_shares(first: tuple[float, float], second: tuple[float, float], confidence: float) -> Wald:
    """The difference second - first of two shares of independent samples; NaN where one has no
    case.

    Two shares that are both 0, or both 1, have z 0 and p 1.

    Args:
        first: share and its effective number of cases.
        second: the same of the other sample.
        confidence: of the interval.
    """
    (share, size), (other, other_size) = first, second
    if math.isnan(share) or math.isnan(other) or not (size > 0 and other_size > 0):
        return wald(math.nan, math.nan, confidence)
    difference = other - share
    limits: tuple[Limits, Limits] = (lambda z: wilson_at(share, size, z), lambda z: wilson_at(other, other_size, z))

    def interval(z: float) -> tuple[float, float]:
        (low, high), (other_low, other_high) = (side(z) for side in limits)
        below = math.hypot(other - other_low, high - share)
        above = math.hypot(other_high - other, share - low)
        return difference - below, difference + above

    def gap(z: float) -> float:
        """Return its distance from zero on the difference's side, below 0 where it holds zero."""
        low, high = interval(z)
        return low if difference > 0 else -high

    z = 0.0
    if difference != 0.0:
        z = math.copysign(_MOST if gap(_MOST) > 0 else float(brentq(gap, 1e-9, _MOST, xtol=1e-12)), difference)
    low, high = interval(normal_quantile(confidence))
    tested = wald(z, 1.0, confidence)
    return Wald(z=z, p=tested.p, log10_p=tested.log10_p, low=low, high=high, degenerate=False)


def compare_sampled(
    first: tuple[Sampled, Integers | None], second: tuple[Sampled, Integers | None], confidence: float
) -> tuple[float, Wald]:
    """The variance of the difference second - first of a statistic, and its normal test.

    Args:
        first: the statistic in one sample, and the subject of each of its cases.
        second: the same of the other sample.
        confidence: of the interval.
    """
    variance = sum(float(covariance([sampled], codes)[0, 0]) for sampled, codes in (first, second))
    return variance, wald(second[0].value - first[0].value, variance, confidence)


def standardised_share(right: Floats, truth: Integers, shares: Floats) -> Sampled:
    """The share of right cases if classes had other shares: the sum over classes of ``shares``
    times the share of right ones of that class (direct standardisation), with the influence of
    every case, the shares taken as fixed.

    Args:
        right: 0 to 1, ``[n]``.
        truth: class of each case, ``[n]``.
        shares: of each class, ``[K]``. A class of share 0 needs no case.

    Returns:
        NaN where a class that has a share has no case.
    """
    counts = np.bincount(truth, minlength=shares.size)
    if ((counts == 0) & (shares > 0)).any():
        return undefined(truth.size, "a class has no case")
    of_class = np.bincount(truth, weights=right, minlength=shares.size) / np.maximum(counts, 1)
    influence = (shares / np.maximum(counts, 1))[truth] * (right - of_class[truth])
    return Sampled(float(shares @ of_class), influence)


def share_influence(truth: Integers, weights: Floats) -> Sampled:
    """The mean over cases of a weight for each class, ``[K]``: what an estimate of class shares
    adds to a sum that they weight.
    """
    return of_mean(weights[truth])
