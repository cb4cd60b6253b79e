"""Metrics as functions of (truth, probabilities, weights): one value per row of case weights.

A row of weights says how often each case counts, so that a bootstrap of 10,000 resamples is one
call. Everything that depends on predicted classes comes from weighted confusion matrices; AUCs sort
once.

Rules where a metric is 0/0: F1 without a positive in truth or prediction is NaN; macro-F1 averages
over classes that occur in truth or prediction (a class predicted but absent counts 0), as
scikit-learn does; balanced accuracy averages over classes that occur in truth; macro-AUC is NaN
where a class has no case.
"""

from __future__ import annotations

import itertools
from typing import Protocol

import numpy as np

from kneeoa.probabilities import class_odds, mean_class_rank
from kneeoa.statistics.confusion import quadratic_weights
from kneeoa.statistics.inputs import Floats, Integers


class Metric(Protocol):
    """truth ``[n]`` int, prediction with n rows, weights ``[R, n]`` -> values ``[R]`` (NaN where
    undefined).
    """

    def __call__(self, truth: Integers, prediction: Floats, weights: Floats, /) -> Floats:
        """Evaluate."""
        ...


def predicted_class(probabilities: Floats, threshold: float = 0.5) -> Integers:
    """Predicted class ``[n]`` of probabilities ``[n, K]``: two classes by ``p[1] >= threshold``,
    more by arg max (first on ties).
    """
    if probabilities.shape[1] == 2:
        return (probabilities[:, 1] >= threshold).astype(np.int64)
    return np.asarray(probabilities.argmax(axis=1), dtype=np.int64)


def confusions(truth: Integers, predicted: Integers, classes: int, weights: Floats) -> Floats:
    """Weighted confusion matrices ``[R, K, K]``: row true class, column predicted class."""
    cells = np.zeros((truth.size, classes * classes))
    cells[np.arange(truth.size), truth * classes + predicted] = 1.0
    return (weights @ cells).reshape(-1, classes, classes)


_BLOCK = 64
"""Cases of neighbouring scores that :func:`auc` takes at once."""
_EXACT = 2.0**24
"""Single precision holds all whole numbers below."""


def auc(truth: Integers, scores: Floats, weights: Floats) -> Floats:
    """Weighted AUC of scores ``[n]`` for truth 0/1, from one sort.

    Blocks of cases are taken from the lowest scores up: a positive beats the negatives of the
    blocks below, whose weight is at hand, and those of its block that it exceeds, ties half.
    Quickest where a case's weights lie side by side, and where they are whole numbers in single
    precision: sums of a block are then taken in it as long as it holds them exactly.
    """
    order, by_case = np.argsort(scores), weights.T
    ordered, positive = scores[order], truth[order] == 1
    edges = np.searchsorted(ordered, ordered[_BLOCK::_BLOCK])  # ties stay in one block
    beaten, below, positives = np.zeros((3, len(weights)))
    for rows in np.split(np.arange(order.size), np.unique(edges)):
        high, low = rows[positive[rows]], rows[~positive[rows]]
        winners, losers = by_case[order[high]], by_case[order[low]]
        together, opposed = winners.sum(axis=0), losers.sum(axis=0)
        if winners.dtype == np.float32 and 2.0 * float(together.max() * opposed.max()) >= _EXACT:
            winners, losers = winners.astype(np.float64), losers.astype(np.float64)
        pairs = np.add(ordered[high][:, None] > ordered[low], ordered[high][:, None] >= ordered[low], dtype=winners.dtype)
        beaten += 2.0 * together * below + np.einsum("pr,pr->r", winners, pairs @ losers)
        positives += together
        below += opposed
    return _ratio(beaten, 2.0 * positives * below)


def binary_auc(truth: Integers, probabilities: Floats, weights: Floats) -> Floats:
    """AUC of the positive class's odds in ``[n, 2]``."""
    return auc(truth, class_odds(probabilities, [1]), weights)


def macro_auc(truth: Integers, probabilities: Floats, weights: Floats) -> Floats:
    """Mean over all K classes of the one-vs-rest AUC on the raw columns of ``[n, K]``."""
    values = [auc((truth == k).astype(np.int64), probabilities[:, k], weights) for k in range(probabilities.shape[1])]
    return np.asarray(sum(values) / len(values))


def c_index(truth: Integers, probabilities: Floats, weights: Floats) -> Floats:
    """Share of pairs of different grades that the expected grade orders rightly (weighted;
    :mod:`kneeoa.statistics.ordinal`).
    """
    top, bottom = np.zeros(len(weights)), np.zeros(len(weights))
    grades, severity = range(probabilities.shape[1]), mean_class_rank(probabilities)
    for low, high in itertools.combinations(grades, 2):
        pairs = weights[:, truth == low].sum(axis=1, dtype=np.float64) * weights[:, truth == high].sum(axis=1, dtype=np.float64)
        top += np.where(pairs > 0, pairs * np.nan_to_num(_pair_auc(truth, severity, weights, low, high)), 0.0)
        bottom += pairs
    return _ratio(top, bottom)


