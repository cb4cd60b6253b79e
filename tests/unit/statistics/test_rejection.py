"""The paired tests reject a true null at about 5 %: 2,000 studies each, one knee and two knees a
person.
"""

import numpy as np
import pytest
from scipy.special import expit

from kneeoa.statistics.ordinal import adjacent_auc_test, c_index_test
from tests.unit.statistics.by_kernels import class_metric_test, difference


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


TESTS = {
    "c_index": lambda t, a, b, c: c_index_test(t, a, b, c),
    "adjacent_auc": lambda t, a, b, c: adjacent_auc_test(t, a, b, 5, c),
    **{
        name: lambda t, a, b, c, name=name: class_metric_test(name, t, grades(a), grades(b), 5, c)
        for name in ("quadratic_kappa", "macro_f1", "mae", "within_one")
    },
    **{
        name: lambda t, a, b, c, name=name: difference(name, t >= 2, expit(2 * a), expit(2 * b), c)
        for name in ("brier", "calibration_slope", "sensitivity")
    },
}
"""Tests that give rows of CONTRASTS: DeLong's kin, and the delta method of the kernels."""


def rejected(name: str, subjects: int, knees: int, studies: int) -> float:
    rng = np.random.default_rng([subjects, knees, sorted(TESTS).index(name)])
    return float(np.mean([TESTS[name](*study(rng, subjects, knees)).p < 0.05 for _ in range(studies)]))


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "knees"), [(150, 1), (300, 2)])
@pytest.mark.parametrize("name", TESTS)
def test_a_true_null_is_rejected_as_often_as_it_says(name: str, subjects: int, knees: int) -> None:
    assert 0.035 <= rejected(name, subjects, knees, 2000) <= 0.065
