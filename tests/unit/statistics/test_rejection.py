"""How often the paired tests reject a true null at 5 %: 2,000 studies each, one knee and two knees
a person.
"""

import numpy as np
import pytest
from scipy.special import expit

from kneeoa.statistics.agreement import class_metric_test
from kneeoa.statistics.brier import brier_test
from kneeoa.statistics.calibration import slope_test
from kneeoa.statistics.consistency import contradiction_test
from kneeoa.statistics.decision import net_benefit_test
from kneeoa.statistics.operating_point import operating_point_test
from kneeoa.statistics.ordinal import adjacent_auc_test, c_index_test

PARENTS = (0, 0, 1, 1, 1)


def study(rng: np.random.Generator, subjects: int, knees: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    """Grades 0 to 4, two exchangeable models' severities, subjects; a person's knees share severity
    and what models see.
    """
    n = subjects * knees
    person = np.repeat(np.arange(subjects), knees)
    severity = 0.8 * rng.normal(size=subjects)[person] + 0.6 * rng.normal(size=n)
    grade = np.digitize(severity + 0.3 * rng.normal(size=n), [-0.8, 0.0, 0.6, 1.2])
    shared = 0.5 * rng.normal(size=subjects)[person]
    a, b = (severity + shared + 0.5 * rng.normal(size=subjects)[person] + 0.5 * rng.normal(size=n) for _ in range(2))
    return grade, a, b, person if knees > 1 else None


def grades(severity: np.ndarray) -> np.ndarray:
    return np.digitize(severity, [-0.8, 0.0, 0.6, 1.2])


def softened(severity: np.ndarray) -> np.ndarray:
    logits = -((severity[:, None] - np.array([-1.2, -0.4, 0.3, 0.9, 1.6])) ** 2)
    shares = np.exp(logits)
    return shares / shares.sum(axis=1, keepdims=True)


def contradictions(t, a, b, c):
    heads = [np.column_stack([1 - expit(2 * s - 0.8), expit(2 * s - 0.8)]) for s in (a, b)]  # another cut than the fine head's
    return contradiction_test(heads[0], softened(a), heads[1], softened(b), PARENTS, c).call


TESTS = {
    "c_index": lambda t, a, b, c: c_index_test(t, a, b, c),
    "adjacent_auc": lambda t, a, b, c: adjacent_auc_test(t, a, b, 5, c),
    "quadratic_kappa": lambda t, a, b, c: class_metric_test("quadratic_kappa", t, grades(a), grades(b), 5, c),
    "macro_f1": lambda t, a, b, c: class_metric_test("macro_f1", t, grades(a), grades(b), 5, c),
    "mae": lambda t, a, b, c: class_metric_test("mae", t, grades(a), grades(b), 5, c),
    "within_one": lambda t, a, b, c: class_metric_test("within_one", t, grades(a), grades(b), 5, c),
    "brier": lambda t, a, b, c: brier_test(t >= 2, expit(2 * a), expit(2 * b), c),
    "slope": lambda t, a, b, c: slope_test(t >= 2, expit(2 * a), expit(2 * b), c),
    "net_benefit": lambda t, a, b, c: net_benefit_test(t >= 2, expit(2 * a), expit(2 * b), 0.3, c),
    "sensitivity": lambda t, a, b, c: operating_point_test(t >= 2, a, b, 0.1, 0.1, c)[0],
    "contradiction": contradictions,
}


def rejected(name: str, subjects: int, knees: int, studies: int) -> float:
    rng = np.random.default_rng([subjects, knees, sorted(TESTS).index(name)])
    return float(np.mean([TESTS[name](*study(rng, subjects, knees)).p < 0.05 for _ in range(studies)]))


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "knees"), [(150, 1), (300, 2)])
@pytest.mark.parametrize("name", TESTS)
def test_a_true_null_is_rejected_as_often_as_it_says(name: str, subjects: int, knees: int) -> None:
    assert 0.035 <= rejected(name, subjects, knees, 2000) <= 0.065
