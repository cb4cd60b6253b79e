"""Ordinal AUCs: definitions by all pairs, DeLong for two grades, the jackknife, clusters,
symmetries, absent grades.
"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import somersd
from sklearn.metrics import roc_auc_score

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import mean_class
from kneeoa.statistics.delong import auc_interval, delong_test
from kneeoa.statistics.kernels import metric
from kneeoa.statistics.metrics import value
from kneeoa.statistics.ordinal import (
    adjacent_auc,
    adjacent_auc_test,
    at_least,
    c_index,
    c_index_test,
    cut_auc,
    cut_auc_test,
)


def cases(seed: int, n: int = 100, classes: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(n) % classes)
    a, b = (np.round(skill * truth + 1.5 * rng.normal(size=n), 1) for skill in (1.0, 0.7))
    return truth, a, b


def test_the_upper_classes_of_a_row_that_sums_to_more_than_one_by_rounding_are_one() -> None:
    rows = np.array([[0.0, 0.6, 0.4 + 6e-8], [0.1, 0.5, 0.4]])
    assert at_least(rows, 1).tolist() == [1.0, 0.9]
    with pytest.raises(KneeoaError, match=r"sum to 1\.1;"):
        at_least(np.array([[0.01, 0.62, 0.37], [0.0, 0.6, 0.5]]), 1)


def by_pairs(truth: np.ndarray, scores: np.ndarray, adjacent: bool = False) -> float:
    values, sizes = [], []
    for low, high in itertools.combinations(range(5), 2):
        if adjacent and high != low + 1:
            continue
        gaps = scores[truth == high][:, None] - scores[truth == low][None, :]
        values.append(((gaps > 0) + 0.5 * (gaps == 0)).mean())
        sizes.append(1 if adjacent else gaps.size)
    return float(np.average(values, weights=sizes))


def test_values_are_the_definitions() -> None:
    truth, a, _ = cases(0)
    assert c_index(truth, a).estimate == pytest.approx(by_pairs(truth, a), abs=1e-14)
    assert adjacent_auc(truth, a, 5).estimate == pytest.approx(by_pairs(truth, a, True), abs=1e-14)
    assert cut_auc(truth, a, 2).estimate == pytest.approx(roc_auc_score(truth >= 2, a), abs=1e-14)
    assert 2 * c_index(truth, a).estimate - 1 == pytest.approx(somersd(truth, a).statistic, abs=1e-14)


@pytest.mark.parametrize("clustered", [False, True])
def test_two_grades_are_delong_exactly(clustered: bool) -> None:
    truth, a, b = cases(1, classes=2)
    cluster = np.random.default_rng(0).integers(0, 45, size=100) if clustered else None
    binary, single = delong_test(truth, a, b, cluster), auc_interval(truth, a, cluster)
    for test in (
        c_index_test(truth, a, b, cluster),
        adjacent_auc_test(truth, a, b, 2, cluster),
        cut_auc_test(truth, a, b, 1, cluster),
    ):
        assert (test.difference, test.estimate_a, test.estimate_b) == pytest.approx(
            (binary.difference, binary.estimate_a, binary.estimate_b), abs=1e-14
        )
        assert (test.variance, test.p) == pytest.approx((binary.variance, binary.p), rel=1e-10)
    for estimate in (c_index(truth, a, cluster), adjacent_auc(truth, a, 2, cluster), cut_auc(truth, a, 1, cluster)):
        assert (estimate.low, estimate.high) == pytest.approx((single.low, single.high), rel=1e-10)


@pytest.mark.parametrize("adjacent", [False, True])
def test_the_jackknife_agrees(adjacent: bool) -> None:
    truth, a, b = cases(2, n=240)
    cluster = np.arange(240) // 2
    test = adjacent_auc_test(truth, a, b, 5, cluster) if adjacent else c_index_test(truth, a, b, cluster)
    gaps = np.array([by_pairs(truth[k], a[k], adjacent) - by_pairs(truth[k], b[k], adjacent) for k in (cluster != s for s in range(120))])
    assert test.variance == pytest.approx(119 / 120 * ((gaps - gaps.mean()) ** 2).sum(), rel=0.06)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_symmetries(seed: int) -> None:
    truth, a, b = cases(seed, n=60)
    cluster = np.arange(60) // 2
    order = np.random.default_rng(seed).permutation(60)
    for run in (
        lambda t, x, y, c: c_index_test(t, x, y, c),
        lambda t, x, y, c: adjacent_auc_test(t, x, y, 5, c),
        lambda t, x, y, c: cut_auc_test(t, x, y, 2, c),
    ):
        base, swapped = run(truth, a, b, cluster), run(truth, b, a, cluster)
        assert swapped.difference == pytest.approx(-base.difference, abs=1e-15)
        assert (swapped.variance, swapped.p) == pytest.approx((base.variance, base.p), rel=1e-9)
        shuffled = run(truth[order], a[order], b[order], cluster[order])
        assert (shuffled.variance, shuffled.difference) == pytest.approx((base.variance, base.difference), rel=1e-9, abs=1e-14)
        assert run(truth, np.exp(a), 2 * b, cluster).variance == pytest.approx(base.variance, rel=1e-9)
        twice = run(np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), np.tile(np.arange(60), 2))
        assert twice.variance == pytest.approx(run(truth, a, b, np.arange(60)).variance, rel=1e-9)
        assert run(truth, a, b, np.arange(60)) == run(truth, a, b, None)
        same = run(truth, np.stack([a, b]), np.stack([b, a]), cluster)
        assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_absent_and_single_cases() -> None:
    truth, a, b = cases(3)
    without = truth != 3
    absent = (truth[without], a[without], b[without])
    assert math.isnan(adjacent_auc(absent[0], absent[1], 5).estimate)
    assert math.isnan(adjacent_auc_test(*absent, 5).p)
    assert not math.isnan(c_index_test(*absent).p)
    top = truth != 4  # also where the absent grade is the highest
    assert math.isnan(adjacent_auc(truth[top], a[top], 5).estimate)
    alone = (truth != 4) | (np.arange(100) == np.flatnonzero(truth == 4)[0])
    one = c_index(truth[alone], a[alone])
    assert not math.isnan(one.estimate)
    assert math.isnan(one.standard_error)
    assert math.isnan(c_index(np.zeros(5), np.arange(5.0)).estimate)
    perfect = c_index(truth, truth)
    assert (perfect.estimate, perfect.degenerate) == (1.0, True)
    assert math.isnan(perfect.low)


def test_scores_of_probabilities() -> None:
    probabilities = np.random.default_rng(4).dirichlet(np.ones(5), size=(2, 30))
    assert mean_class(probabilities).shape == (2, 30)
    assert mean_class(np.eye(5)) == pytest.approx(np.arange(5))
    assert at_least(probabilities, 1) == pytest.approx(1 - probabilities[..., 0])
    assert at_least(probabilities, 4) == pytest.approx(probabilities[..., 4])
    with pytest.raises(KneeoaError, match="cut"):
        at_least(probabilities, 5)


@pytest.mark.parametrize(("name", "function"), [("c_index", by_pairs), ("adjacent_auc", lambda t, s: by_pairs(t, s, True))])
def test_the_weighted_metrics_are_the_same_statistics(name: str, function) -> None:
    truth, *_ = cases(5)
    probabilities = np.random.default_rng(6).dirichlet(np.ones(5), size=100)
    assert value(metric(name), truth, probabilities) == pytest.approx(function(truth, mean_class(probabilities)), abs=1e-13)
    weights = np.random.default_rng(7).integers(0, 3, size=(1, 100))
    rows = np.repeat(np.arange(100), weights[0])
    values = metric(name)(truth, probabilities, weights.astype(float))[0]
    assert values == pytest.approx(function(truth[rows], mean_class(probabilities[rows])), abs=1e-12)


def test_bad_input_is_refused() -> None:
    truth, a, b = cases(8)
    with pytest.raises((KneeoaError, ValueError), match="finite"):
        c_index(truth, np.where(truth == 0, np.nan, a))
    with pytest.raises((KneeoaError, ValueError), match="rows"):
        c_index_test(truth, a, b[:-1])
    with pytest.raises((KneeoaError, ValueError), match="rows"):
        c_index(truth[:-1], a)
    with pytest.raises((KneeoaError, ValueError), match="whole numbers"):
        c_index(truth - 1, a)
