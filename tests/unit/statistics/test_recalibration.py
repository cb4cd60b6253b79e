"""Prior correction and recalibration, against exact arithmetic, statsmodels-free brute force and
planted values.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from kneeoa.errors import KneeoaError
from kneeoa.statistics.calibration import sampled_slope
from kneeoa.statistics.recalibration import cross_fitted, fit_recalibration, folds_of_people, prior_corrected, recalibrated


def planted(count: int, slope: float, intercepts: tuple[float, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(seed)
    scores = log_softmax(draws.normal(0, 1.5, (count, len(intercepts))), axis=1)
    true = softmax(np.array(intercepts) + slope * scores, axis=1)
    return (true.cumsum(axis=1) < draws.random((count, 1))).sum(axis=1), scores


def test_prior_correction_in_exact_fractions() -> None:
    p, old, new = ([Fraction(part, 10) for part in parts] for parts in ((5, 3, 2), (6, 3, 1), (2, 3, 5)))
    weighted = [a * c / b for a, b, c in zip(p, old, new, strict=True)]
    corrected, reason = prior_corrected(*(np.array([[float(x) for x in p]]), *(np.array([float(x) for x in y]) for y in (old, new))))
    assert reason == ""
    assert corrected[0] == pytest.approx([float(value / sum(weighted)) for value in weighted], rel=1e-15)
    same, _ = prior_corrected(corrected, np.array([0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5]))
    assert same == pytest.approx(corrected, rel=1e-15)


@pytest.mark.parametrize(
    ("probabilities", "old", "new", "reason"),
    [
        ([[0.5, 0.5]], [1.0, 0.0], [0.5, 0.5], "no training case"),
        ([[0.0, 1.0]], [0.5, 0.5], [1.0, 0.0], "classes alone that the cohort does not have"),
    ],
)
def test_what_has_no_ratio_is_undefined_with_its_reason(
    probabilities: list[list[float]], old: list[float], new: list[float], reason: str
) -> None:
    values, why = prior_corrected(np.array(probabilities), np.array(old), np.array(new))
    assert np.isnan(values).all()
    assert reason in why


def test_a_planted_recalibration_comes_back_and_is_the_maximum() -> None:
    truth, scores = planted(20_000, 0.6, (0.0, 0.8, -0.5, 0.3))
    fit = fit_recalibration(truth, scores)
    assert fit.slope == pytest.approx(0.6, abs=0.03)
    assert fit.intercepts == pytest.approx([0.0, 0.8, -0.5, 0.3], abs=0.08)

    def loss(parameters: np.ndarray) -> float:
        values = log_softmax(np.concatenate([[0.0], parameters[1:]]) + parameters[0] * scores, axis=1)
        return float(-values[np.arange(truth.size), truth].mean())

    best = minimize(loss, np.array([1.0, 0, 0, 0]), method="BFGS")
    assert loss(np.concatenate([[fit.slope], fit.intercepts[1:]])) <= best.fun + 1e-12
    assert np.allclose(recalibrated(scores, fit), softmax(fit.intercepts + fit.slope * scores, axis=1), atol=1e-15)


def test_of_two_classes_it_is_coxs_slope() -> None:
    truth, scores = planted(500, 0.7, (0.0, -0.4), seed=2)
    fit = fit_recalibration(truth, scores)
    cox = sampled_slope(truth, np.exp(scores[:, 1]))
    assert fit.slope == pytest.approx(cox.value, rel=1e-9)
    assert fit.slope_influence == pytest.approx(cox.influence, abs=1e-9)


def test_influences_are_the_derivatives_by_a_cases_weight() -> None:
    truth, scores = planted(60, 0.8, (0.0, 0.4, -0.3), seed=5)
    fit = fit_recalibration(truth, scores)
    copies = 2000
    for case in (0, 17, 42):  # a case once more among 2,000 copies of all of them
        more = fit_recalibration(
            np.concatenate([np.tile(truth, copies), truth[[case]]]), np.concatenate([np.tile(scores, (copies, 1)), scores[[case]]])
        )
        assert (more.slope - fit.slope) * copies == pytest.approx(fit.slope_influence[case], rel=2e-3, abs=1e-4)
        moved = (more.intercepts - fit.intercepts) * copies
        assert moved == pytest.approx(fit.intercept_influence[case], rel=2e-3, abs=1e-4)


def test_a_class_without_a_case_gets_no_probability() -> None:
    truth, scores = planted(300, 1.0, (0.0, 0.2, 0.1), seed=1)
    kept = truth != 1
    fit = fit_recalibration(truth[kept], scores[kept])
    assert fit.intercepts[1] == -np.inf
    pair = fit_recalibration(truth[kept] // 2, log_softmax(scores[kept][:, [0, 2]], axis=1))
    assert fit.slope == pytest.approx(pair.slope, rel=1e-9)
    assert (recalibrated(scores, fit)[:, 1] == 0).all()


@pytest.mark.parametrize(
    ("truth", "scores", "reason"),
    [
        ([0, 0, 0], [[0.0, 1.0]] * 3, "one class alone"),
        ([0, 1, 0, 1], [[0.2, 0.1]] * 4, "the same for all cases"),
        ([0, 0, 1, 1], [[2.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 2.0]], "separate"),
    ],
)
def test_fits_without_a_maximum_say_so(truth: list[int], scores: list[list[float]], reason: str) -> None:
    fit = fit_recalibration(np.array(truth), np.array(scores))
    assert reason in fit.reason
    assert np.isnan(fit.slope)


def test_no_person_has_a_part_in_his_own_probabilities() -> None:
    truth, scores = planted(120, 0.7, (0.0, 0.5, 0.1), seed=4)
    people = [f"p{number // 3}" for number in range(120)]
    folds = folds_of_people(people, truth, 5, seed=1)
    assert all(len({int(fold) for fold, name in zip(folds, people, strict=True) if name == person}) == 1 for person in set(people))
    assert np.bincount(folds[::3]).max() - np.bincount(folds[::3]).min() <= 1
    values, reason = cross_fitted(truth, scores, folds)
    assert reason == ""
    assert np.allclose(values.sum(axis=1), 1)
    changed = truth.copy()
    changed[:3] = (changed[:3] + 1) % 3  # all labels of one person
    again, _ = cross_fitted(changed, scores, folds)
    mine = folds == folds[0]
    assert (again[mine] == values[mine]).all()
    assert (again[~mine] != values[~mine]).any()


def test_folds_are_the_seeds_and_do_not_depend_on_the_order_of_rows() -> None:
    people, truth = [f"p{number}" for number in range(40)], np.arange(40) % 5
    folds = folds_of_people(people, truth, 5, seed=1)
    backwards = folds_of_people(people[::-1], truth[::-1], 5, seed=1)
    assert (folds == backwards[::-1]).all()
    assert (folds != folds_of_people(people, truth, 5, seed=2)).any()
    with pytest.raises(KneeoaError, match="two or more"):
        folds_of_people(people, truth, 1, seed=1)


def test_a_class_of_one_person_alone_cannot_be_cross_fitted() -> None:
    truth, scores = planted(100, 1.0, (0.0, 0.3), seed=6)
    scores = np.concatenate([scores, np.full((100, 1), -3.0)], axis=1)
    truth = truth.copy()
    truth[0] = 2
    values, reason = cross_fitted(truth, scores, folds_of_people([str(number) for number in range(100)], truth, 5, seed=1))
    assert np.isnan(values).all()
    assert "in one fold of people alone" in reason
