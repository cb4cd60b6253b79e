"""Adjusted p-values against statsmodels; undefined tests do not count.

Max-T against scipy's multivariate normal integral, far tails, singular correlations and
simulated error rates.
"""

import math

import numpy as np
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm
from statsmodels.stats.multitest import multipletests

from kneeoa.errors import InvalidInput, KneeoaError
from kneeoa.statistics.multiplicity import adjust, max_t

P = np.array([0.04, 0.001, 0.2, 0.04, 0.9, 0.012, 0.0003])


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by")])
def test_equals_statsmodels(method: str, name: str) -> None:
    assert adjust(P, method) == pytest.approx(multipletests(P, method=name)[1], abs=1e-15)
    assert adjust(P, method) == pytest.approx(pingouin.multicomp(P, method=name)[1], abs=1e-15)


@pytest.mark.parametrize("method", ["holm", "bh", "by", "none"])
def test_undefined_tests_do_not_count(method: str) -> None:
    holed = np.insert(P, [0, 3, 7], np.nan)
    adjusted = adjust(holed, method)
    assert np.isnan(adjusted[np.isnan(holed)]).all()
    assert adjusted[~np.isnan(holed)] == pytest.approx(adjust(P, method), abs=0)


def test_order_none_and_empty() -> None:
    assert adjust(P[::-1], "bh")[::-1] == pytest.approx(adjust(P, "bh"), abs=0)
    assert adjust(P, "none") == pytest.approx(P, abs=0)
    assert adjust([], "holm").size == 0
    assert np.isnan(adjust([np.nan], "bh")).all()
    assert adjust([0.6, 0.7], "holm").max() == 1.0


def test_bad_input_is_refused() -> None:
    with pytest.raises((KneeoaError, ValueError), match="method"):
        adjust(P, "bonferroni")
    with pytest.raises((KneeoaError, ValueError), match="0 to 1"):
        adjust([0.5, 1.2])


@settings(
    max_examples=12,  # statsmodels collects garbage at each call
    deadline=None,
    derandomize=True,
)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_equals_the_definitions_that_r_uses(values: list[float]) -> None:
    p = np.array(values)
    order, m = np.argsort(p, kind="stable"), p.size
    holm = [max(min(1.0, (m - j) * p[order[j]]) for j in range(i + 1)) for i in range(m)]
    bh = [min(min(1.0, m / (j + 1) * p[order[j]]) for j in range(i, m)) for i in range(m)]
    harmonic = sum(1 / k for k in range(1, m + 1))
    by = [min(min(1.0, harmonic * m / (j + 1) * p[order[j]]) for j in range(i, m)) for i in range(m)]
    for method, expected in (("holm", holm), ("bh", bh), ("by", by)):
        adjusted = adjust(p, method)
        assert adjusted[order] == pytest.approx(expected, abs=1e-14)
        assert (adjusted >= p).all()


def problem(seed: int, m: int, size: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """p-values and the correlation of their statistics."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(m, m))
    sigma = factor @ factor.T + 0.2 * np.eye(m)
    return 2 * norm.sf(np.abs(size * rng.normal(size=m))), sigma / np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))


@pytest.mark.parametrize("m", [2, 3, 6])
def test_equals_the_multivariate_normal_integral(m: int) -> None:
    p, correlation = problem(m, m)
    order = np.argsort(p)
    expected, largest = np.empty(m), 0.0
    for place, test in enumerate(order):  # step-down: tests already looked at leave the maximum
        left, limit = order[place:], float(norm.isf(p[test] / 2))
        law = multivariate_normal(cov=correlation[np.ix_(left, left)], abseps=1e-7, releps=1e-7, maxpts=200_000, seed=0)
        inside = law.cdf(np.full(left.size, limit), lower_limit=np.full(left.size, -limit))
        largest = expected[test] = max(largest, float(1 - inside))
    assert max_t(p, correlation) == pytest.approx(expected, rel=0.01, abs=1e-6)  # the integral's own error


def test_independent_tests_are_sidak_and_far_tails_keep_their_digits() -> None:
    p = 2 * norm.sf([1.0, 2.5, 9.0])
    adjusted = max_t(p, np.eye(3))
    assert adjusted[0] == p[0]
    assert adjusted[1] == pytest.approx(1 - (1 - p[1]) ** 2, rel=0.01)
    assert adjusted[2] == pytest.approx(3 * p[2], rel=1e-3)
    assert adjusted[2] < 1e-17
    assert max_t([0.0, 1.0, 0.5], np.eye(3))[:2].tolist() == [0.0, 1.0]


def test_one_and_the_same_test_needs_no_adjustment() -> None:
    assert max_t([0.03], [[1.0]]).tolist() == [0.03]
    assert max_t([0.03] * 3, np.outer([1, 1, -1], [1, 1, -1])) == pytest.approx([0.03] * 3, rel=1e-9)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_bounds_and_symmetries(seed: int, m: int) -> None:
    p, correlation = problem(seed, m, 2.0)
    adjusted = max_t(p, correlation)
    assert (adjusted >= p).all()
    assert (adjusted <= adjust(p, "holm") * 1.01).all()
    assert (adjusted <= max_t(p, np.eye(m)) * 1.02).all(), "no correlation is on the safe side"
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    assert max_t(p, correlation).tolist() == adjusted.tolist()
    order = np.random.default_rng(seed).permutation(m)
    assert max_t(p[order], correlation[np.ix_(order, order)]) == pytest.approx(adjusted[order], rel=0.02)


def test_familywise_error_is_held() -> None:
    rng = np.random.default_rng(0)
    correlation = 0.7 + 0.3 * np.eye(5)
    draws = rng.multivariate_normal(np.zeros(5), correlation, size=600)
    p = 2 * norm.sf(np.abs(draws))
    least = np.array([max_t(each, correlation).min() for each in p])
    holm = 5 * p.min(axis=1)  # Holm's smallest adjusted p is Bonferroni's
    assert (least < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert (holm < 0.05).mean() < (least < 0.05).mean(), "Holm is more cautious than it need be"


def test_undefined_tests_are_left_out() -> None:
    adjusted = max_t([0.02, math.nan, 0.3], np.eye(3))
    assert adjusted[[0, 2]] == pytest.approx(max_t([0.02, 0.3], np.eye(2)))
    assert math.isnan(adjusted[1])
    assert math.isnan(max_t([math.nan], [[1.0]])[0])
    assert max_t([], np.zeros((0, 0))).size == 0


@pytest.mark.parametrize(
    ("p", "correlation", "word"),
    [([0.1, 0.2], np.eye(3), "shapes"), ([0.1, 0.2], [[1, 0.5], [0, 1]], "symmetric"), ([0.1, 1.2], np.eye(2), "0 to 1")],
)
def test_bad_input_of_max_t_is_refused(p: list[float], correlation: np.ndarray, word: str) -> None:
    with pytest.raises(InvalidInput, match=word):
        max_t(p, correlation)
