"""The slope of a difference on a dose: found where planted, not found where absent, undefined where
it must be.
"""

import numpy as np
import pytest

from kneeoa.contrasts.trend import Trend, trend
from kneeoa.errors import KneeoaError
from kneeoa.statistics.kernels import metric

DOSE = np.array([0.0, 0.1, 0.2, 0.4])
SUBJECTS = 80


def probabilities(skill: np.ndarray, truth: np.ndarray, seeds: int, noise: np.random.Generator) -> np.ndarray:
    """``[R, S, n, 2]``: the same cases' difficulty everywhere, and noise of each run's own."""
    difficulty = noise.normal(size=truth.size)
    logits = skill[:, None, None] * (truth - 0.5) + difficulty + 0.5 * noise.normal(size=(len(skill), seeds, truth.size))
    positive = 1 / (1 + np.exp(-logits))
    return np.stack([1 - positive, positive], axis=-1)


def planted(fall: float, seeds: int = 3, stream: int = 0, resamples: int = 300) -> Trend:
    """Arm a keeps its skill at every dose, that of b falls with it."""
    noise = np.random.default_rng(stream)
    truth = (np.arange(2 * SUBJECTS) % 4 < 2).astype(np.int64)
    cluster = np.repeat([f"s{number}" for number in range(SUBJECTS)], 2)
    a = probabilities(np.full(4, 2.0), truth, seeds, noise)
    b = probabilities(2.0 - fall * DOSE, truth, seeds, noise)
    return trend(DOSE, truth, a, b, metric("auc"), cluster, resamples, 1, 0.95)


def test_a_planted_slope_is_found() -> None:
    trended = planted(4.0)
    assert trended.over_subjects.low > 0
    assert trended.over_both.low > 0
    assert trended.over_both.p < 0.01
    assert trended.over_subjects.difference == pytest.approx(trended.slopes.mean())


def test_the_slope_is_that_of_least_squares_over_all_runs() -> None:
    trended = planted(2.0)
    differences = (trended.by_seed[0] - trended.by_seed[1]).T.ravel()
    assert trended.over_subjects.difference == pytest.approx(np.polyfit(np.tile(DOSE, 3), differences, 1)[0])
    assert [value.difference for value in trended.differences] == pytest.approx((trended.by_seed[0] - trended.by_seed[1]).mean(axis=1))


def test_both_intervals_hold_no_slope_about_as_often_as_they_say() -> None:
    """60 experiments without a slope: at most 7 rejections have a chance of 98 % under a level of 5
    %.
    """
    trends = [planted(0.0, seeds=3, stream=stream, resamples=199) for stream in range(60)]
    assert sum(one.over_both.p < 0.05 for one in trends) <= 7
    fixed, both = (
        np.array([slope.high - slope.low for slope in slopes])
        for slopes in zip(*((t.over_subjects, t.over_both) for t in trends), strict=True)
    )
    assert np.median(both / fixed) > 1.0  # what seeds add


def test_equal_arms_have_no_slope() -> None:
    noise = np.random.default_rng(1)
    truth = np.arange(60) % 2
    a = probabilities(np.full(4, 1.0), truth, 3, noise)
    trended = trend(DOSE, truth, a, a, metric("auc"), None, 100, 1, 0.95)
    assert (trended.over_subjects.difference, trended.over_subjects.p) == (0.0, 1.0)
    assert (trended.over_both.low, trended.over_both.high, trended.over_both.p) == (0.0, 0.0, 1.0)


def test_two_seeds_allow_no_inference_over_seeds_and_one_dose_no_slope() -> None:
    trended = planted(2.0, seeds=2)
    assert np.isnan(trended.over_both.p)
    assert "2 seeds, 3 are needed" in trended.over_both.note
    assert np.isfinite(trended.over_subjects.low)
    truth = np.arange(40) % 2
    one = probabilities(np.ones(1), truth, 3, np.random.default_rng(0))
    single = trend(np.array([0.2]), truth, one, one[::-1], metric("auc"), None, 50, 1, 0.95)
    assert np.isnan([single.over_subjects.difference, single.over_subjects.p, single.over_both.p]).all()
    assert np.isfinite(single.differences[0].difference)


def test_shapes_that_do_not_fit_are_refused() -> None:
    truth = np.arange(10) % 2
    runs = np.full((2, 3, 10, 2), 0.5)
    with pytest.raises(KneeoaError, match="4 doses and 10 cases"):
        trend(DOSE, truth, runs, runs, metric("auc"), None, 10, 1, 0.95)


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert planted(1.0).over_both == planted(1.0).over_both
