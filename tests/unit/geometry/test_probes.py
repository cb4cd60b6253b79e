import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, r2_score

from kneeoa.geometry.probes import kappa_measures, logistic_probe, regression_measures, ridge_probe


def test_scores_are_sklearns() -> None:
    rng = np.random.default_rng(0)
    grade, predicted = rng.integers(0, 5, 50), rng.integers(0, 5, 50)
    one = np.ones((1, 50))
    kappa = kappa_measures(predicted, grade).compute(one)["probe_quadratic_kappa"][0]
    assert kappa == pytest.approx(cohen_kappa_score(grade, predicted, weights="quadratic", labels=range(5)))
    share = regression_measures(predicted * 0.3, grade * 1.0).compute(one)["probe_ridge_r2"][0]
    assert share == pytest.approx(r2_score(grade, predicted * 0.3))
    assert np.isnan(kappa_measures(np.zeros(50, int), np.zeros(50, int)).compute(one)["probe_quadratic_kappa"][0])


def test_probes_read_what_is_there_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    grade = rng.integers(0, 5, 200)
    subjects = np.repeat(np.arange(100), 2).astype(str)
    noise = rng.normal(size=(200, 300))
    signal = noise + np.outer(grade, rng.normal(size=300)) * 0.3
    learn, test = slice(0, 100), slice(100, 200)
    scores = []
    for values in (signal, noise):
        predicted = ridge_probe(values[learn], grade[learn] * 1.0, subjects[learn], values[test])
        chances = logistic_probe(values[learn], grade[learn], subjects[learn], values[test], seed=0)
        again = logistic_probe(values[learn], grade[learn], subjects[learn], values[test], seed=0)
        assert np.array_equal(chances, again)
        scores.append((r2_score(grade[test], predicted), cohen_kappa_score(grade[test], chances.argmax(1), weights="quadratic")))
    assert min(scores[0]) > 0.6
    assert max(scores[1]) < 0.2
