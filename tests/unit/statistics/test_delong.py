"""Paired AUC tests against exact rational arithmetic, the formulas written out as loops, and
symmetries.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kneeoa.statistics.delong import auc_covariance, auc_interval, delong_test, weighted_contrast


def cases(seed: int, n: int = 60, ties: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.4).astype(int)
    truth[:3], truth[3:6] = 1, 0
    a, b = (truth * shift + rng.normal(size=n) for shift in (1.0, 0.6))
    return truth, np.round(a, 1) if ties else a, np.round(b, 1) if ties else b


def exact_placements(truth: np.ndarray, scores: np.ndarray) -> list[Fraction]:
    """By definition: every pair compared, no sorting."""
    values = []
    for label, score in zip(truth, scores, strict=True):
        others = scores[truth != label]
        wins = (others < score) if label == 1 else (others > score)
        values.append(Fraction(2 * int(wins.sum()) + int((others == score).sum()), 2 * len(others)))
    return values


def exact_test(truth: np.ndarray, a: np.ndarray, b: np.ndarray) -> tuple[Fraction, Fraction]:
    u = [x - y for x, y in zip(exact_placements(truth, a), exact_placements(truth, b), strict=True)]
    m, n = int((truth == 1).sum()), int((truth == 0).sum())
    d = sum(x for x, y in zip(u, truth, strict=True) if y == 1) / m
    variance = sum((x - d) ** 2 / (m * (m - 1) if y == 1 else n * (n - 1)) for x, y in zip(u, truth, strict=True))
    return d, variance


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("ties", [True, False])
def test_equals_exact_rational_arithmetic(seed: int, ties: bool) -> None:
    truth, a, b = cases(seed, ties=ties)
    difference, variance = exact_test(truth, a, b)
    result = delong_test(truth, a, b)
    assert result.difference == pytest.approx(float(difference), rel=1e-14, abs=1e-16)
    assert result.variance == pytest.approx(float(variance), rel=1e-12)
    assert result.z == pytest.approx(float(difference) / math.sqrt(variance), rel=1e-12, abs=1e-14)
    assert result.estimate_a == pytest.approx(roc_auc_score(truth, a), abs=1e-15)


def test_nearly_equal_models_lose_no_digits() -> None:
    truth, a, _ = cases(1, n=400, ties=False)
    b = a.copy()
    order = np.argsort(a)
    b[order[200]], b[order[201]] = a[order[201]], a[order[200]]
    while truth[order[200]] == truth[order[201]]:
        truth[order[201]] = 1 - truth[order[201]]
    difference, variance = exact_test(truth, a, b)
    result = delong_test(truth, a, b)
    assert difference != 0
    assert result.difference == pytest.approx(float(difference), rel=1e-14)
    assert result.variance == pytest.approx(float(variance), rel=1e-11)


def test_row_order_and_monotone_transforms_change_nothing_and_a_swap_the_sign() -> None:
    truth, a, b = cases(2)
    cluster = np.arange(truth.size) // 2
    base = delong_test(truth, a, b, cluster)
    order = np.random.default_rng(0).permutation(truth.size)
    shuffled = delong_test(truth[order], a[order], b[order], cluster[order])
    transformed = delong_test(truth, np.exp(a), 3 * b - 7, cluster)
    for other in (shuffled, transformed):
        assert other.difference == base.difference
        assert other.variance == pytest.approx(base.variance, rel=1e-12)
        assert other.p == pytest.approx(base.p, rel=1e-10)
    swapped = delong_test(truth, b, a, cluster)
    assert (swapped.difference, swapped.z, swapped.p) == (-base.difference, -base.z, base.p)
    assert (swapped.low, swapped.high) == (-base.high, -base.low)


def test_interval_is_of_the_difference_and_follows_the_confidence() -> None:
    truth, a, b = cases(3)
    result = delong_test(truth, a, b)
    half = 1.959963984540054 * math.sqrt(result.variance)
    assert (result.low, result.high) == pytest.approx((result.difference - half, result.difference + half))
    assert delong_test(truth, a, b, confidence=0.8).high < result.high


def test_identical_models_are_degenerate_with_p_one() -> None:
    truth, a, _ = cases(4)
    for other in (a, 2 * a):
        result = delong_test(truth, a, other)
        assert (result.z, result.p, result.low, result.high, result.degenerate) == (0.0, 1.0, 0.0, 0.0, True)
    constant = delong_test(truth, np.zeros(60), np.ones(60))
    assert (constant.estimate_a, constant.p, constant.degenerate) == (0.5, 1.0, True)


def test_a_difference_without_variance_has_no_test() -> None:
    truth, _, _ = cases(5)
    perfect, reversed_ = truth.astype(float), -truth.astype(float)
    result = delong_test(truth, perfect, reversed_)
    assert (result.estimate_a, result.estimate_b, result.difference, result.variance) == (1.0, 0.0, 1.0, 0.0)
    assert math.isnan(result.p)
    assert math.isnan(result.z)
    assert result.degenerate


def test_too_few_cases_are_undefined() -> None:
    one_positive = delong_test([1, 0, 0, 0], [3, 1, 2, 4], [1, 2, 3, 4])
    assert one_positive.estimate_a == pytest.approx(2 / 3)
    assert math.isnan(one_positive.variance)
    assert math.isnan(one_positive.p)
    single_class = delong_test([0, 0, 0], [3, 1, 2], [1, 2, 3])
    assert math.isnan(single_class.estimate_a)
    assert math.isnan(single_class.p)
    assert not single_class.degenerate


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_scores_are_named(bad: float) -> None:
    with pytest.raises(ValueError, match=r"scores_b.*row 2"):
        delong_test([1, 0, 1], [1, 2, 3], [1, 2, bad])


@pytest.mark.parametrize("truth", [[0, 1, 2], [0, 1, 0.5], [0, 1, -1], [0, 1]])
def test_bad_truth_is_refused(truth: list[float]) -> None:
    with pytest.raises(ValueError, match=r"truth|rows"):
        delong_test(truth, [1, 2, 3], [3, 2, 1])


def test_a_vanishing_p_keeps_its_logarithm() -> None:
    rng = np.random.default_rng(6)
    truth = np.repeat([0, 1], 4000)
    result = delong_test(truth, truth * 3 + rng.normal(size=8000), rng.normal(size=8000))
    assert result.z > 40
    assert result.p > 0
    assert result.log10_p == pytest.approx(-(result.z**2) / 2 / math.log(10) - math.log10(result.z * math.sqrt(math.pi / 2)), rel=1e-4)


def obuchowski(truth: np.ndarray, scores: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """The covariance as printed in Obuchowski 1997, by loops over models and clusters."""
    names = sorted(set(cluster))
    m, n = (truth == 1).sum(), (truth == 0).sum()
    v = np.array([[float(x) for x in exact_placements(truth, column)] for column in scores.T])
    theta = v[:, truth == 1].mean(axis=1)
    X = np.array([[(v[r] - theta[r])[(cluster == k) & (truth == 1)].sum() for k in names] for r in range(len(v))])
    Y = np.array([[(v[r] - theta[r])[(cluster == k) & (truth == 0)].sum() for k in names] for r in range(len(v))])
    i10, i01, i = len(set(cluster[truth == 1])), len(set(cluster[truth == 0])), len(names)
    cross = X @ Y.T + Y @ X.T
    return i10 / (i10 - 1) * X @ X.T / m**2 + i01 / (i01 - 1) * Y @ Y.T / n**2 + i / (i - 1) * cross / (m * n)


def test_clusters_follow_obuchowski() -> None:
    truth, a, b = cases(7, n=80)
    cluster = np.random.default_rng(1).integers(0, 35, size=80)
    scores = np.column_stack([a, b, a - b])
    expected = obuchowski(truth, scores, cluster)
    joint = auc_covariance(truth, scores, cluster)
    assert joint.covariance == pytest.approx(expected, rel=1e-11)
    contrast = np.array([1.0, -1.0, 0.0])
    assert delong_test(truth, a, b, cluster).variance == pytest.approx(contrast @ expected @ contrast, rel=1e-11)
    assert np.linalg.eigvalsh(joint.covariance).min() > -1e-15


def test_singletons_are_no_clusters_and_duplicated_subjects_add_nothing() -> None:
    truth, a, b = cases(8)
    plain = delong_test(truth, a, b)
    names = np.array([f"s{i}" for i in range(60)], dtype=object)
    assert delong_test(truth, a, b, names) == plain
    twice = delong_test(*(np.tile(x, 2) for x in (truth, a, b)), cluster=np.tile(names, 2))
    assert twice.difference == pytest.approx(plain.difference, abs=1e-15)
    assert twice.variance == pytest.approx(plain.variance, rel=1e-12)
    assert delong_test(*(np.tile(x, 2) for x in (truth, a, b))).variance < 0.6 * plain.variance


def test_weighted_contrast_is_the_quadratic_form_and_generalises_the_pair() -> None:
    truth, a, b = cases(9)
    rng = np.random.default_rng(2)
    scores = np.column_stack([a, a + rng.normal(size=60), b, b + rng.normal(size=60)])
    weights = np.array([0.5, 0.5, -0.5, -0.5])
    cluster = np.arange(60) // 2
    covariance = auc_covariance(truth, scores, cluster)
    result = weighted_contrast(truth, scores, weights, cluster)
    assert result.variance == pytest.approx(weights @ covariance.covariance @ weights, rel=1e-11)
    assert result.estimate == pytest.approx(weights @ covariance.auc, abs=1e-15)
    pair, test = weighted_contrast(truth, scores[:, [0, 2]], [1, -1]), delong_test(truth, a, b)
    assert (pair.estimate, pair.variance, pair.p) == (test.difference, test.variance, test.p)


def test_equal_sets_of_seeds_in_another_order_are_degenerate() -> None:
    truth, a, b = cases(10)
    scores = np.column_stack([a, b, a + b, b, a + b, a])
    result = weighted_contrast(truth, scores, np.array([1, 1, 1, -1, -1, -1]) / 3)
    assert (result.estimate, result.p, result.degenerate) == (0.0, 1.0, True)


def test_intervals_of_one_auc() -> None:
    truth, a, _ = cases(11)
    variance = auc_covariance(truth, a).covariance[0, 0]
    logit, wald = auc_interval(truth, a), auc_interval(truth, a, method="wald")
    auc, half = logit.estimate, 1.959963984540054 * math.sqrt(variance)
    centre, reach = math.log(auc / (1 - auc)), half / (auc * (1 - auc))
    assert (logit.low, logit.high) == pytest.approx(tuple(1 / (1 + math.exp(-x)) for x in (centre - reach, centre + reach)))
    assert (wald.low, wald.high) == pytest.approx((auc - half, min(auc + half, 1)))
    small = auc_interval([0, 0, 0, 1, 1], [1, 2, 5, 4, 6])
    assert 0 < small.low < small.estimate < small.high < 1
    assert auc_interval([0, 0, 0, 1, 1], [1, 2, 5, 4, 6], method="wald").high == 1.0


def test_a_perfect_auc_has_no_logit_interval() -> None:
    interval = auc_interval([0, 0, 1, 1], [1, 2, 3, 4])
    assert (interval.estimate, interval.degenerate, math.isnan(interval.low)) == (1.0, True, True)
    assert auc_interval([0, 0, 1, 1], [1, 2, 3, 4], method="wald").low == 1.0


def test_mean_of_seeds_has_the_variance_of_the_mean() -> None:
    truth, a, b = cases(12)
    scores = np.column_stack([a, b])
    covariance = auc_covariance(truth, scores)
    interval = auc_interval(truth, scores)
    assert interval.estimate == pytest.approx(covariance.auc.mean())
    assert interval.variance == pytest.approx(covariance.covariance.mean())


def test_clustered_test_keeps_its_level_where_the_plain_one_does_not() -> None:
    rng = np.random.default_rng(13)
    rejected = np.zeros(2)
    for _ in range(400):
        subject = rng.normal(size=(3, 60))  # latent severity, and what each model makes of the subject
        severity = np.repeat(subject[0], 4)
        truth = (severity + 0.3 * rng.normal(size=240) > 0).astype(int)
        a, b = (severity + np.repeat(effect, 4) + 0.3 * rng.normal(size=240) for effect in subject[1:])
        cluster = np.repeat(np.arange(60), 4)
        rejected += [delong_test(truth, a, b, cluster).p < 0.05, delong_test(truth, a, b).p < 0.05]
    clustered, plain = rejected / 400
    assert 0.02 <= clustered <= 0.09
    assert plain > 0.15
