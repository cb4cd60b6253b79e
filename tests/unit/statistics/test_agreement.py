"""Quadratic kappa against scikit-learn and statsmodels, and where it is 0/0."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from kneeoa.statistics.agreement import quadratic_kappa


def raters(seed: int, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, size=150)
    return truth, np.clip(truth + rng.integers(-1, 2, size=150), 0, classes - 1)


def test_value_and_error_are_the_references() -> None:
    truth, predicted = raters(0)
    found = quadratic_kappa(truth, predicted, 5)
    table = np.zeros((5, 5))
    np.add.at(table, (truth, predicted), 1)
    reference = cohens_kappa(table, wt="fc")
    assert found.estimate == pytest.approx(cohen_kappa_score(truth, predicted, labels=range(5), weights="quadratic"), abs=1e-13)
    assert found.standard_error == pytest.approx(reference.std_kappa, rel=1e-11)
    assert (found.low, found.high) == pytest.approx((reference.kappa_low, reference.kappa_upp), rel=1e-11)


def test_an_absent_grade_keeps_its_place_on_the_scale() -> None:
    truth, predicted = raters(1)
    truth, predicted = np.where(truth == 2, 1, truth), np.where(predicted == 2, 3, predicted)
    found = quadratic_kappa(truth, predicted, 5)
    assert found.estimate == pytest.approx(cohen_kappa_score(truth, predicted, labels=range(5), weights="quadratic"), abs=1e-13)
    assert found.estimate != pytest.approx(cohen_kappa_score(truth, predicted, weights="quadratic"), abs=1e-3)


def test_two_classes_are_cohens_kappa() -> None:
    truth, predicted = raters(2, classes=2)
    predicted = np.where(np.arange(150) % 5 == 0, 1 - truth, truth)
    assert quadratic_kappa(truth, predicted, 2).estimate == pytest.approx(cohen_kappa_score(truth, predicted), abs=1e-13)


def test_extremes() -> None:
    truth, _ = raters(3)
    assert quadratic_kappa(truth, truth, 5).estimate == 1.0
    assert quadratic_kappa(truth, np.full(150, 2), 5).estimate == pytest.approx(0.0, abs=1e-15)
    assert math.isnan(quadratic_kappa(np.full(9, 2), np.full(9, 2), 5).estimate)
    assert math.isnan(quadratic_kappa([], [], 5).estimate)
    with pytest.raises(ValueError, match="predicted"):
        quadratic_kappa([0, 1], [0, 5], 5)
