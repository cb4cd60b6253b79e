"""Sign permutation test of a paired difference: which model is which is exchanged subject by
subject.

Where two models are exchangeable, exchanging their results for any set of subjects is as likely as
what was seen. A difference that is a sum over subjects, D = sum g_k, then has the distribution of
sum e_k g_k with independent fair signs e_k (Fisher 1935, The Design of Experiments, section 21; for
two AUCs Bandos, Rockette and Gur 2005, Stat Med 24:2873). Subjects with several knees are exchanged
whole. As sum g_k^2 stays the same under any signs, the test is that of the studentised sum too, and
so holds its level in large samples where models have equal means and are not exchangeable. With one
case a subject, right or wrong, it is McNemar's exact or mid-p test.

The distribution is computed and not drawn: up to 12 values from all signs, more by one Fourier
transform of the characteristic function prod cos(g_k t). Values that are multiples of one unit, as
differences of counts are, get their exact probabilities; others are rounded to 1/256 of the
distribution's standard deviation, those of the observed sum too.

Two models' scores need not have one scale, so of an AUC it is ranks that are exchanged. A model's
ranks have the same sum in every sample, which the exchanged ones need not have: they cost a degree
of freedom. Of K subjects the parts' sum of squares is (K - 1)/K of the difference's variance on
average (measured for K from 16 to 60), so the sum is compared at sqrt((K - 1)/K) of itself.

Where there are enough subjects, a test that rests on the normal distribution serves. What counts is
less their number than how many the difference comes from: with three cases of a grade, an average
over grades is a matter of three subjects, whatever their total. The effective number (sum g^2)^2 /
sum g^4 of the subjects' parts g of a difference is the number of subjects where all have an equal
part, and near the number of those that dominate where few do (Kish 1965, Survey Sampling, for
weights).
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from kneeoa.errors import InvalidInput
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.wald import NOISE, normal_quantile

_STEPS = 256
_REACH = 7.9
"""The grid of rounded values ends at so many standard deviations."""
_WHOLE = 1e-9
_DRAWN, _BLOCKS, _SEED = 9_900, 9, 20071
"""Random sets of signs for several sums at once, in how many blocks, and from which seed."""
_FEW = 12
"""Up to so many values all signs are tried."""
_MOST_UNITS = 1 << 16
"""Sums of whole units up to this are exact."""
_SMALLEST = 1e-12
"""Probabilities below are lost in the transform's rounding: p is then the normal one, at most
this.
"""

LEAST: dict[str, float] = {"delong": 6.0, "delta": 15.0, "bootstrap": 15.0, "mcnemar": 15.0, "seeds": 6.0}
"""Test -> the effective number below which it is not used. Below, the normal and bootstrap tests do
not hold their level: at 5 % they reject up to 27 % (balanced accuracy, three cases of a class);
above, about 5 % (docs/benchmarks.md). DeLong's does with fewer, as a case's placement is no
yes or no.
"""
MIN_SUBJECTS: dict[str, int] = {"delong": 40}
"""Test -> the number of subjects below which it is not used, whatever their effective number: of 18
subjects, DeLong's test of a macro AUC rejects 7 %, of 30 a little above 6 (docs/benchmarks.md).
"""


def effective_number(sums: Floats) -> float:
    """The effective number of subjects behind a difference, from their parts ``[K]``; 0 where all
    are zero.
    """
    squares = sums**2
    fourth = float(squares @ squares)
    return float(squares.sum()) ** 2 / fourth if fourth > 0.0 else 0.0


def lack_of_subjects(test: str, subjects: int, effective: float) -> str:
    """Say by which number ``test`` is not used, of so many subjects and so large an effective
    number; empty where it is.
    """
    if effective < LEAST[test]:
        return f"effective number {effective:.1f}, below {LEAST[test]:g}"
    least = MIN_SUBJECTS.get(test, 0)
    return f"{subjects}, below {least}" if subjects < least else ""


@dataclass(frozen=True)
class SignTest:
    """``z``: the sum in standard deviations, ``sum g / sqrt(sum g^2)``. ``critical``: the normal
    quantile, moved as little as makes ``|z| > critical`` say what p says: between the largest z
    that is not significant and the smallest that is; of ranks over ``sqrt((K - 1)/K)``.
    ``differing``: subjects whose value is not zero; ``smallest_p``: what p could be at best, were
    all of one sign.
    """

    z: float
    p: float
    critical: float
    differing: int
    smallest_p: float
    degenerate: bool


def sign_test(sums: Floats, confidence: float = 0.95, mid: bool = True, rankings: int = 0) -> SignTest:
    """Two-sided test that the values of subjects are symmetric about zero.

    Args:
        sums: of each subject, ``[K]``; zeros do not matter but for ``rankings``.
        confidence: 1 - the level at which ``critical`` is taken.
        mid: count half of the probability of the sum itself (mid-p; Fagerland, Lydersen and Laake
            2013, BMC Med Res Methodol 13:91), 1 for a sum of zero; else the exact p.
        rankings: how many degrees of freedom of the K went into ranks: 0 where the sums are not of
            ranks, 1 where the subjects were ranked together, 2 where in two groups.

    Returns:
        p 1 and degenerate where all values are zero.

    Raises:
        InvalidInput: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise InvalidInput(f"confidence: expected a number between 0 and 1, got {confidence}.")
    values = sums[np.abs(sums) > NOISE * np.abs(sums).max(initial=0.0)]
    if not values.size:
        return SignTest(0.0, 1.0, normal_quantile(confidence), 0, 1.0, True)
    deviation, kept = math.sqrt(float(values @ values)), share_kept(sums.size, rankings)
    total = abs(float(values.sum())) * kept
    sizes, mass = _enumerated(values) if values.size <= _FEW else _transformed(values, deviation)
    at_least = np.cumsum(mass[::-1])[::-1]
    tails = np.clip(at_least - (0.5 * mass if mid else 0.0), 0.0, 1.0)
    tails[sizes == 0.0] = 1.0
    p = float(tails[np.abs(sizes - _placed(values, kept, deviation)).argmin()])
    smallest = max(2.0 ** (1 - values.size) * (0.5 if mid else 1.0), sys.float_info.min)
    if p < _SMALLEST:  # the transform has no more digits
        p = min(_SMALLEST, 2 * float(ndtr(-total / deviation)))
    p = min(max(p, smallest), 1.0)
    critical = _critical(sizes / deviation, tails, confidence)
    if (p < 1 - confidence) != (total / deviation > critical):  # rounded values beside the critical one
        critical = total / deviation * (1 - _WHOLE if p < 1 - confidence else 1 + _WHOLE)
    return SignTest(float(values.sum()) / deviation, p, critical / kept, values.size, smallest, False)