def adjacent_auc(truth: Integers, probabilities: Floats, weights: Floats) -> Floats:
    """Mean AUC of neighbouring grades by the expected grade; NaN where a grade has no case."""
    steps, severity = range(1, probabilities.shape[1]), mean_class_rank(probabilities)
    return np.asarray(sum(_pair_auc(truth, severity, weights, step - 1, step) for step in steps) / len(steps))


def brier(truth: Integers, probabilities: Floats, weights: Floats) -> Floats:
    """Mean squared error of the positive class's probability."""
    return _ratio(weights @ (probabilities[:, 1] - truth) ** 2, weights.sum(axis=1))


def scaled_brier(truth: Integers, probabilities: Floats, weights: Floats) -> Floats:
    """1 - Brier score over that of the share of positives given to every case; NaN where a class is
    absent.
    """
    share = _ratio(weights @ truth, weights.sum(axis=1))
    return 1.0 - _ratio(brier(truth, probabilities, weights), share * (1 - share))


def accuracy(matrices: Floats) -> Floats:
    """Share of cases on the diagonal of ``[R, K, K]``."""
    return _ratio(np.einsum("rkk->r", matrices), matrices.sum(axis=(1, 2)))


def balanced_accuracy(matrices: Floats) -> Floats:
    """Mean recall over the classes that occur in truth."""
    recall = _ratio(np.einsum("rkk->rk", matrices), matrices.sum(axis=2))
    return _present_mean(recall)


def class_f1(matrices: Floats) -> Floats:
    """F1 of each class, ``[R, K]``; NaN for a class in neither truth nor prediction."""
    hits = np.einsum("rkk->rk", matrices)
    return _ratio(2 * hits, matrices.sum(axis=2) + matrices.sum(axis=1))


def f1(matrices: Floats) -> Floats:
    """F1 of the positive class, 2TP / (2TP + FP + FN)."""
    return class_f1(matrices)[:, 1]


def macro_f1(matrices: Floats) -> Floats:
    """Mean F1 over the classes that occur in truth or prediction."""
    return _present_mean(class_f1(matrices))


def kappa(matrices: Floats) -> Floats:
    """Cohen's kappa, every disagreement alike; NaN where both margins are one and the same
    class.
    """
    return _agreement(matrices, 1.0 - np.eye(matrices.shape[1]))


def quadratic_kappa(matrices: Floats) -> Floats:
    """Quadratic weighted kappa over all K classes; NaN where both margins are one and the same
    class.
    """
    return _agreement(matrices, 1.0 - quadratic_weights(matrices.shape[1]))


def within_one(matrices: Floats) -> Floats:
    """Share of cases called at most one class off."""
    grades = np.arange(matrices.shape[1])
    near = np.abs(grades[:, None] - grades[None, :]) <= 1
    return _ratio(np.einsum("rij,ij->r", matrices, near), matrices.sum(axis=(1, 2)))


def mae(matrices: Floats) -> Floats:
    """Mean absolute error in classes."""
    grades = np.arange(matrices.shape[1])
    distance = np.abs(grades[:, None] - grades[None, :])
    return _ratio(np.einsum("rij,ij->r", matrices, distance), matrices.sum(axis=(1, 2)))


def value(single: Metric, truth: Integers, prediction: Floats) -> float:
    """The metric with every case counted once."""
    return float(single(truth, prediction, np.ones((1, truth.size)))[0])


def _pair_auc(truth: Integers, severity: Floats, weights: Floats, low: int, high: int) -> Floats:
    rows = np.flatnonzero((truth == low) | (truth == high))
    return auc((truth[rows] == high).astype(np.int64), severity[rows], weights[:, rows])


def _agreement(matrices: Floats, penalty: Floats) -> Floats:
    """1 - observed over expected disagreement, each weighted by ``penalty`` ``[K, K]``."""
    count = matrices.sum(axis=(1, 2))
    observed = np.einsum("rij,ij->r", matrices, penalty)
    expected = np.einsum("ri,ij,rj->r", matrices.sum(axis=2), penalty, matrices.sum(axis=1), optimize=True)
    return 1.0 - _ratio(observed * count, expected)


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0))


def _present_mean(values: Floats) -> Floats:
    """Mean over the last axis, NaN entries left out; NaN where nothing is left."""
    present = ~np.isnan(values)
    return _ratio(np.where(present, values, 0.0).sum(axis=1), present.sum(axis=1).astype(np.float64))
