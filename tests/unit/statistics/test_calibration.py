"""Recalibration against statsmodels' GLM and its cluster sandwich; ordinal cuts, separation,
clipping, paired slopes.
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import resampled_weights
from kneeoa.statistics.calibration import sampled_in_the_large, sampled_slope
from tests.unit.statistics.by_kernels import difference, estimate


def cases(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    truth = (rng.random(n) < expit(score)).astype(int)
    return truth, expit(1.8 * score + 0.3), expit(0.6 * score + 0.5 * rng.normal(size=n))


@pytest.mark.parametrize("clustered", [False, True])
def test_equals_statsmodels(clustered: bool) -> None:
    truth, a, _ = cases(0)
    cluster = np.arange(200) // 2 if clustered else np.arange(200)
    count = len(np.unique(cluster))
    options = {"cov_type": "cluster", "cov_kwds": {"groups": cluster, "use_correction": False}}
    slope = sm.GLM(truth, sm.add_constant(logit(a)), family=sm.families.Binomial()).fit(tol=1e-12, **options)
    level = sm.GLM(truth, np.ones(200), offset=logit(a), family=sm.families.Binomial()).fit(tol=1e-12, **options)
    steepness, large = (estimate(name, truth, a, cluster) for name in ("calibration_slope", "calibration_in_the_large"))
    factor = math.sqrt(count / (count - 1))
    assert (steepness.estimate, steepness.standard_error) == pytest.approx((slope.params[1], slope.bse[1] * factor), rel=1e-8)
    assert (large.estimate, large.standard_error) == pytest.approx((level.params[0], level.bse[0] * factor), rel=1e-8)


def test_ideal_predictions_are_covered_as_often_as_they_should() -> None:
    rng = np.random.default_rng(1)
    missed = np.zeros(2)
    for _ in range(400):
        score = 1.5 * rng.normal(size=400)
        truth = rng.random(400) < expit(score)
        slope, large = (estimate(name, truth, expit(score)) for name in ("calibration_slope", "calibration_in_the_large"))
        missed += (not slope.low < 1 < slope.high, not large.low < 0 < large.high)
    assert (missed / 400 < 0.085).all()
    assert (missed / 400 > 0.02).all()


def test_ordinal_cuts_are_binary_recalibrations() -> None:
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet(np.ones(4), size=150)
    truth = np.array([rng.choice(4, p=row) for row in probabilities])
    for cut in (1, 2, 3):
        slope = estimate(f"cut_slope_{cut}", truth, probabilities, np.arange(150) // 2)
        assert slope.estimate == pytest.approx(sampled_slope((truth >= cut).astype(int), probabilities[:, cut:].sum(axis=1)).value)
        assert slope.low < 1 < slope.high


def test_separation_constants_and_absent_classes_say_so() -> None:
    truth = np.repeat([0, 1], 20)
    ramp = np.linspace(0.1, 0.9, 40)
    apart = sampled_slope(truth, ramp)
    assert math.isnan(apart.value)
    assert "separates" in apart.note
    assert not math.isnan(sampled_in_the_large(truth, ramp).value)
    assert "separates" in sampled_slope(1 - truth, ramp).note
    assert "constant" in sampled_slope(truth, np.full(40, 0.3)).note
    assert sampled_in_the_large(truth, np.full(40, 0.3)).value == pytest.approx(-logit(0.3))
    single = sampled_in_the_large(np.ones(40, dtype=int), ramp)
    assert math.isnan(single.value)
    assert "absent" in single.note


def test_extreme_predictions_still_have_an_intercept() -> None:
    # Almost flat between the two groups: the mean of the clipped predictions has to move through a
    # plateau.
    probability = np.repeat([1e-6, 1 - 1e-6], [7, 4])
    large = sampled_in_the_large(np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1]), probability)
    shifted = expit(logit(probability) + large.value)
    assert shifted.sum() == pytest.approx(4, abs=1e-9)


def test_clipped_probabilities_are_counted() -> None:
    truth, a, _ = cases(3)
    hard = a.copy()
    hard[:3], truth[:3] = [0.0, 1.0, 1e-9], [0, 1, 1]
    slope = sampled_slope(truth, hard)
    assert math.isnan(slope.value), "a positive case at 1e-9 alone decides the slope"
    assert "3 of 200 probabilities" in slope.note
    hard[2] = 1.0
    assert sampled_slope(truth, hard).value == pytest.approx(sampled_slope(truth, hard, clip=1e-5).value, rel=0.1)


def test_paired_slopes_agree_with_the_bootstrap() -> None:
    truth, a, b = cases(4)
    cluster = np.arange(200) // 2
    result = difference("calibration_slope", truth, a, b, cluster)
    gaps = []
    for weights in np.concatenate(list(resampled_weights(200, cluster, 400, 0))):
        rows = np.repeat(np.arange(200), weights.astype(int))
        gaps.append(difference("calibration_slope", truth[rows], a[rows], b[rows]).difference)
    assert math.sqrt(result.variance) == pytest.approx(np.std(gaps), rel=0.2)
    assert result.difference == pytest.approx(sampled_slope(truth, a).value - sampled_slope(truth, b).value)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_symmetries(seed: int) -> None:
    truth, a, b = cases(seed, 80)
    base, swapped = difference("calibration_slope", truth, a, b), difference("calibration_slope", truth, b, a)
    assert (swapped.difference, swapped.z, swapped.p) == (-base.difference, -base.z, base.p)
    assert difference("calibration_slope", truth, a, b, np.arange(80)) == base
    twice = difference("calibration_slope", np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), np.tile(np.arange(80), 2))
    assert twice.variance == pytest.approx(base.variance, rel=1e-7)
    mirrored = difference("calibration_slope", 1 - truth, 1 - a, 1 - b)
    assert (mirrored.difference, mirrored.variance) == pytest.approx((base.difference, base.variance), rel=1e-6)
    same = difference("calibration_slope", truth, np.stack([a, b]), np.stack([b, a]))
    assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_bad_input_is_refused() -> None:
    with pytest.raises(KneeoaError, match="clip"):
        sampled_slope(np.array([0, 1, 0]), np.array([0.2, 0.3, 0.4]), clip=0.7)
