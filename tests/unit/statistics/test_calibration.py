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
from kneeoa.statistics.calibration import ordinal_recalibration, recalibration, slope_test


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
    found = recalibration(truth, a, cluster)
    factor = math.sqrt(count / (count - 1))
    assert (found.slope.estimate, found.slope.standard_error) == pytest.approx((slope.params[1], slope.bse[1] * factor), rel=1e-8)
    assert (found.in_the_large.estimate, found.in_the_large.standard_error) == pytest.approx(
        (level.params[0], level.bse[0] * factor), rel=1e-8
    )
    assert found.slope_test.z == pytest.approx((slope.params[1] - 1) / (slope.bse[1] * factor), rel=1e-7)
    assert found.slope_test.p < 0.001  # 1.8 times too bold
    assert found.in_the_large_test.p == pytest.approx(2 * (1 - 0.5 * (1 + math.erf(abs(found.in_the_large_test.z) / math.sqrt(2)))))
    assert (found.clipped, found.separated, found.reason) == (0, False, "")


def test_ideal_predictions_are_not_rejected_more_often_than_they_should() -> None:
    rng = np.random.default_rng(1)
    rejected = np.zeros(2)
    for _ in range(400):
        score = 1.5 * rng.normal(size=400)
        found = recalibration(rng.random(400) < expit(score), expit(score))
        rejected += (found.slope_test.p < 0.05, found.in_the_large_test.p < 0.05)
    assert (rejected / 400 < 0.085).all()
    assert (rejected / 400 > 0.02).all()


def test_ordinal_cuts_are_binary_recalibrations() -> None:
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet(np.ones(4), size=150)
    truth = np.array([rng.choice(4, p=row) for row in probabilities])
    found = ordinal_recalibration(truth, probabilities, np.arange(150) // 2)
    assert len(found) == 3
    for cut, result in enumerate(found, 1):
        assert result.slope.estimate == pytest.approx(recalibration(truth >= cut, probabilities[:, cut:].sum(axis=1)).slope.estimate)
        assert result.slope.low < 1 < result.slope.high


def test_separation_constants_and_absent_classes_say_so() -> None:
    truth = np.repeat([0, 1], 20)
    ramp = np.linspace(0.1, 0.9, 40)
    apart = recalibration(truth, ramp)
    assert apart.separated
    assert math.isnan(apart.slope.estimate)
    assert math.isnan(apart.slope_test.p)
    assert "separates" in apart.reason
    assert not math.isnan(apart.in_the_large.estimate)
    assert recalibration(1 - truth, ramp).separated
    flat = recalibration(truth, np.full(40, 0.3))
    assert "constant" in flat.reason
    assert flat.in_the_large.estimate == pytest.approx(-logit(0.3))
    single = recalibration(np.ones(40), ramp)
    assert math.isnan(single.in_the_large.estimate)
    assert "absent" in single.reason


def test_extreme_predictions_still_have_an_intercept() -> None:
    # Almost flat between the two groups: the mean of the clipped predictions has to move through a
    # plateau.
    probability = np.repeat([1e-6, 1 - 1e-6], [7, 4])
    found = recalibration([1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1], probability).in_the_large
    shifted = expit(logit(probability) + found.estimate)
    assert shifted.sum() == pytest.approx(4, abs=1e-9)


def test_clipped_probabilities_are_counted() -> None:
    truth, a, _ = cases(3)
    hard = a.copy()
    hard[:3], truth[:3] = [0.0, 1.0, 1e-9], [0, 1, 1]
    found = recalibration(truth, hard)
    assert (found.clipped, found.clip) == (3, 1e-6)
    assert math.isnan(found.slope.estimate), "a positive case at 1e-9 alone decides the slope"
    assert "3 of 200 probabilities" in found.reason
    hard[2] = 1.0
    assert recalibration(truth, hard).slope.estimate == pytest.approx(recalibration(truth, hard, clip=1e-5).slope.estimate, rel=0.1)


def test_paired_slopes_agree_with_the_bootstrap() -> None:
    truth, a, b = cases(4)
    cluster = np.arange(200) // 2
    found = slope_test(truth, a, b, cluster)
    gaps = []
    for weights in np.concatenate(list(resampled_weights(200, cluster, 400, 0))):
        rows = np.repeat(np.arange(200), weights.astype(int))
        gaps.append(slope_test(truth[rows], a[rows], b[rows]).difference)
    assert math.sqrt(found.variance) == pytest.approx(np.std(gaps), rel=0.2)
    assert found.difference == pytest.approx(recalibration(truth, a).slope.estimate - recalibration(truth, b).slope.estimate)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_symmetries(seed: int) -> None:
    truth, a, b = cases(seed, 80)
    base, swapped = slope_test(truth, a, b), slope_test(truth, b, a)
    assert (swapped.difference, swapped.z, swapped.p) == (-base.difference, -base.z, base.p)
    assert slope_test(truth, a, b, np.arange(80)) == base
    twice = slope_test(np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), np.tile(np.arange(80), 2))
    assert twice.variance == pytest.approx(base.variance, rel=1e-7)
    mirrored = slope_test(1 - truth, 1 - a, 1 - b)
    assert (mirrored.difference, mirrored.variance) == pytest.approx((base.difference, base.variance), rel=1e-6)
    same = slope_test(truth, np.stack([a, b]), np.stack([b, a]))
    assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_bad_input_is_refused() -> None:
    with pytest.raises(KneeoaError, match="0 to 1"):
        recalibration([0, 1], [0.2, 1.2])
    with pytest.raises(KneeoaError, match="clip"):
        recalibration([0, 1, 0], [0.2, 0.3, 0.4], clip=0.7)
    with pytest.raises((KneeoaError, ValueError), match="finite"):
        recalibration([0, 1], [0.2, np.nan])
    with pytest.raises((KneeoaError, ValueError), match="rows"):
        recalibration([0, 1, 1], [0.2, 0.4])
