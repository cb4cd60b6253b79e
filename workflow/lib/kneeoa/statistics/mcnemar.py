"""McNemar's test of two accuracies on the same cases; for several cases a subject, and for means
over seeds, the same test of subjects' sums.

Mid-p: Fagerland, Lydersen and Laake 2013 (BMC Med Res Methodol 13:91). With d_k the sum over
subject k's cases of (a right) - (b right), the exact and mid-p tests of subjects give each d_k a
fair sign (:mod:`kneeoa.statistics.sign_permutation`), which with one case a subject is McNemar's
binomial; chi-squared for K subjects is Obuchowski 1998's (Stat Med 17:1495), (K - 1)/K * (sum d)^2
/ sum d^2 on one degree of freedom, for many discordant subjects: of four, all of one sign, it
rejects at 5 %, which chance does in 12.5 %.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from scipy.stats import beta, binom, chi2, norm

from kneeoa.statistics.inputs import Floats, cluster_codes, finite, same_length
from kneeoa.statistics.score_intervals import paired_interval
from kneeoa.statistics.sign_permutation import effective_number, sign_test
from kneeoa.statistics.wald import NOISE

Method = Literal["midp", "exact", "chi2", "edwards"]
EDWARDS_EXACT_BELOW = 25
"""Paper A's rule: the exact test below so many discordant pairs."""


@dataclass(frozen=True)
class McNemarCounts:
    """Result for two discordant counts. ``statistic`` is min(b, c) for exact and mid-p, chi-squared
    otherwise.

    ``odds_ratio`` is b/c with its exact (Clopper-Pearson) interval; infinite where c is 0, NaN
    where both are.
    """

    b: int
    c: int
    odds_ratio: float
    low: float
    high: float
    statistic: float
    p: float
    log10_p: float
    degenerate: bool
    method: str


@dataclass(frozen=True)
class McNemarTest:
    """Paired test of two accuracies; b counts a right and b wrong, c the reverse (per-seed mean).

    ``difference`` is a - b, and (low, high) its score interval, which excludes 0 where p is below 1
    - confidence (chi2, edwards: where that of their exact or mid-p form is). ``statistic`` is, with
    several cases a subject or seeds, Obuchowski's chi-squared, whatever p is taken from.
    ``degenerate``: no subject in whom the models differ.
    """

    accuracy_a: float
    accuracy_b: float
    difference: float
    low: float
    high: float
    b: float
    c: float
    statistic: float
    p: float
    log10_p: float
    n: int
    subjects: int
    degenerate: bool
    method: str


def mcnemar_counts(b: int, c: int, method: Method = "midp", confidence: float = 0.95) -> McNemarCounts:
    """McNemar's test from the discordant counts; p is 1 and ``degenerate`` True where there is
    none.

    Args:
        b: pairs where only the first is right.
        c: pairs where only the second is right.
        method: midp: exact minus the observed table's probability, 1 where b = c; exact: binomial;
            chi2: (b-c)^2/(b+c); edwards: exact below 25 discordant pairs, else chi-squared with
            Edwards' continuity correction, (|b-c|-1)^2/(b+c), never below 0.
        confidence: of the interval of the odds ratio.

    Raises:
        ValueError: a negative or fractional count, an unknown method, or a confidence that is not
            between 0 and 1.
    """
    if b < 0 or c < 0 or b != int(b) or c != int(c):
        raise ValueError(f"b, c: counts are whole and cannot be negative, got {b} and {c}")
    if method not in ("midp", "exact", "chi2", "edwards"):
        raise ValueError(f"method: expected midp, exact, chi2 or edwards, got '{method}'")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    total, least = int(b + c), int(min(b, c))
    if total == 0:
        return McNemarCounts(0, 0, math.nan, math.nan, math.nan, 0.0, 1.0, 0.0, True, method)
    exact = method == "exact" or (method == "edwards" and total < EDWARDS_EXACT_BELOW)
    if exact or method == "midp":
        statistic = float(least)
        p, log10_p = _binomial(least, total, midp=not exact)
    else:
        statistic = max(abs(b - c) - (1 if method == "edwards" else 0), 0) ** 2 / total
        p, log10_p = _chi2(statistic)
    name = f"edwards ({'exact' if exact else 'corrected chi2'})" if method == "edwards" else method
    low, high = _odds_limits(int(b), int(c), confidence)
    return McNemarCounts(int(b), int(c), b / c if c else math.inf, low, high, statistic, p, log10_p, False, name)