def share_kept(subjects: int, rankings: int) -> float:
    """The share of a sum of ranks' parts at which it is compared with what signs could make of
    them.
    """
    return math.sqrt(max(subjects - rankings, 1) / subjects)


@dataclass(frozen=True)
class JointSignTest:
    """``statistic``: of all sums together, on ``df`` directions; ``drawn`` sets of signs were
    tried; ``differing`` and ``smallest_p`` as in :class:`SignTest`.
    """

    statistic: float
    df: int
    p: float
    drawn: int
    differing: int
    smallest_p: float


def joint_sign_test(sums: Floats, rankings: int = 0) -> JointSignTest:
    """Test that several sums over the same subjects are zero together, by random signs of whole
    subjects from a fixed seed: p = (1 + those at least as far from zero) / (1 + drawn).

    How far is the quadratic form of the sums by sum_k g_k g_k', which no signs change. Sums that
    are a difference in one group less that in another may be tested so too: where the groups'
    differences are equal and not zero, sum g g' is larger than their variance, and the test errs on
    the safe side.

    Args:
        sums: of each of q sums the subjects' values, ``[q, K]``; not all zero.
        rankings: as of :func:`sign_test`, of all groups together.
    """
    values = sums[:, np.abs(sums).max(axis=0) > NOISE * np.abs(sums).max(initial=0.0)]
    spread, axes = np.linalg.eigh(values @ values.T)
    used = spread > 1e-10 * spread[-1]
    scaled = (axes[:, used] / np.sqrt(spread[used])).T @ values
    statistic = float((scaled.sum(axis=1) ** 2).sum()) * share_kept(sums.shape[1], rankings) ** 2
    generator, beyond = np.random.default_rng(_SEED), 0
    for _ in range(_BLOCKS):
        signs = 2.0 * generator.integers(0, 2, size=(_DRAWN // _BLOCKS, values.shape[1])) - 1.0
        beyond += int((((signs @ scaled.T) ** 2).sum(axis=1) >= statistic * (1 - _WHOLE)).sum())
    smallest = max(2.0 ** (1 - values.shape[1]), 1 / (1 + _DRAWN))
    return JointSignTest(statistic, int(used.sum()), (1 + beyond) / (1 + _DRAWN), _DRAWN, values.shape[1], smallest)


def _enumerated(values: Floats) -> tuple[Floats, Floats]:
    """The possible |sum| of signed values, ascending, and their probabilities, from all signs."""
    signs = 1 - 2 * ((np.arange(2 ** (values.size - 1))[:, None] >> np.arange(values.size)) & 1)
    sums = np.sort(np.abs(signs @ values))
    fresh = np.append(True, np.diff(sums) > _WHOLE * np.abs(values).sum())
    sizes = np.where(sums[fresh] > _WHOLE * np.abs(values).sum(), sums[fresh], 0.0)
    return sizes, np.bincount(np.cumsum(fresh) - 1) / sums.size


def _unit(values: Floats, deviation: float) -> tuple[float, bool]:
    """The step of the grid, and whether every value is a whole number of steps."""
    least = float(np.abs(values).min())
    ratios = values / least
    whole = np.abs(ratios - np.round(ratios)) <= _WHOLE * np.abs(ratios)
    exact = bool(whole.all()) and float(np.abs(ratios).sum()) <= _MOST_UNITS
    return (least, True) if exact else (deviation / _STEPS, False)


def _placed(values: Floats, kept: float, deviation: float) -> float:
    """The observed |sum|, ``kept`` of it, as :func:`_enumerated` or :func:`_transformed` has it."""
    if values.size <= _FEW:
        return abs(float(values.sum())) * kept
    unit, _ = _unit(values, deviation)
    return abs(float(np.round(values / unit).sum())) * unit * kept


def _transformed(values: Floats, deviation: float) -> tuple[Floats, Floats]:
    """The possible |sum| of signed values on the grid, ascending, and their probabilities, by
    Fourier transform.
    """
    unit, exact = _unit(values, deviation)
    steps = np.abs(np.round(values / unit)).astype(np.int64)
    end = int(steps.sum() if exact else min(int(steps.sum()), _REACH * _STEPS)) + 1
    length = 1 << (2 * end).bit_length()
    levels, counts = np.unique(steps, return_counts=True)
    angles = np.arange(length)
    cosines = np.cos(angles * (2 * np.pi / length))
    characteristic = np.ones(length // 2 + 1)
    for level, count in zip(levels, counts, strict=True):
        factor = cosines[(level * angles[: characteristic.size]) & (length - 1)]
        characteristic *= factor if count == 1 else factor**count
    mass = np.clip(np.fft.irfft(characteristic, length)[:end], 0.0, None)
    mass[1:] *= 2.0
    possible = mass > _SMALLEST / end
    sizes: Floats = np.flatnonzero(possible).astype(np.float64) * unit
    shares: Floats = mass[possible].astype(np.float64) / float(mass.sum())
    return sizes, shares


def _critical(sizes: Floats, tails: Floats, confidence: float) -> float:
    """The normal quantile where it parts the |z| that are significant from those that are not, else
    a value that does.
    """
    significant = tails < 1 - confidence
    first = int(significant.argmax()) if significant.any() else sizes.size
    below = float(sizes[first - 1]) if first else 0.0
    above = float(sizes[first]) if first < sizes.size else math.inf
    quantile = normal_quantile(confidence)
    if below < quantile < above:
        return quantile
    return below * (1 + _WHOLE) if math.isinf(above) else (below + above) / 2
