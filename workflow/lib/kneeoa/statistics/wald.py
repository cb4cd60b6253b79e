"""From a difference and its variance to z, p and interval, with the degenerate cases spelled
out.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from scipy.special import log_ndtr, ndtr, ndtri  # scipy.stats takes a second to import, in every job

NOISE = 1e-12
"""Below this, a placement value is rounding of zero: real ones are multiples of 1/(2n)."""


@dataclass(frozen=True, kw_only=True)
class Wald:
    """A normal test of "difference = 0" and its interval; NaN where undefined."""

    z: float
    p: float
    log10_p: float
    low: float
    high: float
    degenerate: bool


def normal_quantile(confidence: float) -> float:
    """Return how many standard errors either side make a two-sided normal interval.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    return float(ndtri(0.5 + confidence / 2))


def wald(difference: float, variance: float, confidence: float) -> Wald:
    """Two-sided test and unclipped interval.

    Variance and difference both zero (identical models): z 0, p 1, interval [0, 0], degenerate.
    Variance zero with a difference: no test exists (z, p and interval NaN), degenerate. Variance
    NaN: undefined, all NaN. p is never 0: where the tail is below the smallest float that smallest
    float is given, and ``log10_p`` has the value.

    Raises:
        ValueError: ``confidence`` is not between 0 and 1.
    """
    quantile = normal_quantile(confidence)
    nan = math.nan
    if math.isnan(variance) or math.isnan(difference):
        return Wald(z=nan, p=nan, log10_p=nan, low=nan, high=nan, degenerate=False)
    if variance == 0.0:
        if difference == 0.0:
            return Wald(z=0.0, p=1.0, log10_p=0.0, low=0.0, high=0.0, degenerate=True)
        return Wald(z=nan, p=nan, log10_p=nan, low=nan, high=nan, degenerate=True)
    error = math.sqrt(variance)
    z = difference / error
    half = quantile * error
    p = max(min(2 * float(ndtr(-abs(z))), 1.0), sys.float_info.min)
    log10_p = min((math.log(2) + float(log_ndtr(-abs(z)))) / math.log(10), 0.0)
    return Wald(z=z, p=p, log10_p=log10_p, low=difference - half, high=difference + half, degenerate=False)
