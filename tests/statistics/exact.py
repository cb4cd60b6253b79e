"""Oracles in exact arithmetic: each formula as it is printed, over all pairs, without a sort.
Fractions, and 60 digits for roots.
"""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb

import numpy as np

Rationals = list[Fraction]


def placements(positive: np.ndarray, scores: np.ndarray) -> Rationals:
    """The share of the other class that each case is on the right side of; a tie counts half."""
    values = []
    for mine, score in zip(positive, scores, strict=True):
        others = scores[positive != mine]
        wins = int(((others < score) if mine else (others > score)).sum())
        values.append(Fraction(2 * wins + int((others == score).sum()), 2 * len(others)))
    return values


def auc(positive: np.ndarray, scores: np.ndarray) -> Fraction:
    """Mann and Whitney's share of pairs, a double loop."""
    pairs = [(p, n) for p in scores[positive] for n in scores[~positive]]
    return Fraction(sum(2 * int(p > n) + int(p == n) for p, n in pairs), 2 * len(pairs))


def delong_covariance(positive: np.ndarray, first: np.ndarray, second: np.ndarray) -> Fraction:
    """DeLong 1988: S10/m + S01/n."""
    v, w, a, b = placements(positive, first), placements(positive, second), auc(positive, first), auc(positive, second)
    total = Fraction(0)
    for members in (positive, ~positive):
        count = int(members.sum())
        total += sum((v[i] - a) * (w[i] - b) for i in np.flatnonzero(members)) / (count - 1) / count
    return total


def obuchowski_covariance(positive: np.ndarray, first: np.ndarray, second: np.ndarray, cluster: np.ndarray) -> Fraction:
    """Obuchowski 1997, with the sums of centred placements by cluster and class."""
    names = list(dict.fromkeys(cluster.tolist()))
    m, n = int(positive.sum()), int((~positive).sum())

    def sums(scores: np.ndarray, members: np.ndarray) -> Rationals:
        v, theta = placements(positive, scores), auc(positive, scores)
        return [sum((v[i] - theta for i in np.flatnonzero((cluster == name) & members)), Fraction(0)) for name in names]

    def product(left: Rationals, right: Rationals) -> Fraction:
        return sum((x * y for x, y in zip(left, right, strict=True)), Fraction(0))

    X, Y, Z, W = sums(first, positive), sums(first, ~positive), sums(second, positive), sums(second, ~positive)
    i10, i01, i = len(set(cluster[positive].tolist())), len(set(cluster[~positive].tolist())), len(names)
    within = Fraction(i10, i10 - 1) * product(X, Z) / m**2 + Fraction(i01, i01 - 1) * product(Y, W) / n**2
    return within + Fraction(i, i - 1) * (product(X, W) + product(Y, Z)) / (m * n)


def of_difference(covariance, *models: np.ndarray, **given: np.ndarray) -> Fraction:
    """Variance of the difference of two models under ``covariance(first, second)``: no digit is
    lost to cancellation here.
    """
    a, b = models
    return covariance(first=a, second=a, **given) + covariance(first=b, second=b, **given) - 2 * covariance(first=a, second=b, **given)


def ovr_variance(truth: np.ndarray, a: np.ndarray, b: np.ndarray, shares: Rationals) -> float:
    """Gram variance of the weighted one-vs-rest difference; the roots of m(m - 1) to 60 digits, all
    else exact.
    """
    with localcontext() as context:
        context.prec = 60
        rows = [Decimal(0)] * len(truth)
        for k, share in enumerate(shares):
            positive = truth == k
            v, w = placements(positive, a[:, k]), placements(positive, b[:, k])
            d = auc(positive, a[:, k]) - auc(positive, b[:, k])
            for i, mine in enumerate(positive):
                size = int(positive.sum() if mine else (~positive).sum())
                term = share * (v[i] - w[i] - d)
                rows[i] += Decimal(term.numerator) / Decimal(term.denominator) / Decimal(size * (size - 1)).sqrt()
        return float(sum(row * row for row in rows))


def mcnemar(b: int, c: int, midp: bool) -> Fraction:
    """Two-sided binomial p of min(b, c) or fewer out of b + c, without half the observed table in
    either tail for mid-p.
    """
    total, least = b + c, min(b, c)
    tail = Fraction(2 * sum(comb(total, k) for k in range(least + 1)), 2**total)
    return tail - Fraction(comb(total, least), 2**total) if midp else min(tail, Fraction(1))
