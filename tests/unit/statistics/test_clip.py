"""Calibration of probabilities of 0 and 1: how many were clipped is said, and what the clip decides
is undefined.
"""

import math

import numpy as np
import pytest

from kneeoa.statistics.calibration import sampled_in_the_large, sampled_slope
from kneeoa.statistics.influence_functions import difference_of, over_seeds

Y = np.repeat([0, 1], 60)


def hard(wrong: tuple[int, ...]) -> np.ndarray:
    calls = Y.astype(float)
    calls[list(wrong)] = 1 - calls[list(wrong)]
    return calls


@pytest.mark.parametrize("wrong", [(0, 1, 60, 61), (0, 60, 61), (0,), (60,), tuple(range(0, 120, 7))])
@pytest.mark.parametrize("clip", [1e-3, 1e-6, 1e-9])
def test_hard_calls_have_no_calibration(wrong: tuple[int, ...], clip: float) -> None:
    for sampled in (sampled_slope, sampled_in_the_large):
        assert math.isnan(sampled(Y, hard(wrong), clip).value)
    assert "120 of 120 probabilities are 0 or 1" in sampled_in_the_large(Y, hard(wrong)).note
    assert ("separates" if len(wrong) == 1 else "120 of 120 probabilities are 0 or 1") in sampled_slope(Y, hard(wrong)).note


def test_saturated_predictions_that_are_right_hardly_matter_and_are_counted() -> None:
    random = np.random.default_rng(0)
    soft = 1 / (1 + np.exp(-(1.5 * (2 * Y - 1) + random.normal(size=120))))
    some = soft.copy()
    some[[5, 6, 7]], some[[90, 91]] = 0.0, 1.0
    for sampled in (sampled_slope, sampled_in_the_large):
        result = sampled(Y, some)
        assert math.isfinite(result.value)
        assert result.note.startswith("5 of 120 probabilities are 0 or 1, or nearer to it than 1e-06, and were clipped")
        assert sampled(Y, soft).note == ""
        assert result.value == pytest.approx(sampled(Y, np.clip(some, 1e-9, 1 - 1e-9)).value, abs=0.02)


def test_a_slope_that_one_saturated_prediction_decides_is_undefined_and_the_level_is_not() -> None:
    random = np.random.default_rng(0)
    soft = 1 / (1 + np.exp(-(1.5 * (2 * Y - 1) + random.normal(size=120))))
    soft[100] = 0.0
    assert math.isfinite(sampled_in_the_large(Y, soft).value)
    slope = sampled_slope(Y, soft)
    assert math.isnan(slope.value)
    assert slope.note == "1 of 120 probabilities are 0 or 1, or nearer to it than 1e-06, and the result depends on where they are clipped"
    soft[100] = 0.6
    test = difference_of(slope, sampled_slope(Y, soft), None, 0.95, "")
    assert math.isnan(test.p)
    assert test.note == f"candidate: {slope.note}"
    several = over_seeds([slope, sampled_slope(Y, soft)])
    assert several.note == f"undefined in 1 of 2 runs ({slope.note})"


@pytest.mark.parametrize("kind", ["hard", "saturated"])
def test_exchangeable_models_are_not_found_to_differ(kind: str) -> None:
    """Calibration in the large of two hard models was called different in 24 of 100 pairs."""
    defined = rejected = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        y = (random.random(98) < 0.6).astype(int)
        if kind == "hard":
            a, b = (np.where(random.random(98) < 0.15, 1 - y, y).astype(float) for _ in "ab")
        else:
            a, b = ((1 / (1 + np.exp(-((2 * y - 1) * 14 + random.normal(size=98) * 14)))).astype(np.float32).astype(float) for _ in "ab")
        p = difference_of(sampled_in_the_large(y, a), sampled_in_the_large(y, b), None, 0.95, "").p
        defined += math.isfinite(p)
        rejected += p < 0.05
    assert rejected <= 0.09 * max(defined, 1)
