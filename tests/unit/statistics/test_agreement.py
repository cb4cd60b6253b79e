"""Kappa and its kin: scikit-learn's values, statsmodels' error, the jackknife with clusters, paired
tests, and 0/0.
"""

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.confusion import sampled_metric
from kneeoa.statistics.kernels import metric
from tests.unit.statistics.by_kernels import class_metric, class_metric_test, difference, one_hot

VALUES = {
    "accuracy": reference.accuracy_score,
    "within_one": lambda t, p: np.mean(np.abs(t - p) <= 1),
    "mae": reference.mean_absolute_error,
    "balanced_accuracy": reference.balanced_accuracy_score,
    "macro_f1": lambda t, p: reference.f1_score(t, p, average="macro"),
    "quadratic_kappa": lambda t, p: cohen_kappa_score(t, p, labels=range(5), weights="quadratic"),
}


def raters(seed: int, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, size=150)
    return truth, np.clip(truth + rng.integers(-1, 2, size=150), 0, classes - 1)


def models(seed: int, n: int = 150) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % 5)
    a, b = (np.clip(truth + rng.integers(-reach, reach + 1, size=n), 0, 4) for reach in (1, 2))
    return truth, a, b


def test_value_and_error_are_the_references() -> None:
    truth, predicted = raters(0)
    estimate = class_metric("quadratic_kappa", truth, predicted, 5)
    table = np.zeros((5, 5))
    np.add.at(table, (truth, predicted), 1)
    reference = cohens_kappa(table, wt="fc")
    assert estimate.estimate == pytest.approx(cohen_kappa_score(truth, predicted, labels=range(5), weights="quadratic"), abs=1e-13)
    factor = math.sqrt(150 / 149)  # of few subjects, which the published formula lacks
    assert estimate.standard_error == pytest.approx(reference.std_kappa * factor, rel=1e-11)


def test_an_absent_grade_keeps_its_place_on_the_scale() -> None:
    truth, predicted = raters(1)
    truth, predicted = np.where(truth == 2, 1, truth), np.where(predicted == 2, 3, predicted)
    estimate = class_metric("quadratic_kappa", truth, predicted, 5)
    assert estimate.estimate == pytest.approx(cohen_kappa_score(truth, predicted, labels=range(5), weights="quadratic"), abs=1e-13)
    assert estimate.estimate != pytest.approx(cohen_kappa_score(truth, predicted, weights="quadratic"), abs=1e-3)


def test_two_classes_are_cohens_kappa() -> None:
    truth, predicted = raters(2, classes=2)
    predicted = np.where(np.arange(150) % 5 == 0, 1 - truth, truth)
    assert class_metric("quadratic_kappa", truth, predicted, 2).estimate == pytest.approx(cohen_kappa_score(truth, predicted), abs=1e-13)


def test_extremes() -> None:
    truth, _ = raters(3)
    perfect = class_metric("quadratic_kappa", truth, truth, 5)
    assert (perfect.estimate, perfect.standard_error, perfect.degenerate) == (1.0, 0.0, True)
    assert class_metric("quadratic_kappa", truth, np.full(150, 2), 5).estimate == pytest.approx(0.0, abs=1e-15)
    nothing = class_metric("quadratic_kappa", np.full(9, 2), np.full(9, 2), 5)
    assert math.isnan(nothing.estimate)


def test_clusters_of_kappa() -> None:
    truth, predicted = raters(4)
    plain = class_metric("quadratic_kappa", truth, predicted, 5)
    assert class_metric("quadratic_kappa", truth, predicted, 5, np.arange(150)) == plain
    twice = class_metric("quadratic_kappa", np.tile(truth, 2), np.tile(predicted, 2), 5, np.tile(np.arange(150), 2))
    assert (twice.estimate, twice.standard_error) == pytest.approx((plain.estimate, plain.standard_error), rel=1e-12)
    assert (twice.n, twice.subjects) == (300, 150)


