"""Margins: statsmodels' TOST, the interval that says the same, errors that are better when low, and
nothing to test.

The smallest detectable difference: statsmodels' normal power, and bad input.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from kneeoa.errors import KneeoaError
from kneeoa.statistics.equivalence import equivalence, minimal_detectable_difference, non_inferiority


def test_equals_statsmodels_paired_tost() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=40)
    b = a + 0.05 + 0.3 * rng.normal(size=40)
    gaps = a - b
    error = gaps.std(ddof=1) / math.sqrt(40)
    p, lower, upper = ttost_paired(a, b, -0.2, 0.2)
    result = equivalence(gaps.mean(), error, 0.2, df=39)
    assert result.p == pytest.approx(p, rel=1e-10)
    assert result.log10_p == pytest.approx(math.log10(p))
    assert (result.low, result.high) == pytest.approx(DescrStatsW(gaps).tconfint_mean(alpha=0.1))
    assert non_inferiority(gaps.mean(), error, 0.2, df=39).p == pytest.approx(lower[1], rel=1e-10)
    assert non_inferiority(gaps.mean(), error, 0.2, df=39, higher_is_better=False).p == pytest.approx(upper[1], rel=1e-10)


@settings(deadline=None, derandomize=True)
@given(st.floats(-0.2, 0.2), st.floats(0.001, 0.1), st.floats(0.005, 0.1))
def test_p_and_interval_say_the_same(difference: float, error: float, margin: float) -> None:
    both = equivalence(difference, error, margin)
    assert both.established == (-margin < both.low and both.high < margin) or min(abs(both.low + margin), abs(both.high - margin)) < 1e-9
    one = non_inferiority(difference, error, margin)
    assert one.established == (one.low > -margin) or abs(one.low + margin) < 1e-9
    assert one.z == pytest.approx((difference + margin) / error)
    assert both.p >= one.p * 0.999 or difference < 0
    mirrored = equivalence(-difference, error, margin)
    assert (mirrored.p, mirrored.low) == pytest.approx((both.p, -both.high))
    assert non_inferiority(-difference, error, margin, higher_is_better=False).p == pytest.approx(one.p)


def test_far_tails_keep_their_logarithm() -> None:
    result = non_inferiority(0.5, 0.01, 0.1)
    assert 0 < result.p < 1e-300
    assert result.log10_p == pytest.approx(-(60**2) / 2 / math.log(10), rel=0.01)


def test_identical_models_leave_nothing_to_test() -> None:
    for test in (equivalence, non_inferiority):
        result = test(0.0, 0.0, 0.02)
        assert (result.z, result.p, result.low, result.high, result.degenerate, result.established) == (0.0, 1.0, 0.0, 0.0, True, False)
        assert "nothing to test" in result.method
        odd = test(0.01, 0.0, 0.02)
        assert math.isnan(odd.p)
        assert not odd.established
        undefined = test(math.nan, math.nan, 0.02)
        assert math.isnan(undefined.p)
        assert not undefined.established


def test_size_at_the_margin() -> None:
    draws = np.random.default_rng(1).normal(-0.02, 0.01, size=1500)
    rejected = np.mean([non_inferiority(draw, 0.01, 0.02).established for draw in draws])
    assert 0.014 <= rejected <= 0.036


def test_bad_input_is_refused() -> None:
    for arguments, word in (
        ((0.0, 0.1, 0.0), "margin"),
        ((0.0, -0.1, 0.1), "standard_error"),
        ((0.0, 0.1, 0.1, 0.7), "alpha"),
        ((0.0, 0.1, 0.1, 0.05, 0), "df"),
    ):
        with pytest.raises(KneeoaError, match=word):
            equivalence(*arguments)


def test_the_detectable_difference_has_the_power_asked_for() -> None:
    for power in (0.5, 0.8, 0.95):
        gap = minimal_detectable_difference(1 / np.sqrt(50), power)
        assert NormalIndPower(ddof=0).power(gap, 50, 0.05, ratio=0) == pytest.approx(power, abs=1e-4)
    assert minimal_detectable_difference(1.0) == pytest.approx(2.801585218)


@pytest.mark.parametrize(
    ("arguments", "message"), [((0.0,), "standard_error"), ((np.nan,), "standard_error"), ((1.0, 1.0), "power"), ((1.0, 0.8, 0.0), "alpha")]
)
def test_bad_input_of_the_smallest_difference_is_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(KneeoaError, match=message):
        minimal_detectable_difference(*arguments)
