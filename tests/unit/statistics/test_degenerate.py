"""One rule of degeneracy: where a difference has no variance there is no test, whichever the metric
and the method; no p is made of rounding errors.
"""

import math

import numpy as np
import pytest

from kneeoa.statistics.bootstrap import paired_bootstrap, percentiles
from kneeoa.statistics.confusion import sampled_metric
from kneeoa.statistics.delong import delong_test
from kneeoa.statistics.influence_functions import covariance, difference_of, estimate_of
from kneeoa.statistics.kernels import KERNELS, metric
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.metrics import predicted_class
from kneeoa.statistics.seeds import mode_effect
from tests.unit.statistics.by_kernels import class_metric_test

COUNTS = [(61, 59), (61, 33), (61, 20), (60, 60), (7, 3), (500, 499), (1000, 7)]


def perfect_and_collapsed(negatives: int, positives: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    truth = np.repeat([0, 1], [negatives, positives])
    return truth, np.column_stack([1 - truth, truth]).astype(float), np.tile([1.0, 0.0], (truth.size, 1))


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("clustered", [False, True])
def test_balanced_accuracy_of_a_perfect_and_a_collapsed_model_has_no_test(counts: tuple[int, int], clustered: bool) -> None:
    truth, a, b = perfect_and_collapsed(*counts)
    cluster = np.concatenate([np.arange(n) // 2 + 10_000 * k for k, n in enumerate(counts)]) if clustered else None
    for first, second, gap in ((a, b, 0.5), (b, a, -0.5)):
        tested = class_metric_test("balanced_accuracy", truth, predicted_class(first), predicted_class(second), 2, cluster)
        assert tested.difference == pytest.approx(gap, abs=1e-15)
        assert (tested.variance, tested.degenerate) == (0.0, True)
        assert math.isnan(tested.z)
        assert math.isnan(tested.p)
        assert math.isnan(tested.low)
        if min(counts) < 5:
            continue  # resamples without a class average over the other alone, and do vary
        drawn = paired_bootstrap(metric("balanced_accuracy"), truth, first, second, cluster, resamples=200)
        assert drawn.degenerate
        assert math.isnan(drawn.p)
        assert math.isnan(drawn.low)
        assert math.isnan(drawn.high)
    test = delong_test(truth, a[:, 1], b[:, 1], cluster)
    assert (test.difference, test.degenerate) == (0.5, True)
    assert math.isnan(test.p)
    estimate = estimate_of(sampled_metric("balanced_accuracy", truth, predicted_class(b), 2), None, 0.95, "")
    assert (estimate.standard_error, estimate.degenerate) == (0.0, True)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_equal_models_have_p_one_whatever_the_metric(name: str) -> None:
    """In another order of cases, too: rounding depends on it."""
    random = np.random.default_rng(3)
    classes = 2 if name in {"auc", "f1", "brier", "scaled_brier", "sensitivity", "specificity"} or "calibration" in name else 5
    truth = random.integers(0, classes, 90)
    probabilities = random.dirichlet(np.ones(classes) + np.eye(classes)[truth].sum(0) / 99, 90) + 0.4 * np.eye(classes)[truth]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    fine, groups = random.dirichlet(np.ones(6), 90), tuple(np.arange(6) % classes)
    order = random.permutation(90)
    runs = [
        Run(
            truth[o],
            probabilities[o],
            predicted_class(probabilities[o]),
            2 if name.startswith("cut") else 0,
            fine=fine[o],
            parent_class=groups,
        )
        for o in (np.arange(90), order)
    ]
    first, second = (KERNELS[name].influence(run) for run in runs)
    back = np.empty(90)
    back[order] = second.influence
    result = difference_of(first, type(second)(second.value, back), None, 0.95, name)
    assert (result.difference, result.z, result.p, result.low, result.high, result.degenerate) == (0.0, 0.0, 1.0, 0.0, 0.0, True)


def test_seeds_without_variance_of_subjects_give_no_p() -> None:
    truth, a, b = perfect_and_collapsed(61, 59)
    members = [sampled_metric("balanced_accuracy", truth, predicted_class(side), 2) for side in (a, a, a, b, b, b)]
    sigma = covariance(members, None)
    assert (sigma == 0).all()
    effect = mode_effect(np.array([one.value for one in members]).reshape(2, 3), sigma)
    assert math.isnan(effect.random.p)
    assert math.isnan(effect.fixed.p)
    assert effect.random.degenerate


@pytest.mark.parametrize(
    ("difference", "draws", "p", "low", "degenerate"),
    [
        (0.5, [0.5] * 40, None, None, True),
        (0.5, [0.5, 0.5 + 1e-16, 0.5 - 1e-16] * 9, None, None, True),
        (0.0, [0.0] * 40, 1.0, 0.0, True),
        (1e-17, [1e-17, -1e-17, 0.0] * 9, 1.0, 0.0, True),
        (0.2, [0.1, 0.2, 0.3] * 13, 2 / 40, 0.1, False),
        (0.2, [math.nan] * 40, None, None, False),
        (math.nan, [0.1, 0.2, 0.3] * 13, None, 0.1, False),
    ],
)
def test_the_percentiles_of_every_bootstrap(
    difference: float, draws: list[float], p: float | None, low: float | None, degenerate: bool
) -> None:
    limits = percentiles(difference, np.array(draws), 10, 0.95)
    assert limits.degenerate is degenerate
    for value, want in ((limits.p, p), (limits.low, low)):
        assert math.isnan(value) if want is None else value == pytest.approx(want)
    assert math.isnan(percentiles(difference, np.array(draws), 1, 0.95).p)
