"""The mean AUC over findings: DeLong's test of one, the one-vs-rest test of classes, and what
unread findings leave.
"""

import numpy as np
import pytest

from kneeoa.errors import InvalidInput
from kneeoa.statistics.delong import delong_test
from kneeoa.statistics.multiclass import ovr_auc_test
from kneeoa.statistics.multilabel_auc import mean_auc_test


def findings(n: int = 80, count: int = 3, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n // 2), 2)
    severity = rng.normal(size=n // 2)[person]
    truth = (severity[:, None] + rng.normal(size=(n, count)) > 0).astype(int)
    shared = rng.normal(size=n)[:, None]
    a, b = (truth + shared + rng.normal(size=(n, count)) for _ in range(2))
    return truth, a, b, person


def test_of(rows, truth, a, b, person):
    return mean_auc_test(
        rows,
        [truth[cases, number] for number, cases in enumerate(rows)],
        [a[None, cases, number] for number, cases in enumerate(rows)],
        [b[None, cases, number] for number, cases in enumerate(rows)],
        person,
    )


test_of.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("clustered", [False, True])
def test_one_finding_is_delongs_test(clustered) -> None:
    truth, a, b, person = findings()
    who = person if clustered else np.arange(80)
    read = np.flatnonzero(np.arange(80) % 7)
    result = test_of([read], truth, a, b, who)
    expected = delong_test(truth[read, 0], a[read, 0], b[read, 0], who[read])
    assert (result.estimate_a, result.difference) == pytest.approx((expected.estimate_a, expected.difference))
    assert (result.variance, result.p) == pytest.approx((expected.variance, expected.p), rel=1e-12)


def test_classes_as_findings_are_the_one_vs_rest_test() -> None:
    rng = np.random.default_rng(2)
    grade = rng.integers(0, 4, 120)
    a, b = (rng.dirichlet(np.ones(4), 120) + 0.3 * np.eye(4)[grade] for _ in range(2))
    result = test_of([np.arange(120)] * 4, np.eye(4, dtype=int)[grade], a, b, np.arange(120))
    expected = ovr_auc_test(grade, a, b)
    assert (result.difference, result.variance) == pytest.approx((expected.difference, expected.variance), rel=1e-12)


def test_a_finding_given_twice_changes_nothing_and_independent_ones_share_no_variance() -> None:
    truth, a, b, person = findings()
    everything = np.arange(80)
    twice = [np.repeat(values[:, :1], 2, axis=1) for values in (truth, a, b)]
    once, both = test_of([everything], truth, a, b, person), test_of([everything] * 2, *twice, person)
    assert (both.difference, both.variance) == pytest.approx((once.difference, once.variance), rel=1e-12)
    halves = [np.flatnonzero(person < 20), np.flatnonzero(person >= 20)]  # read in different people
    parts = [test_of([rows], *(values[:, [number]] for values in (truth, a, b)), person) for number, rows in enumerate(halves)]
    result = test_of(halves, truth, a, b, person)
    assert result.variance == pytest.approx(sum(part.variance for part in parts) / 4, rel=1e-12)


def test_seeds_are_averaged_and_equal_models_are_degenerate() -> None:
    truth, a, b, person = findings()
    rows = [np.arange(80)] * 3
    labels = list(truth.T)
    stacks = [[np.stack([one[:, number] for one in models]) for number in range(3)] for models in ((a, b), (b, a))]
    result = mean_auc_test(rows, labels, stacks[0], stacks[1], person)
    assert (result.difference, result.variance, result.p) == (0.0, 0.0, 1.0)
    assert result.degenerate


def test_a_finding_without_positives_is_undefined_and_lengths_must_agree() -> None:
    truth, a, b, person = findings()
    truth[:, 1] = 0
    assert np.isnan(test_of([np.arange(80)] * 3, truth, a, b, person).difference)
    with pytest.raises(InvalidInput, match="80 rows, but 79 labels"):
        mean_auc_test([np.arange(80)], [truth[1:, 0]], [a[None, :, 0]], [b[None, :, 0]], person)


@pytest.mark.slow
@pytest.mark.parametrize(("people", "knees"), [(150, 1), (150, 2)])
def test_a_true_null_is_rejected_as_often_as_it_says(people, knees) -> None:
    rng = np.random.default_rng([people, knees])
    rejected = 0
    for _ in range(2000):
        person = np.repeat(np.arange(people), knees)
        severity = rng.normal(size=people)[person]
        truth = (severity[:, None] + rng.normal(size=(person.size, 4)) > [0, 0.5, 1.0, 1.6]).astype(int)
        shared = rng.normal(size=people)[person][:, None]
        a, b = (truth + shared + rng.normal(size=(person.size, 1)) + rng.normal(size=truth.shape) for _ in range(2))
        rows = [np.flatnonzero(rng.random(person.size) < 0.9) for _ in range(4)]
        rejected += test_of(rows, truth, a, b, person).p < 0.05
    assert 0.035 <= rejected / 2000 <= 0.065