def mcnemar_test(
    correct_a: ArrayLike,
    correct_b: ArrayLike,
    cluster: ArrayLike | None = None,
    method: Method = "midp",
    confidence: float = 0.95,
) -> McNemarTest:
    """Paired test of accuracy a against accuracy b.

    One model each and independent cases: McNemar by ``method``. Where a subject has several cases,
    or where several seeds are given, d_i is the case's mean correctness over the seeds of a minus
    that over the seeds of b, and is summed by subject; ``method`` is then that of the subjects'
    sums: midp and exact by sign permutation, chi2 by Obuchowski 1998, edwards exact below 25
    discordant subjects, else chi-squared. The result's ``method`` says which. Seeds are fixed: only
    the sampling of subjects counts.

    Args:
        correct_a: whether a is right, 0/1 or bool, ``[n]`` or ``[S, n]`` for S seeds.
        correct_b: as ``correct_a``; its number of seeds may differ.
        cluster: subject of each case, ``[n]``, or None.
        method: of :func:`mcnemar_counts`.
        confidence: of the interval of the difference.

    Raises:
        ValueError: values other than 0 and 1, shapes that disagree, or no cases.
    """
    first, second = _correct(correct_a, "correct_a"), _correct(correct_b, "correct_b")
    count = first.shape[1]
    same_length(count, correct_b=second.T)
    if count == 0:
        raise ValueError("correct_a: no cases")
    right_a, right_b = first.mean(axis=0), second.mean(axis=0)
    delta = right_a - right_b
    delta[np.abs(delta) <= NOISE] = 0.0  # means over seeds leave rounding noise where nothing differs
    only_a = float((right_a * (1 - right_b)).sum())
    only_b = float((right_b * (1 - right_a)).sum())
    codes = cluster_codes(cluster, count)
    sums: Floats = delta if codes is None else np.bincount(codes, weights=delta).astype(np.float64)
    sums = np.where(np.abs(sums) <= NOISE, 0.0, sums)
    if codes is None and len(first) == len(second) == 1:
        counted = mcnemar_counts(round(only_a), round(only_b), method)
        statistic, p, log10_p, name = counted.statistic, counted.p, counted.log10_p, counted.method
    else:
        statistic, p, log10_p, name = _of_subjects(sums, method)
    low, high = _interval(delta, sums, method, confidence)
    return McNemarTest(
        accuracy_a=float(first.mean()),
        accuracy_b=float(second.mean()),
        difference=float(delta.mean()),
        low=low,
        high=high,
        b=only_a,
        c=only_b,
        statistic=statistic,
        p=p,
        log10_p=log10_p,
        n=count,
        subjects=sums.size,
        degenerate=not sums.any(),
        method=name,
    )


def _of_subjects(sums: Floats, method: Method) -> tuple[float, float, float, str]:
    """Obuchowski's statistic, p, log10 p and the name of the test of the subjects' sums ``[K]``; 0,
    1, 0 where all are zero, NaN for a single subject.
    """
    squares, discordant = float(sums @ sums), int(np.count_nonzero(sums))
    exact = method == "exact" or (method == "edwards" and discordant < EDWARDS_EXACT_BELOW)
    kind = "exact" if exact else "midp" if method == "midp" else "clustered chi2"
    name = f"{kind} by subject (Obuchowski 1998)" if "chi2" in kind else f"{kind} by subject (signs of Obuchowski 1998's sums)"
    name = f"edwards ({name})" if method == "edwards" else name
    if squares == 0.0:
        return 0.0, 1.0, 0.0, name
    if sums.size < 2:
        return math.nan, math.nan, math.nan, name
    statistic = (sums.size - 1) / sums.size * float(sums.sum()) ** 2 / squares
    if "chi2" in kind:
        return statistic, *_chi2(statistic), name
    signs = sign_test(sums, mid=not exact)
    tail = (math.log(2) + float(norm.logsf(abs(signs.z)))) / math.log(10)  # the normal one, where p is no float
    return statistic, signs.p, math.log10(signs.p) if signs.p > sys.float_info.min else tail, name


def _interval(delta: Floats, sums: Floats, method: Method, confidence: float) -> tuple[float, float]:
    """The score interval of the mean of ``delta``; [0, 0] where no subject differs, NaN for one
    subject.
    """
    if sums.size < 2:
        return math.nan, math.nan
    if not sums.any():
        return 0.0, 0.0
    signs = sign_test(sums, confidence, mid=method in ("midp", "chi2"))
    return paired_interval(delta / delta.size, sums / delta.size, signs.critical, effective_number(sums))


def _binomial(least: int, total: int, midp: bool) -> tuple[float, float]:
    """Two-sided p of a fair coin and its log10; where p underflows, the log from a sum of
    logarithms.
    """
    p = 2.0 * float(binom.cdf(least, total, 0.5)) - (float(binom.pmf(least, total, 0.5)) if midp else 0.0)
    if p > sys.float_info.min:
        return min(p, 1.0), min(math.log10(p), 0.0)
    logs = binom.logpmf(np.arange(least + 1), total, 0.5) + math.log(2)
    logs[-1] -= math.log(2) if midp else 0.0
    return sys.float_info.min, float(logsumexp(logs)) / math.log(10)


def _chi2(statistic: float) -> tuple[float, float]:
    """P of chi-squared on one degree of freedom, never below the smallest normal float, and its
    log10.
    """
    log10_p = (math.log(2) + float(norm.logsf(math.sqrt(statistic)))) / math.log(10)
    return min(max(float(chi2.sf(statistic, 1)), sys.float_info.min), 1.0), min(log10_p, 0.0)


def _odds_limits(b: int, c: int, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson limits of the share b/(b + c), as odds."""
    tail = (1 - confidence) / 2
    low = float(beta.ppf(tail, b, c + 1)) if b else 0.0
    high = float(beta.ppf(1 - tail, b + 1, c)) if c else 1.0
    return low / (1 - low), high / (1 - high) if c else math.inf


def _correct(values: ArrayLike, name: str) -> Floats:
    array = np.atleast_2d(finite(values, name))
    if array.ndim != 2 or not np.isin(array, (0.0, 1.0)).all():
        raise ValueError(f"{name}: expected 0 or 1 for each case, shape [cases] or [seeds, cases]")
    return array
