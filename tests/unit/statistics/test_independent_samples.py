"""Differences of independent samples, against exact arithmetic, published examples and brute
force.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import norm

from kneeoa.statistics.independent_samples import compare_sampled, compare_shares, share_influence, standardised_share
from kneeoa.statistics.influence_functions import covariance, of_mean


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((48, 80), (56, 70), -0.3339, -0.0524),  # Newcombe 1998, Stat Med 17:873, table II, method 10, of 56/70 - 48/80
        ((3, 10), (9, 10), -0.8090, -0.1705),
        ((7, 84), (6, 34), None, None),
        ((0, 20), (10, 10), -1.0, None),
    ],
)
def test_newcombes_own_examples(first: tuple[int, int], second: tuple[int, int], low: float | None, high: float | None) -> None:
    test = compare_shares((second[0] / second[1], second[1]), (first[0] / first[1], first[1]), 0.95)
    if low is not None:
        assert test.low == pytest.approx(low, abs=6e-5)
    if high is not None:
        assert test.high == pytest.approx(high, abs=6e-5)
    assert test.low <= first[0] / first[1] - second[0] / second[1] <= test.high


def wilson_of(share: float, size: float, z: float) -> tuple[float, float]:
    """The roots of (p - share)^2 = z^2 p (1 - p) / size."""
    roots = np.roots([1 + z * z / size, -(2 * share + z * z / size), share * share])
    return float(roots.min()), float(roots.max())


def test_p_is_the_error_at_which_the_interval_ends_at_zero() -> None:
    first, second = (0.4, 55.5), (0.6, 31.25)
    test = compare_shares(first, second, 0.95)
    z = norm.isf(test.p / 2)
    limits = [wilson_of(share, size, z) for share, size in (first, second)]
    assert math.hypot(0.6 - limits[1][0], limits[0][1] - 0.4) == pytest.approx(0.2, abs=1e-10)
    assert test.z == pytest.approx(z)
    swapped = compare_shares(second, first, 0.95)
    assert (swapped.z, swapped.p) == pytest.approx((-test.z, test.p))
    assert (swapped.low, swapped.high) == pytest.approx((-test.high, -test.low))
    for confidence in (0.8, 1 - test.p + 1e-6, 1 - test.p - 1e-6, 0.999):
        at = compare_shares(first, second, confidence)
        assert (at.low > 0) == (test.p < 1 - confidence)


def test_shares_at_the_ends_have_an_interval_and_equal_ones_no_difference() -> None:
    same = compare_shares((1.0, 20.0), (1.0, 35.0), 0.95)
    assert (same.z, same.p) == (0.0, 1.0)
    assert same.low < 0 < same.high
    apart = compare_shares((0.0, 400.0), (1.0, 400.0), 0.95)
    assert 0 < apart.p < 1e-50
    assert 0.98 < apart.low < 1.0 == apart.high
    beyond = compare_shares((0.0, 1e9), (1.0, 1e9), 0.95)
    assert 0 < beyond.p < 1e-300
    assert math.isnan(compare_shares((math.nan, 0.0), (0.5, 3.0), 0.95).p)


def test_the_variance_of_a_difference_is_the_sum() -> None:
    draws = np.random.default_rng(1)
    first, second = draws.random(60), draws.random(45)
    codes = [np.arange(60) // 3, np.arange(45) // 3]
    variance, test = compare_sampled((of_mean(first), codes[0]), (of_mean(second), codes[1]), 0.9)
    parts = [float(covariance([of_mean(values)], code)[0, 0]) for values, code in ((first, codes[0]), (second, codes[1]))]
    assert variance == pytest.approx(sum(parts), rel=1e-12)
    assert test.z == pytest.approx((second.mean() - first.mean()) / math.sqrt(sum(parts)), rel=1e-12)


def test_standardisation_in_exact_fractions() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    right = np.array([1, 0, 1, 1, 0, 1.0])
    shares = [Fraction(1, 5), Fraction(1, 2), Fraction(3, 10)]
    exact = sum(share * value for share, value in zip(shares, [Fraction(2, 3), Fraction(1, 2), Fraction(1)], strict=True))
    sampled = standardised_share(right, truth, np.array([float(share) for share in shares]))
    assert sampled.value == pytest.approx(float(exact), rel=1e-15)
    assert abs(sampled.influence.sum()) < 1e-15
    assert math.isnan(standardised_share(right, truth, np.array([0.2, 0.3, 0.2, 0.3])).value)
    none = standardised_share(right, truth, np.array([0.4, 0.3, 0.3, 0.0]))
    assert none.value == pytest.approx(0.4 * 2 / 3 + 0.3 * 0.5 + 0.3)


def test_influences_are_the_derivatives_by_a_cases_weight() -> None:
    """The infinitesimal jackknife: a case counts a little more, and the value moves by its
    influence.
    """
    draws = np.random.default_rng(3)
    truth, right, weights = draws.integers(0, 3, 40), draws.random(40), np.array([0.3, 0.1, 0.6])
    shares = np.array([0.5, 0.2, 0.3])

    def value(case_weights: np.ndarray) -> tuple[float, float]:
        of_class = [np.average(right[truth == k], weights=case_weights[truth == k]) for k in range(3)]
        return float(shares @ of_class), float(np.average(weights[truth], weights=case_weights))

    samples = (standardised_share(right, truth, shares), share_influence(truth, weights))
    step = 1e-6
    for case in range(40):
        up = np.ones(40)
        up[case] += step
        moved = value(up)
        for sampled, after in zip(samples, moved, strict=True):
            assert (after - sampled.value) / step == pytest.approx(sampled.influence[case], abs=1e-6)