@pytest.mark.parametrize("name", VALUES)
def test_values_and_errors_of_every_metric(name: str) -> None:
    truth, a, b = models(5)
    cluster = np.arange(150) // 2
    estimate = class_metric(name, truth, a, 5, cluster)
    assert estimate.estimate == pytest.approx(VALUES[name](truth, a), abs=1e-13)
    kept = [cluster != subject for subject in range(75)]
    left_out = np.array([VALUES[name](truth[k], a[k]) for k in kept])
    assert estimate.standard_error == pytest.approx(math.sqrt(74 / 75 * ((left_out - left_out.mean()) ** 2).sum()), rel=0.03)
    test = class_metric_test(name, truth, a, b, 5, cluster)
    gaps = left_out - np.array([VALUES[name](truth[k], b[k]) for k in kept])
    assert test.difference == pytest.approx(VALUES[name](truth, a) - VALUES[name](truth, b), abs=1e-13)
    assert test.variance == pytest.approx(74 / 75 * ((gaps - gaps.mean()) ** 2).sum(), rel=0.08)


def test_binary_f1() -> None:
    rng = np.random.default_rng(6)
    truth, predicted = rng.integers(0, 2, size=(2, 90))
    assert class_metric("f1", truth, predicted, 2).estimate == pytest.approx(reference.f1_score(truth, predicted))
    assert math.isnan(class_metric("f1", np.zeros(9), np.zeros(9), 2).estimate)


@pytest.mark.parametrize("name", ["within_one", "mae", "quadratic_kappa"])
def test_the_bootstrap_agrees(name: str) -> None:
    truth, a, b = models(7)
    cluster = np.arange(150) // 2
    result = class_metric_test(name, truth, a, b, 5, cluster)
    boot = paired_bootstrap(metric(name), truth, np.eye(5)[a], np.eye(5)[b], cluster, resamples=2000)
    assert (result.low, result.high) == pytest.approx((boot.low, boot.high), abs=0.12 * (result.high - result.low))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(sorted(VALUES)))
def test_symmetries(seed: int, name: str) -> None:
    truth, a, b = models(seed, 60)
    cluster = np.arange(60) // 2
    base, swapped = class_metric_test(name, truth, a, b, 5, cluster), class_metric_test(name, truth, b, a, 5, cluster)
    assert (swapped.difference, swapped.z, swapped.p) == (-base.difference, -base.z, base.p)
    order = np.random.default_rng(seed).permutation(60)
    shuffled = class_metric_test(name, truth[order], a[order], b[order], 5, cluster[order])
    assert (shuffled.difference, shuffled.variance) == pytest.approx((base.difference, base.variance), rel=1e-9, abs=1e-14)
    if name in ("accuracy", "within_one", "mae", "quadratic_kappa"):  # grades in reverse: the same distances
        turned = class_metric_test(name, 4 - truth, 4 - a, 4 - b, 5, cluster)
        assert turned.variance == pytest.approx(base.variance, rel=1e-9, abs=1e-14)
    same = difference(name, truth, *(np.stack([one_hot(x, 5), one_hot(y, 5)]) for x, y in ((a, b), (b, a))), cluster)
    assert (same.difference, same.z, same.p, same.degenerate) == (0.0, 0.0, 1.0, True)


def test_accuracy_is_the_textbook_difference_of_shares() -> None:
    truth, a, b = models(8)
    gaps = (a == truth).astype(float) - (b == truth)
    result = class_metric_test("accuracy", truth, a, b, 5)
    assert result.variance == pytest.approx(gaps.var(ddof=1) / 150)


def test_by_hand() -> None:
    assert sampled_metric("mae", np.array([0, 4]), np.array([0, 1]), 5).value == 1.5
    with pytest.raises(KneeoaError, match="metric"):
        sampled_metric("recall", np.array([0, 1]), np.array([0, 1]), 2)
