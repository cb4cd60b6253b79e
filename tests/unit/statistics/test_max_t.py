"""Max-T against scipy's multivariate normal integral, limits, far tails, singular correlations and
simulated error rates.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from kneeoa.errors import KneeoaError
from kneeoa.statistics.multiplicity import adjust, max_t


def problem(seed: int, m: int, size: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(m, m))
    sigma = factor @ factor.T + 0.2 * np.eye(m)
    return size * rng.normal(size=m) * np.sqrt(np.diag(sigma)), sigma


@pytest.mark.parametrize("m", [2, 3, 6])
def test_equals_the_multivariate_normal_integral(m: int) -> None:
    differences, sigma = problem(m, m)
    found = max_t(differences, sigma)
    correlation = sigma / np.sqrt(np.outer(np.diag(sigma), np.diag(sigma)))
    law = multivariate_normal(cov=correlation, abseps=1e-7, releps=1e-7, maxpts=200_000, seed=0)

    def beyond(limit: float) -> float:
        return float(1 - law.cdf(np.full(m, limit), lower_limit=np.full(m, -limit)))

    assert found.adjusted == pytest.approx([beyond(abs(z)) for z in found.z], rel=0.01, abs=1e-6)  # the integral's own error
    assert beyond(found.critical) == pytest.approx(0.05, rel=0.01)
    error = np.sqrt(np.diag(sigma))
    assert (found.low, found.high) == (
        pytest.approx(differences - found.critical * error),
        pytest.approx(differences + found.critical * error),
    )


def test_independent_tests_are_sidak_and_far_tails_keep_their_digits() -> None:
    differences = np.array([1.0, 2.5, 9.0])
    found = max_t(differences, np.eye(3))
    assert found.adjusted[:2] == pytest.approx(1 - (1 - found.p[:2]) ** 3, rel=0.01)
    assert found.adjusted[2] == pytest.approx(3 * found.p[2], rel=1e-3)
    assert found.adjusted[2] < 1e-17
    assert found.critical == pytest.approx(norm.isf((1 - 0.95 ** (1 / 3)) / 2), abs=0.01)


def test_one_and_the_same_test_needs_no_adjustment() -> None:
    alone = max_t([2.2], [[1.0]])
    assert alone.adjusted[0] == alone.p[0]
    assert alone.critical == pytest.approx(1.959963984540054)
    copies = max_t([2.2, 2.2, -2.2], np.outer([1, 1, -1], [1, 1, -1]))
    assert copies.adjusted == pytest.approx(copies.p, rel=1e-9)
    assert copies.critical == pytest.approx(1.959963984540054)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_bounds_and_symmetries(seed: int, m: int) -> None:
    differences, sigma = problem(seed, m, 2.0)
    single, stepped = max_t(differences, sigma), max_t(differences, sigma, step_down=True)
    assert (single.adjusted >= single.p * (1 - 1e-12)).all()
    assert (single.adjusted <= np.minimum(m * single.p, 1) * (1 + 1e-9)).all()
    assert (stepped.adjusted <= single.adjusted * 1.01).all()
    assert (stepped.adjusted <= adjust(single.p, "holm") * 1.01).all()
    assert (np.diff(single.adjusted[np.argsort(single.p)]) >= 0).all()
    flipped = max_t(-differences, sigma)
    assert flipped.adjusted == pytest.approx(single.adjusted)
    assert max_t(differences, sigma).adjusted.tolist() == single.adjusted.tolist()
    order = np.random.default_rng(seed).permutation(m)
    assert max_t(differences[order], sigma[np.ix_(order, order)]).adjusted == pytest.approx(single.adjusted[order], rel=0.02)


def test_familywise_error_is_held() -> None:
    rng = np.random.default_rng(0)
    sigma = 0.7 + 0.3 * np.eye(5)
    critical = max_t(np.zeros(5), sigma).critical
    draws = rng.multivariate_normal(np.zeros(5), sigma, size=40_000)
    assert (np.abs(draws).max(axis=1) > critical).mean() == pytest.approx(0.05, abs=0.004)
    assert critical < norm.isf(0.005)  # less than Bonferroni asks


def test_undefined_and_degenerate_tests_are_left_out() -> None:
    sigma = np.diag([1.0, 0.0, np.nan, 1.0])
    found = max_t([2.0, 0.0, 1.0, 1.0], sigma)
    assert found.tests == 2
    assert found.adjusted[[0, 3]] == pytest.approx(max_t([2.0, 1.0], np.eye(2)).adjusted)
    assert (found.z[1], found.adjusted[1], found.low[1], found.degenerate) == (0.0, 1.0, 0.0, (False, True, False, False))
    assert math.isnan(found.adjusted[2])
    assert math.isnan(max_t([0.5], [[0.0]]).adjusted[0])
    assert max_t([], np.zeros((0, 0))).tests == 0


def test_bad_input_is_refused() -> None:
    for arguments, word in (
        (([1.0, 2.0], np.eye(3)), "shapes"),
        (([1.0, 2.0], [[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
        (([1.0, np.inf], np.eye(2)), "finite"),
        (([1.0], [[1.0]], 1.0), "confidence"),
    ):
        with pytest.raises(KneeoaError, match=word):
            max_t(*arguments)
