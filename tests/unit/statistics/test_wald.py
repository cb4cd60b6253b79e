"""The normal test of a difference against scipy, and its undefined and degenerate forms."""

import math

import pytest
from scipy.stats import norm

from kneeoa.statistics.wald import wald


@pytest.mark.parametrize(("difference", "variance"), [(0.03, 0.0004), (-0.2, 0.01), (0.0, 0.5)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_equals_the_normal_distribution(difference: float, variance: float, confidence: float) -> None:
    result = wald(difference, variance, confidence)
    z = difference / math.sqrt(variance)
    low, high = norm.interval(confidence, difference, math.sqrt(variance))
    assert (result.z, result.p, result.low, result.high) == pytest.approx((z, 2 * norm.sf(abs(z)), low, high))
    assert result.log10_p == pytest.approx(math.log10(result.p), abs=1e-15)
    assert not result.degenerate


def test_equal_models() -> None:
    result = wald(0.0, 0.0, 0.95)
    assert (result.z, result.p, result.log10_p, result.low, result.high, result.degenerate) == (0.0, 1.0, 0.0, 0.0, 0.0, True)


def test_a_difference_without_variance() -> None:
    result = wald(0.1, 0.0, 0.95)
    assert result.degenerate
    assert all(math.isnan(value) for value in (result.z, result.p, result.log10_p, result.low, result.high))


@pytest.mark.parametrize(("difference", "variance"), [(math.nan, 0.1), (0.1, math.nan), (math.nan, math.nan)])
def test_undefined(difference: float, variance: float) -> None:
    result = wald(difference, variance, 0.95)
    assert not result.degenerate
    assert all(math.isnan(value) for value in (result.z, result.p, result.log10_p, result.low, result.high))


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        wald(0.1, 0.1, confidence)
