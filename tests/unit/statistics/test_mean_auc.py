"""The one-vs-rest contrast: scikit-learn's values, DeLong for two classes, Obuchowski with
clusters, undefined parts.

The mean AUC over findings: DeLong's test of one, the one-vs-rest test of classes, and what
unread findings leave.
"""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kneeoa.errors import InvalidInput
from kneeoa.statistics.delong import delong_test
from kneeoa.statistics.mean_auc import mean_auc_test, ovr_auc_test
from tests.unit.statistics.references import ovr_auc


def cases(seed: int, n: int = 120, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % classes)
    stack = []
    for skill in (1.5, 1.0):
        logits = rng.normal(size=(n, classes))
        logits[np.arange(n), truth] += skill
        stack.append(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    return truth, stack[0], stack[1]


@pytest.mark.parametrize("average", ["macro", "weighted"])
def test_value_is_scikit_learns(average: str) -> None:
    truth, a, _ = cases(0, n=121)
    assert ovr_auc(truth, a, average) == pytest.approx(roc_auc_score(truth, a, multi_class="ovr", average=average), abs=1e-14)


def test_columns_are_not_renormalised() -> None:
    truth, a, _ = cases(1)
    factors = np.random.default_rng(0).uniform(0.5, 2, size=(120, 1))
    raw = a * factors
    expected = np.mean([roc_auc_score(truth == k, raw[:, k]) for k in range(4)])
    assert ovr_auc(truth, raw) == pytest.approx(expected, abs=1e-14)
    assert ovr_auc(truth, raw) != pytest.approx(ovr_auc(truth, a), abs=1e-4)


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("clustered", [False, True])
def test_two_classes_are_binary_delong(average: str, clustered: bool) -> None:
    truth, a, b = cases(2, n=90, classes=2)
    cluster = np.random.default_rng(1).integers(0, 40, size=90) if clustered else None
    multi = ovr_auc_test(truth, a, b, average, cluster)
    binary = delong_test(truth, a[:, 1], b[:, 1], cluster)
    assert multi.difference == pytest.approx(binary.difference, abs=1e-14)
    assert multi.variance == pytest.approx(binary.variance, rel=1e-11)
    assert multi.p == pytest.approx(binary.p, rel=1e-9)


def test_variance_is_the_gram_form_written_out() -> None:
    truth, a, b = cases(3)
    n, classes = a.shape
    influence = np.zeros((n, classes))
    for k in range(classes):
        positive = truth == k
        m = positive.sum()
        u = np.zeros(n)
        for i in range(n):
            for sign, p in ((1, a), (-1, b)):
                others = p[truth != k, k] if positive[i] else p[truth == k, k]
                u[i] += sign * ((others < p[i, k]) if positive[i] else (others > p[i, k])).mean()
        d = u[positive].mean()
        influence[:, k] = np.where(positive, (u - d) / np.sqrt(m * (m - 1)), (u - d) / np.sqrt((n - m) * (n - m - 1)))
    result = ovr_auc_test(truth, a, b)
    assert result.variance == pytest.approx(float((influence.mean(axis=1) ** 2).sum()), rel=1e-11)


def test_jackknife_agrees() -> None:
    truth, a, b = cases(4, n=200)
    keep = ~np.eye(200, dtype=bool)
    left_out = np.array([ovr_auc(truth[k], a[k]) - ovr_auc(truth[k], b[k]) for k in keep])
    jackknife = 199 / 200 * ((left_out - left_out.mean()) ** 2).sum()
    assert ovr_auc_test(truth, a, b).variance == pytest.approx(jackknife, rel=0.02)


def test_symmetries() -> None:
    truth, a, b = cases(5)
    cluster = np.arange(120) // 2
    base = ovr_auc_test(truth, a, b, cluster=cluster)
    swapped = ovr_auc_test(truth, b, a, cluster=cluster)
    assert (swapped.difference, swapped.z, swapped.p) == pytest.approx((-base.difference, -base.z, base.p), rel=1e-12)
    order = np.random.default_rng(2).permutation(120)
    shuffled = ovr_auc_test(truth[order], a[order], b[order], cluster=cluster[order])
    assert shuffled.variance == pytest.approx(base.variance, rel=1e-12)
    relabelled = ovr_auc_test(3 - truth, a[:, ::-1], b[:, ::-1], cluster=cluster)
    assert relabelled.variance == pytest.approx(base.variance, rel=1e-12)


def test_singletons_are_no_clusters_and_duplicated_subjects_add_nothing() -> None:
    truth, a, b = cases(6)
    plain = ovr_auc_test(truth, a, b)
    assert ovr_auc_test(truth, a, b, cluster=np.arange(120)) == plain
    twice = ovr_auc_test(np.tile(truth, 2), np.tile(a, (2, 1)), np.tile(b, (2, 1)), cluster=np.tile(np.arange(120), 2))
    assert twice.variance == pytest.approx(plain.variance, rel=1e-11)


def test_repeated_seeds_are_one_seed() -> None:
    truth, a, b = cases(7)
    one = ovr_auc_test(truth, a, b)
    two = ovr_auc_test(truth, np.stack([a, a]), np.stack([b, b, b]))
    assert two.difference == pytest.approx(one.difference, abs=1e-14)
    assert two.variance == pytest.approx(one.variance, rel=1e-11)
    mixed = ovr_auc_test(truth, np.stack([a, b]), np.stack([b, a]))
    assert (mixed.difference, mixed.p, mixed.degenerate) == (0.0, 1.0, True)


def test_identical_models_are_degenerate() -> None:
    truth, a, _ = cases(8)
    result = ovr_auc_test(truth, a, a)
    assert (result.z, result.p, result.degenerate) == (0.0, 1.0, True)


def test_absent_and_single_classes_are_undefined() -> None:
    truth, a, b = cases(9)
    absent = truth.copy()
    absent[truth == 3] = 0
    assert math.isnan(ovr_auc(absent, a))
    assert math.isnan(ovr_auc_test(absent, a, b).p)
    single = absent.copy()
    single[np.flatnonzero(truth == 3)[0]] = 3
    result = ovr_auc_test(single, a, b)
    assert result.difference == pytest.approx(ovr_auc(single, a) - ovr_auc(single, b))
    assert math.isnan(result.variance)


def test_bad_input_is_named() -> None:
    truth, a, b = cases(10)
    broken = b.copy()
    broken[5, 2] = np.nan
    with pytest.raises(ValueError, match=r"probabilities_b.*row 5"):
        ovr_auc_test(truth, a, broken)
    with pytest.raises(ValueError, match="rows"):
        ovr_auc_test(truth[:-1], a, b)
    with pytest.raises(ValueError, match="average"):
        ovr_auc_test(truth, a, a, "micro")


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
