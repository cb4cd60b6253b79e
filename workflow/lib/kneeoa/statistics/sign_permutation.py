"""Sign permutation test of a paired difference: which model is which is exchanged subject by
subject.

Where two models are exchangeable, exchanging their results for any set of subjects is as likely as
what was seen. A difference that is a sum over subjects, D = sum g_k, then has the distribution of
sum e_k g_k with independent fair signs e_k (Fisher 1935, The Design of Experiments, section 21; for
two AUCs Bandos, Rockette and Gur 2005, Stat Med 24:2873). Subjects with several knees are exchanged
whole. As sum g_k^2 stays the same under any signs, the test is that of the studentised sum too, and
so holds its level in large samples where models have equal means and are not exchangeable. With one
case a subject, right or wrong, it is McNemar's exact or mid-p test.

The distribution is computed and not drawn: its characteristic function is prod cos(g_k t), and one
Fourier transform gives all probabilities on a grid. Values that are multiples of one unit, as
differences of counts are, get their exact probabilities; others are rounded to 1/512 of the
distribution's standard deviation, observed sum included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.wald import NOISE

_STEPS = 512
_REACH = 8.0
"""The grid of rounded values ends at so many standard deviations."""
_WHOLE = 1e-9
_MOST_UNITS = 1 << 16
"""Sums of whole units up to this are exact."""
_SMALLEST = 1e-12
"""Probabilities below are lost in the transform's rounding; p is never given below, unless fewer
signs could not reach it.
"""


@dataclass(frozen=True)
class SignTest:
    """``differing``: subjects whose value is not zero. ``smallest_p``: of the most extreme signs,
    what p could be at best. ``critical``: in standard deviations ``sqrt(sum g^2)``, between the
    largest sum that is not significant and the smallest that is; infinite where no sum could be.
    """

    p: float
    differing: int
    smallest_p: float
    critical: float
    degenerate: bool


def sign_test(sums: Floats, confidence: float = 0.95, mid: bool = True) -> SignTest:
    """Two-sided test that the values of subjects are symmetric about zero.

    Args:
        sums: of each subject, ``[K]``; zeros do not matter.
        confidence: 1 - the level at which ``critical`` is taken.
        mid: count half of the probability of the sum itself (mid-p; Fagerland, Lydersen and Laake
            2013, BMC Med Res Methodol 13:91), 1 for a sum of zero; else the exact p.

    Returns:
        p 1 and degenerate where all values are zero.

    Raises:
        KneeoaError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise KneeoaError(f"confidence: expected a number between 0 and 1, got {confidence}.")
    values = sums[np.abs(sums) > NOISE * np.abs(sums).max(initial=0.0)]
    if not values.size:
        return SignTest(1.0, 0, 1.0, math.inf, True)
    whole, deviation = _whole(values)
    mass = _masses(np.abs(whole), deviation)
    at_least = np.cumsum(mass[::-1])[::-1]  # P(|sum| >= t), t = 0, 1, ...
    tails = np.clip(at_least - (0.5 * mass if mid else 0.0), 0.0, 1.0)
    tails[0] = 1.0
    smallest = 2.0 ** (1 - values.size) * (0.5 if mid else 1.0)
    place = min(abs(int(whole.sum())), tails.size - 1)
    most = min(int(np.abs(whole).sum()), tails.size - 1)
    p = smallest if place == most and whole.size < 40 else max(float(tails[place]), min(_SMALLEST, smallest), smallest)
    return SignTest(min(p, 1.0), values.size, smallest, _critical(tails, mass, deviation, 1 - confidence), False)


def _whole(values: Floats) -> tuple[Integers, float]:
    """The values in whole units, and the standard deviation of their signed sum in these units."""
    unit = float(np.abs(values).min())
    ratios = values / unit
    deviation = math.sqrt(float(ratios @ ratios))
    near = np.abs(ratios - np.round(ratios)) <= _WHOLE * np.abs(ratios)
    if not near.all() or np.abs(ratios).sum() > _MOST_UNITS:
        ratios = ratios * (_STEPS / deviation)
        deviation = float(_STEPS)
    return np.round(ratios).astype(np.int64), deviation


def _masses(sizes: Integers, deviation: float) -> Floats:
    """P(|sum| = t) of the signed sum of ``sizes``, for t = 0, 1, ... to the end of the grid."""
    end = int(min(sizes.sum(), _REACH * deviation if deviation == _STEPS else sizes.sum())) + 1
    length = 1 << (2 * end).bit_length()
    levels, counts = np.unique(sizes, return_counts=True)
    angles = np.arange(length // 2 + 1) * (2 * np.pi / length)
    characteristic = np.ones(angles.size)
    for level, count in zip(levels, counts, strict=True):
        characteristic *= np.cos(level * angles) ** count
    density = np.clip(np.fft.irfft(characteristic, length)[:end], 0.0, None)
    density[1:] *= 2.0
    return density / density.sum()


def _critical(tails: Floats, mass: Floats, deviation: float, level: float) -> float:
    """Halfway between the neighbouring sums of which only the larger is significant, in standard
    deviations.
    """
    possible = np.flatnonzero(mass > _SMALLEST)
    significant = possible[tails[possible] < level]
    if not significant.size:
        return math.inf
    first = significant[0]
    return float(possible[possible < first][-1] + first) / 2 / deviation
