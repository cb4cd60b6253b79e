"""Weighted metrics against scikit-learn on copied cases: a weight of two is a case that occurs
twice.
"""

import numpy as np
import pytest
import sklearn.metrics as reference

from kneeoa.statistics.kernels import metric
from kneeoa.statistics.metrics import auc, predicted_class, value
from tests.unit.statistics.references import mean_over_seeds

CLASSES = 5


def grades(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(70) % CLASSES
    logits = rng.normal(size=(70, CLASSES))
    logits[np.arange(70), truth] += 1
    return truth, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def binary(seed: int) -> tuple[np.ndarray, np.ndarray]:
    truth, probabilities = grades(seed)
    positive = np.round(probabilities[:, 2:].sum(axis=1), 2)
    return (truth >= 2).astype(int), np.column_stack([1 - positive, positive])


MULTICLASS = {
    "accuracy": lambda t, p: reference.accuracy_score(t, p.argmax(1)),
    "balanced_accuracy": lambda t, p: reference.balanced_accuracy_score(t, p.argmax(1)),
    "macro_auc": lambda t, p: np.mean([reference.roc_auc_score(t == k, p[:, k]) for k in range(CLASSES)]),
    "macro_f1": lambda t, p: reference.f1_score(t, p.argmax(1), average="macro", zero_division=0),
    "quadratic_kappa": lambda t, p: reference.cohen_kappa_score(t, p.argmax(1), labels=range(CLASSES), weights="quadratic"),
    "mae": lambda t, p: reference.mean_absolute_error(t, p.argmax(1)),
    "within_one": lambda t, p: np.mean(np.abs(t - p.argmax(1)) <= 1),
}
BINARY = {
    "auc": lambda t, p: reference.roc_auc_score(t, p[:, 1]),
    "accuracy": lambda t, p: reference.accuracy_score(t, p[:, 1] >= 0.5),
    "f1": lambda t, p: reference.f1_score(t, p[:, 1] >= 0.5),
    "balanced_accuracy": lambda t, p: reference.balanced_accuracy_score(t, p[:, 1] >= 0.5),
    "brier": lambda t, p: reference.brier_score_loss(t, np.clip(p[:, 1], 0, 1)),
    "scaled_brier": lambda t, p: 1 - np.mean((p[:, 1] - t) ** 2) / np.mean((t.mean() - t) ** 2),
}


@pytest.mark.parametrize(
    ("name", "expected", "data"),
    [*((n, f, grades) for n, f in MULTICLASS.items()), *((n, f, binary) for n, f in BINARY.items())],
)
def test_weights_are_copies(name, expected, data) -> None:
    truth, probabilities = data(0)
    weights = np.random.default_rng(1).integers(0, 4, size=(6, truth.size)).astype(float)
    values = metric(name)(truth, probabilities, weights)
    for row, result in zip(weights, values, strict=True):
        index = np.repeat(np.arange(truth.size), row.astype(int))
        assert result == pytest.approx(expected(truth[index], probabilities[index]), abs=1e-12)


def test_binary_calls_follow_the_threshold_inclusively() -> None:
    probabilities = np.array([[0.7, 0.3], [0.5, 0.5], [0.4, 0.6]])
    assert predicted_class(probabilities).tolist() == [0, 1, 1]
    assert predicted_class(probabilities, 0.3).tolist() == [1, 1, 1]
    assert predicted_class(probabilities, 0.6).tolist() == [0, 0, 1]
    truth = np.array([1, 0, 1])
    assert value(metric("accuracy", threshold=0.3), truth, probabilities) == pytest.approx(2 / 3)
    assert predicted_class(np.array([[0.2, 0.4, 0.4]])).tolist() == [1]


def test_rules_where_a_metric_is_zero_over_zero() -> None:
    none = np.array([[0.9, 0.1]] * 3)
    assert np.isnan(value(metric("f1"), np.zeros(3, dtype=int), none))
    assert value(metric("f1"), np.array([1, 0, 0]), none) == 0.0
    assert np.isnan(value(metric("auc"), np.zeros(3, dtype=int), none))
    assert np.isnan(value(metric("quadratic_kappa"), np.zeros(3, dtype=int), none))
    three = np.eye(3)[[0, 1, 0, 2]]
    truth = np.array([0, 1, 0, 1])
    # Class 2 is predicted once and never true: its F1 is 0 and counts. Balanced accuracy averages
    # over the true classes.
    assert value(metric("macro_f1"), truth, three) == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert value(metric("balanced_accuracy"), truth, three) == pytest.approx((1 + 0.5) / 2)
    assert np.isnan(value(metric("macro_auc"), truth, three))
    # Neither true nor predicted: the class is left out.
    assert value(metric("macro_f1"), np.array([0, 1, 0]), np.eye(3)[[0, 1, 0]]) == 1.0


def test_seeds_are_averaged_by_metric_not_by_probability() -> None:
    truth, first = grades(2)
    _, second = grades(3)
    both = mean_over_seeds(metric("macro_f1"))
    expected = (value(metric("macro_f1"), truth, first) + value(metric("macro_f1"), truth, second)) / 2
    assert value(both, truth, np.stack([first, second])) == pytest.approx(expected)


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(ValueError, match="recall"):
        metric("recall")


@pytest.mark.parametrize("values", [2, 9, 10_000])
def test_aucs_of_resamples_are_those_of_all_pairs_with_ties_over_several_blocks(values: int) -> None:
    rng = np.random.default_rng(5)
    truth, scores = rng.integers(0, 2, size=700), rng.integers(0, values, size=700).astype(float)
    weights = rng.integers(0, 4, size=(6, 700)).astype(float)
    weights[5, truth == 1] = 0.0
    wins = np.sign(scores[truth == 1][:, None] - scores[truth == 0]) / 2 + 0.5
    high, low = weights[:, truth == 1], weights[:, truth == 0]
    expected = np.einsum("rp,pq,rq->r", high[:5], wins, low[:5]) / (high[:5].sum(axis=1) * low[:5].sum(axis=1))
    areas = auc(truth, scores, weights)
    assert areas[:5].tolist() == expected.tolist()
    assert np.isnan(areas[5])


@pytest.mark.parametrize("largest", [3, 90_000])  # sums of the larger pass what single precision holds
def test_weights_in_single_precision_give_the_same_auc(largest: int) -> None:
    rng = np.random.default_rng(largest)
    truth, scores = rng.integers(0, 2, 300), np.round(rng.normal(size=300), 1)
    weights = rng.integers(0, largest, (7, 300)).astype(np.float64)
    np.testing.assert_array_equal(auc(truth, scores, weights.astype(np.float32)), auc(truth, scores, weights))
