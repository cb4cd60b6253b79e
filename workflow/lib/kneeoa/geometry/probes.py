"""Linear probes of frozen embeddings: labels predicted by ridge or logistic regression, fitted on
training cases, scored on test cases.

The most defensible single number of a representation: it needs no axis and no order of directions
(Alain and Bengio 2017).
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats, MeasureFamily
from kneeoa.geometry.rank_measures import SortedValues, mann_whitney_wins
from kneeoa.geometry.supervised_directions import CentredSvd, ridge_coefficients

_STRENGTHS = np.logspace(-4, 2, 7)
"""Inverse penalties of the logistic probe that are tried, for coordinates scaled to a mean square
of one over all of them.
"""

_FOLDS = 5


def ridge_probe(train: Floats, grade: Floats, subjects: NDArray[np.str_], test: Floats) -> Floats:
    """Predict grades of ``test`` ``[test, kept]`` by ridge regression; the penalty has the least
    leave-one-subject-out error in training.

    Args:
        train: standardised embeddings of the graded training cases, ``[train, kept]``.
        grade: ``[train]``.
        subjects: ``[train]``.
        test: ``[test, kept]``.
    """
    spectrum = CentredSvd.of(train)
    predicted: Floats = spectrum.coordinates(test) @ ridge_coefficients(spectrum, grade[None], subjects)[0] + grade.mean()
    return predicted


def logistic_probe(train: Floats, label: NDArray[np.int64], subjects: NDArray[np.str_], test: Floats, *, seed: int) -> Floats:
    """Predict class probabilities ``[test, classes present]`` (ascending) by multinomial logistic
    regression with a ridge penalty.

    The penalty is that of least log loss over five folds of training subjects (two where there are
    few), drawn with ``seed``.

    Args:
        train: standardised embeddings of the labelled training cases, ``[train, kept]``.
        label: ``[train]``, two classes at least.
        subjects: ``[train]``.
        test: ``[test, kept]``.
        seed: of the folds.
    """
    spectrum = CentredSvd.of(train)
    scale = float(np.sqrt((spectrum.singular**2).mean() / len(train))) or 1.0
    train_coordinates, test_coordinates = spectrum.train_coordinates / scale, spectrum.coordinates(test) / scale
    names, member = np.unique(subjects, return_inverse=True)
    fold = np.random.default_rng(seed).permutation(np.arange(names.size) % min(_FOLDS, names.size))[member]
    losses = np.zeros(_STRENGTHS.size)
    for number in np.unique(fold):
        held_out = fold == number
        scored = held_out & np.isin(label, label[~held_out])
        if not scored.any() or len(set(label[~held_out])) < 2:
            continue
        for index, strength in enumerate(_STRENGTHS):
            classes, probabilities = _fit(train_coordinates[~held_out], label[~held_out], train_coordinates[scored], float(strength))
            true_class = probabilities[np.arange(int(scored.sum())), np.searchsorted(classes, label[scored])]
            losses[index] -= np.log(np.maximum(true_class, np.finfo(np.float64).tiny)).sum()
    return _fit(train_coordinates, label, test_coordinates, float(_STRENGTHS[int(losses.argmin())]))[1]


def _fit(train: Floats, label: NDArray[np.int64], test: Floats, strength: float) -> tuple[NDArray[np.int64], Floats]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a weak penalty on separable cases has its best far away; folds judge it
        model = LogisticRegression(C=strength, max_iter=200).fit(train, label)
    probabilities: Floats = model.predict_proba(test)
    return model.classes_, probabilities


def regression_measures(predicted: Floats, grade: Floats) -> MeasureFamily:
    """``probe_ridge_r2``: 1 - squared error over that of the test cases' own mean; below zero where
    the probe is worse than it.
    """

    def compute(weights: Floats) -> dict[str, Floats]:
        total = np.maximum(weights.sum(axis=1), 1)
        spread = weights @ grade**2 / total - (weights @ grade / total) ** 2
        error = weights @ (grade - predicted) ** 2 / total
        share = np.divide(error, spread, out=np.full(len(weights), np.nan), where=spread > np.finfo(np.float32).eps)
        return {"probe_ridge_r2": 1 - share}

    return MeasureFamily(compute, {"probe_ridge_r2": "one grade only"})


def kappa_measures(predicted: NDArray[np.int64], grade: NDArray[np.int64]) -> MeasureFamily:
    """``probe_quadratic_kappa``: Cohen's kappa with quadratic weights of predicted and read grades.

    With quadratic weights the expected disagreement is var(read) + var(predicted) + (difference of
    means) squared, so no table is needed.
    """

    def compute(weights: Floats) -> dict[str, Floats]:
        total = np.maximum(weights.sum(axis=1), 1)
        means = [weights @ values / total for values in (grade, predicted)]
        spread = [weights @ values**2 / total - mean**2 for values, mean in zip((grade, predicted), means, strict=True)]
        chance = spread[0] + spread[1] + (means[0] - means[1]) ** 2
        disagreement = weights @ (grade - predicted) ** 2 / total
        kappa = 1 - np.divide(disagreement, chance, out=np.full(len(weights), np.nan), where=chance > np.finfo(np.float32).eps)
        return {"probe_quadratic_kappa": kappa}

    return MeasureFamily(compute, {"probe_quadratic_kappa": "one grade read and predicted throughout"})


def auc_measures(score: Floats, positive: NDArray[np.bool_]) -> MeasureFamily:
    """``probe_logistic_auc`` of a score with a yes/no label, both ``[cases]``."""
    by_score, member = SortedValues(score), np.stack([~positive, positive])

    def compute(weights: Floats) -> dict[str, Floats]:
        won, sizes = mann_whitney_wins(by_score, member, weights)
        pairs = sizes[:, 0] * sizes[:, 1]
        return {"probe_logistic_auc": np.divide(won[:, 0, 1], pairs, out=np.full(len(weights), np.nan), where=pairs > 0)}

    return MeasureFamily(compute, {"probe_logistic_auc": "one class only"})
