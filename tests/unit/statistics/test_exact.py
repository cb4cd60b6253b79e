"""Estimates, variances and p against exact arithmetic, to 1e-12, on small cases with ties,
imbalance and clusters.
"""

import itertools
import math
import operator
from fractions import Fraction
from functools import partial

import numpy as np
import pytest

from kneeoa.statistics.delong import auc_covariance, auc_interval, delong_test
from kneeoa.statistics.mcnemar import mcnemar_counts, mcnemar_test
from kneeoa.statistics.mean_auc import ovr_auc_test
from tests.statistics import exact

CLOSE = partial(pytest.approx, rel=1e-12, abs=1e-15)


def small(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Truth, two models and subjects of 8 to 40 cases; even seeds have coarse ties, every third is
    imbalanced.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 41))
    truth = rng.random(n) < (0.15 if seed % 3 == 0 else 0.5)
    truth[:2], truth[2:4] = True, False
    decimals = 0 if seed % 2 == 0 else 6
    a, b = (np.round(truth * shift + rng.normal(size=n), decimals) for shift in (1.0, 0.5))
    cluster = rng.integers(0, max(n // 2, 4), size=n)
    cluster[:4] = [0, 1, 0, 1]  # two subjects hold both classes
    return truth, a, b, cluster


@pytest.mark.parametrize("seed", range(20))
def test_delong(seed: int) -> None:
    truth, a, b, _ = small(seed)
    difference = exact.auc(truth, a) - exact.auc(truth, b)
    variance = exact.of_difference(exact.delong_covariance, a, b, positive=truth)
    result, both = delong_test(truth, a, b), auc_covariance(truth, np.column_stack([a, b]))
    assert result.estimate_a == CLOSE(float(exact.auc(truth, a)))
    assert result.difference == CLOSE(float(difference))
    assert result.variance == CLOSE(float(variance))
    assert result.z == pytest.approx(float(difference) / math.sqrt(variance), rel=1e-12, abs=1e-12)
    assert both.covariance[0, 1] == CLOSE(float(exact.delong_covariance(truth, a, b)))
    assert auc_interval(truth, b).variance == CLOSE(float(exact.delong_covariance(truth, b, b)))


@pytest.mark.parametrize("seed", range(20))
def test_clusters(seed: int) -> None:
    truth, a, b, cluster = small(seed)
    variance = exact.of_difference(exact.obuchowski_covariance, a, b, positive=truth, cluster=cluster)
    assert delong_test(truth, a, b, cluster).variance == CLOSE(float(variance))
    covariance = auc_covariance(truth, np.column_stack([a, b]), cluster).covariance
    assert covariance[0, 1] == CLOSE(float(exact.obuchowski_covariance(truth, a, b, cluster)))
    assert covariance[1, 1] == CLOSE(float(exact.obuchowski_covariance(truth, b, b, cluster)))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_one_vs_rest(seed: int, average: str) -> None:
    rng = np.random.default_rng(seed)
    n, classes = int(rng.integers(12, 31)), 3 + seed % 3
    truth = np.concatenate([np.repeat(np.arange(classes), 2), rng.integers(0, classes, size=n - 2 * classes)])
    a, b = (np.round(np.eye(classes)[truth] + rng.normal(size=(n, classes)), seed % 2 * 5) for _ in range(2))
    shares = [Fraction(1, classes) if average == "macro" else Fraction(int((truth == k).sum()), n) for k in range(classes)]
    result = ovr_auc_test(truth, a, b, average)
    columns = [exact.auc(truth == k, a[:, k]) - exact.auc(truth == k, b[:, k]) for k in range(classes)]
    assert result.difference == CLOSE(float(sum(share * value for share, value in zip(shares, columns, strict=True))))
    assert result.variance == CLOSE(exact.ovr_variance(truth, a, b, shares))


@pytest.mark.parametrize(("b", "c"), [(0, 1), (1, 1), (8, 6), (0, 12), (25, 40), (300, 200), (499, 500), (40, 900)])
def test_mcnemar(b: int, c: int) -> None:
    for method, midp in (("exact", False), ("midp", True)):
        expected = exact.mcnemar(b, c, midp)
        result = mcnemar_counts(b, c, method)
        assert result.p == pytest.approx(float(expected), rel=1e-11)
        assert result.log10_p == pytest.approx(math.log10(expected.numerator) - math.log10(expected.denominator), rel=1e-11, abs=1e-11)


def test_mcnemar_in_clusters() -> None:
    rng = np.random.default_rng(0)
    right_a, right_b = rng.integers(0, 2, size=(2, 30))
    cluster = rng.integers(0, 12, size=30)
    sums = [Fraction(int((right_a - right_b)[cluster == k].sum())) for k in sorted(set(cluster.tolist()))]
    count = len(sums)
    statistic = Fraction(count - 1, count) * sum(sums) ** 2 / sum(one**2 for one in sums)
    signed = [abs(sum(sign * one for sign, one in zip(signs, sums, strict=True))) for signs in itertools.product((-1, 1), repeat=count)]
    larger, equal = (sum(compare(each, abs(sum(sums))) for each in signed) for compare in (operator.gt, operator.eq))
    result = mcnemar_test(right_a, right_b, cluster)
    assert result.statistic == CLOSE(float(statistic))
    assert result.p == CLOSE(float(Fraction(2 * larger + equal, 2 * len(signed))))
    assert result.low < result.difference < result.high
    assert (result.low > 0 or result.high < 0) == (result.p < 0.05)
    assert (result.n, result.subjects) == (30, count)
