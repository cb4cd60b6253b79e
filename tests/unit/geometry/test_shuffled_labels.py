"""An axis from true labels orders the grades of held-out cases; axes from labels shuffled between
training cases do not.
"""

import numpy as np
import pytest

from kneeoa.geometry.axis import fit_axis, fit_scaler
from kneeoa.geometry.rank_measures import grade_measures

TRAIN, TEST, WIDTH, SHUFFLES = 150, 100, 40, 40


def scored(kind: str, values: np.ndarray, fitted_on: np.ndarray, grade: np.ndarray) -> dict[str, float]:
    """Measures of the test cases' true grades along an axis that was fitted on training cases with
    the labels given.
    """
    scaled = fit_scaler(values[:TRAIN]).apply(values)
    position = fit_axis(kind, scaled[:TRAIN], fitted_on, 4).positions(scaled[TRAIN:])
    measured = grade_measures(position, grade[TRAIN:], range(5)).compute(np.ones((1, TEST)))
    return {name: float(value[0]) for name, value in measured.items()}


@pytest.mark.parametrize("kind", ["centroid", "lda", "ridge"])
def test_only_true_labels_give_an_axis_that_orders_grades(kind: str) -> None:
    rng = np.random.default_rng(4)
    grade = np.tile(np.arange(5), (TRAIN + TEST) // 5)
    values = np.outer(grade - 2.0, rng.normal(size=WIDTH)) * 0.5 + rng.normal(size=(TRAIN + TEST, WIDTH))

    true = scored(kind, values, grade[:TRAIN].astype(float), grade)
    assert true["spearman"] > 0.85
    assert true["somers_d"] > 0.8
    assert true["jonckheere_terpstra_z"] > 8
    assert true["centroid_order"] == 1
    assert true["adjacent_auc_min"] > 0.75

    shuffled = [scored(kind, values, rng.permutation(grade[:TRAIN]).astype(float), grade) for _ in range(SHUFFLES)]
    spearman = np.array([one["spearman"] for one in shuffled])
    # Of either sign, as often up as down: a single shuffled axis may lie along the grades by
    # accident, never as well as the true one.
    assert abs(spearman.mean()) < 3 * spearman.std(ddof=1) / np.sqrt(SHUFFLES)
    assert 0.25 < (spearman > 0).mean() < 0.75
    assert spearman.max() < true["spearman"]
    assert np.mean([one["centroid_order"] for one in shuffled]) <= 0.5
    assert np.median([one["adjacent_auc_min"] for one in shuffled]) < 0.5


@pytest.mark.parametrize("kind", ["centroid", "lda", "ridge", "pc1"])
def test_an_arm_whose_embedding_holds_no_grade_orders_none(kind: str) -> None:
    """A network trained on shuffled labels has learnt its own training labels and nothing of new
    cases.
    """
    rng = np.random.default_rng(5)
    grade = np.tile(np.arange(5), (TRAIN + TEST) // 5)
    learnt = np.r_[rng.permutation(grade[:TRAIN]), rng.integers(0, 5, TEST)].astype(float)
    values = np.outer(learnt, rng.normal(size=WIDTH)) + rng.normal(size=(TRAIN + TEST, WIDTH))
    scores = scored(kind, values, learnt[:TRAIN], grade)
    assert abs(scores["spearman"]) < 0.25
    assert abs(scores["jonckheere_terpstra_z"]) < 2.58
    assert scores["adjacent_auc_min"] < 0.6
