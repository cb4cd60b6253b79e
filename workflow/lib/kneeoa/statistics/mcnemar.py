"""McNemar's test of two accuracies on the same cases; for several cases a subject, Obuchowski 1998; for seeds, of means.

Obuchowski 1998 (Stat Med 17:1495): with d_k the sum over subject k's cases of (a right) - (b right) and K subjects,
chi2 = (K - 1)/K * (sum d)^2 / sum d^2 on one degree of freedom.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom, chi2

from kneeoa.statistics.inputs import Floats, cluster_codes, finite, same_length
from kneeoa.statistics.wald import NOISE

Method = Literal["midp", "exact", "chi2", "edwards"]
EDWARDS_EXACT_BELOW = 25
"""Paper A's rule: the exact test below so many discordant pairs."""


@dataclass(frozen=True)
class McNemarCounts:
    """Result for two discordant counts. ``statistic`` is min(b, c) for exact and mid-p, chi-squared otherwise."""

    b: int
    c: int
    statistic: float
    p: float
    degenerate: bool
    method: str


@dataclass(frozen=True)
class McNemarTest:
    """Paired test of two accuracies; ``difference`` is a - b; b counts a right and b wrong, c the reverse (per-seed mean)."""

    accuracy_a: float
    accuracy_b: float
    difference: float
    b: float
    c: float
    statistic: float
    p: float
    n: int
    degenerate: bool
    method: str


def mcnemar_counts(b: int, c: int, method: Method = "midp") -> McNemarCounts:
    """McNemar's test from the discordant counts; p is 1 and ``degenerate`` True where there is none.

    Args:
        b: pairs where only the first is right.
        c: pairs where only the second is right.
        method: midp: exact minus half the observed table's probability; exact: binomial; chi2: (b-c)^2/(b+c); edwards: exact
            below 25 discordant pairs, else chi-squared with Edwards' continuity correction, (|b-c|-1)^2/(b+c), never below 0.

    Raises:
        ValueError: a negative count or an unknown method.
    """
    if b < 0 or c < 0:
        raise ValueError(f"b, c: counts cannot be negative, got {b} and {c}")
    if method not in ("midp", "exact", "chi2", "edwards"):
        raise ValueError(f"method: expected midp, exact, chi2 or edwards, got '{method}'")
    total, least = b + c, min(b, c)
    if total == 0:
        return McNemarCounts(b, c, 0.0, 1.0, True, method)
    if method == "edwards":
        exact = total < EDWARDS_EXACT_BELOW
        name = f"edwards ({'exact' if exact else 'corrected chi2'})"
    else:
        exact, name = method == "exact", method
    if exact or method == "midp":
        tail = 2.0 * float(binom.cdf(least, total, 0.5))
        p = tail if exact else tail - float(binom.pmf(least, total, 0.5))
        return McNemarCounts(b, c, float(least), _probability(p), False, name)
    correction = 1 if method == "edwards" else 0
    statistic = max(abs(b - c) - correction, 0) ** 2 / total
    return McNemarCounts(b, c, statistic, _probability(float(chi2.sf(statistic, 1))), False, name)


def mcnemar_test(correct_a: ArrayLike, correct_b: ArrayLike, cluster: ArrayLike | None = None, method: Method = "midp") -> McNemarTest:
    """Paired test of accuracy a against accuracy b.

    One model each and independent cases: McNemar by ``method``. Where a subject has several cases, or where several seeds are
    given, Obuchowski's clustered chi-squared replaces it: d_i is the case's mean correctness over the seeds of a minus that
    over the seeds of b, and is summed by subject. Seeds are fixed: only the sampling of subjects counts.

    Args:
        correct_a: whether a is right, 0/1 or bool, ``[n]`` or ``[S, n]`` for S seeds.
        correct_b: as ``correct_a``; its number of seeds may differ.
        cluster: subject of each case, ``[n]``, or None.
        method: of :func:`mcnemar_counts`; not used by the clustered form.

    Raises:
        ValueError: values other than 0 and 1, shapes that disagree, or no cases.
    """
    first, second = _correct(correct_a, "correct_a"), _correct(correct_b, "correct_b")
    count = first.shape[1]
    same_length(count, correct_b=second.T)
    if count == 0:
        raise ValueError("correct_a: no cases")
    accuracy_a, accuracy_b = float(first.mean()), float(second.mean())
    right_a, right_b = first.mean(axis=0), second.mean(axis=0)
    only_a = float((right_a * (1 - right_b)).sum())
    only_b = float((right_b * (1 - right_a)).sum())
    codes = cluster_codes(cluster, count)
    if codes is None and len(first) == len(second) == 1:
        counted = mcnemar_counts(round(only_a), round(only_b), method)
        statistic, p, degenerate, name = counted.statistic, counted.p, counted.degenerate, counted.method
    else:
        delta = right_a - right_b
        statistic, p, degenerate = _clustered(delta if codes is None else np.bincount(codes, weights=delta).astype(np.float64))
        name = "clustered chi2 (Obuchowski 1998)"
    return McNemarTest(accuracy_a, accuracy_b, accuracy_a - accuracy_b, only_a, only_b, statistic, p, count, degenerate, name)


def _clustered(sums: Floats) -> tuple[float, float, bool]:
    """Statistic, p and whether there is no difference at all, from the subjects' sums ``[K]``; NaN for a single subject."""
    exact = np.where(np.abs(sums) <= NOISE, 0.0, sums)  # means over seeds leave rounding noise where nothing differs
    squares = float(exact @ exact)
    if squares == 0.0:
        return 0.0, 1.0, True
    if exact.size < 2:
        return math.nan, math.nan, False
    statistic = (exact.size - 1) / exact.size * float(exact.sum()) ** 2 / squares
    return statistic, _probability(float(chi2.sf(statistic, 1))), False


def _correct(values: ArrayLike, name: str) -> Floats:
    array = np.atleast_2d(finite(values, name))
    if array.ndim != 2 or not np.isin(array, (0.0, 1.0)).all():
        raise ValueError(f"{name}: expected 0 or 1 for each case, shape [cases] or [seeds, cases]")
    return array


def _probability(p: float) -> float:
    """p between the smallest normal float and 1: an underflow must not read as impossible."""
    return min(max(p, sys.float_info.min), 1.0)
