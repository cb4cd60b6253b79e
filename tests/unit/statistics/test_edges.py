"""Each paired test where there is little or nothing to test: one table, every test by every edge.

A row gives (difference, p, degenerate); None is NaN, an error's words where the input is refused.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kneeoa.statistics import metrics
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.delong import auc_covariance, auc_interval, delong_test, weighted_contrast
from kneeoa.statistics.mcnemar import mcnemar_counts, mcnemar_test
from kneeoa.statistics.mean_auc import ovr_auc_test
from kneeoa.statistics.wald import wald
from tests.unit.statistics.references import bootstrap_interval, left_out

Y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
A = np.array([1.0, 2.0, 3.0, 6.0, 4.0, 5.0, 7.0, 8.0])
B = np.array([1.0, 5.0, 3.0, 6.0, 4.0, 2.0, 7.0, 8.0])
KNEES = np.array(["p", "p", "q", "q", "r", "r", "s", "s"])
ONE = np.array(["p"] * 8)


def two(scores: np.ndarray) -> np.ndarray:
    return np.column_stack([-scores, scores])


def by_delong(y: np.ndarray, a: np.ndarray, b: np.ndarray, cluster: np.ndarray | None) -> Any:
    return delong_test(y, a, b, cluster)


def by_ovr(y: np.ndarray, a: np.ndarray, b: np.ndarray, cluster: np.ndarray | None) -> Any:
    return ovr_auc_test(y, two(a), two(b), cluster=cluster)


def by_bootstrap(y: np.ndarray, a: np.ndarray, b: np.ndarray, cluster: np.ndarray | None) -> Any:
    return paired_bootstrap(metrics.auc, y, a, b, cluster, resamples=200)


AUC_TESTS: list[Callable[..., Any]] = [by_delong, by_ovr, by_bootstrap]
CONSTANT, SEPARATED = np.zeros(8), Y.astype(float)
LEAST = -1.0
"""Stands for the smallest p of a bootstrap, two over its valid resamples and one."""
ONE_POSITIVE = np.array([0, 0, 0, 0, 0, 0, 0, 1])

EDGES = {
    # edge: truth, a, b, cluster, (difference, p, degenerate) of DeLong and one-vs-rest, and of the
    # bootstrap
    "identical": (Y, A, A, None, (0.0, 1.0, True), (0.0, 1.0, True)),
    "identical ranks": (Y, A, np.exp(A), None, (0.0, 1.0, True), (0.0, 1.0, True)),
    "identical in clusters": (Y, A, A, KNEES, (0.0, 1.0, True), (0.0, 1.0, True)),
    "both constant": (Y, CONSTANT, CONSTANT + 3, None, (0.0, 1.0, True), (0.0, 1.0, True)),
    "both separated": (Y, SEPARATED, Y * 2.0 + A / 100, None, (0.0, 1.0, True), (0.0, 1.0, True)),
    "separated against reversed": (Y, SEPARATED, -SEPARATED, None, (1.0, None, True), (1.0, None, True)),
    "single class": (np.zeros(8, dtype=int), A, B, None, (None, None, False), (None, None, False)),
    "one positive": (ONE_POSITIVE, A, -A, None, (1.0, None, False), (1.0, None, True)),
    "one subject": (Y, A, B, ONE, (0.1875, None, False), (0.1875, None, False)),
    "positives of one subject": (Y, A, B, np.array(list("abcdeeee")), (0.1875, None, False), None),
    "NaN": (Y, A, np.where(A == 3, np.nan, B), None, "row 2", "row 2"),
    "infinite": (Y, np.where(A == 3, np.inf, A), B, None, "row 2", "row 2"),
    "minus infinite": (Y, A, np.where(A == 5, -np.inf, B), None, "row 5", "row 5"),
    "unlabelled": (np.where(A == 2, np.nan, Y), A, B, None, r"truth.*row 1", r"truth.*row 1"),
    "a half label": (Y / 2, A, B, None, "whole numbers", "whole numbers"),
    "too few subjects named": (Y, A, B, KNEES[:5], "cluster: 5 rows", "cluster: 5 rows"),
}


def same(value: float, expected: float | None) -> bool:
    return math.isnan(value) if expected is None else value == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("test", AUC_TESTS)
@pytest.mark.parametrize("edge", EDGES)
def test_paired_aucs(edge: str, test: Callable[..., Any]) -> None:
    truth, a, b, cluster, asymptotic, resampled = EDGES[edge]
    expected = resampled if test is by_bootstrap else asymptotic
    if expected is None:
        return
    if isinstance(expected, str):
        with pytest.raises(ValueError, match=expected):
            test(truth, a, b, cluster)
        return
    result = test(truth, a, b, cluster)
    difference, p, degenerate = expected
    assert same(result.difference, difference)
    assert result.degenerate is degenerate
    if p == LEAST:
        p = 2 / (200 - left_out(result)[0] + 1)
    assert same(result.p, p)
    assert same(result.log10_p, None if p is None else math.log10(p))
    assert math.isnan(result.low) == math.isnan(result.high) == (p is None)
    if test is not by_bootstrap:
        assert same(result.z, 0.0 if p == 1.0 else None)


CORRECT = {
    # edge: right a, right b, cluster, (difference, p, degenerate)
    "identical": (Y, Y, None, (0.0, 1.0, True)),
    "identical in clusters": (Y, Y, KNEES, (0.0, 1.0, True)),
    "identical in one subject": (Y, Y, ONE, (0.0, 1.0, True)),
    "all right against all right": (np.ones(8), np.ones(8), None, (0.0, 1.0, True)),
    "knees that cancel": ([1, 0], [0, 1], ["p", "p"], (0.0, 1.0, True)),
    "one subject": (np.ones(8), Y, ONE, (0.5, None, False)),
    "as many either way": ([1, 0, 1], [0, 1, 1], None, (0.0, 1.0, False)),
    "all right against all wrong": (np.ones(8), np.zeros(8), None, (1.0, 2.0**-8, False)),
    "one case": ([1], [0], None, (1.0, 0.5, False)),
}


@pytest.mark.parametrize("edge", CORRECT)
def test_mcnemar(edge: str) -> None:
    right_a, right_b, cluster, (difference, p, degenerate) = CORRECT[edge]
    result = mcnemar_test(right_a, right_b, cluster)
    assert same(result.difference, difference)
    assert same(result.p, p)
    assert same(result.log10_p, None if p is None else math.log10(p))
    assert result.degenerate is degenerate


@pytest.mark.parametrize("bad", [np.nan, np.inf, 2.0, 0.5])
def test_mcnemar_refuses_what_is_neither_right_nor_wrong(bad: float) -> None:
    with pytest.raises(ValueError, match="correct_a"):
        mcnemar_test([1, bad], [0, 1])


def test_mcnemar_of_no_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="no cases"):
        mcnemar_test([], [])


def test_an_absent_grade_leaves_the_average_and_its_test_undefined() -> None:
    truth = np.array([0, 0, 1, 1, 0, 1])
    a, b = np.random.default_rng(0).random((2, 6, 3))
    result = ovr_auc_test(truth, a, b)
    assert all(math.isnan(value) for value in (result.estimate_a, result.difference, result.variance, result.z, result.p, result.low))
    assert not result.degenerate
    assert paired_bootstrap(metrics.macro_auc, truth, a, b, resamples=20).note.startswith("20 of 20 resamples")


def test_identical_models_of_five_grades_are_degenerate() -> None:
    truth = np.arange(20) % 5
    a = np.random.default_rng(1).random((20, 5))
    for cluster in (None, np.arange(20) // 2):
        result = ovr_auc_test(truth, a, a, cluster=cluster)
        assert (result.z, result.p, result.log10_p, result.degenerate) == (0.0, 1.0, 0.0, True)


@pytest.mark.parametrize("auc", [0.0, 1.0])
def test_a_separating_model_has_no_logit_interval_and_a_wald_interval_of_one_point(auc: float) -> None:
    scores = SEPARATED if auc else -SEPARATED
    logit, plain = auc_interval(Y, scores), auc_interval(Y, scores, method="wald")
    assert (logit.estimate, logit.variance, logit.degenerate) == (auc, 0.0, True)
    assert math.isnan(logit.low)
    assert math.isnan(logit.high)
    assert (plain.low, plain.high, plain.degenerate) == (auc, auc, True)


def test_a_constant_model_has_auc_one_half_without_variance() -> None:
    interval = auc_interval(Y, CONSTANT)
    assert (interval.estimate, interval.variance, interval.degenerate) == (0.5, 0.0, True)
    assert math.isnan(interval.low)


@pytest.mark.parametrize("truth", [np.zeros(8, dtype=int), np.ones(8, dtype=int)])
def test_a_single_class_has_no_auc(truth: np.ndarray) -> None:
    assert math.isnan(auc_interval(truth, A).estimate)
    assert not auc_interval(truth, A).degenerate
    both = auc_covariance(truth, np.column_stack([A, B]))
    assert np.isnan(both.auc).all()
    assert np.isnan(both.covariance).all()


def test_a_covariance_of_equal_models_is_singular_not_negative() -> None:
    covariance = auc_covariance(Y, np.column_stack([A, A, B])).covariance
    assert covariance[0, 0] == covariance[0, 1] == covariance[1, 1]
    assert np.linalg.eigvalsh(covariance).min() > -1e-16


def test_no_cases_are_undefined_or_refused() -> None:
    assert math.isnan(delong_test([], [], []).p)
    with pytest.raises(ValueError, match="0 cases"):
        paired_bootstrap(metrics.auc, [], [], [])


def test_weights_must_fit_the_models() -> None:
    with pytest.raises(ValueError, match="3 weights for 2 models"):
        weighted_contrast(Y, np.column_stack([A, B]), (1, -1, 0))
    with pytest.raises(ValueError, match="method"):
        auc_interval(Y, A, method="delong")


def test_a_p_below_the_smallest_float_keeps_its_logarithm_in_every_test() -> None:
    normal = wald(1.0, 1e-6, 0.95)
    assert normal.z == pytest.approx(1000)
    assert normal.p == pytest.approx(np.finfo(float).tiny)
    assert normal.log10_p == pytest.approx(-1e6 / 2 / math.log(10) - math.log10(1000 * math.sqrt(math.pi / 2)), rel=1e-6)
    for method in ("midp", "exact"):
        binomial = mcnemar_counts(0, 2000, method)
        exact = -2000 * math.log10(2) + (math.log10(2) if method == "exact" else 0.0)
        assert (binomial.p, binomial.log10_p) == (np.finfo(float).tiny, pytest.approx(exact, rel=1e-9))
    squared = mcnemar_counts(0, 4000, "chi2")
    assert (squared.p, squared.log10_p) == (np.finfo(float).tiny, pytest.approx(-2000 / math.log(10), rel=1e-2))
    clustered = mcnemar_test(np.ones(8000), np.zeros(8000), np.arange(8000) // 2)
    assert clustered.p > 0
    assert -900 < clustered.log10_p < -800
    nearly = wald(-0.5, 1e-2, 0.95)
    assert nearly.log10_p == pytest.approx(math.log10(nearly.p))


def test_odds_ratio_and_its_limits_at_the_ends() -> None:
    none, only = mcnemar_counts(0, 7), mcnemar_counts(7, 0)
    assert (none.odds_ratio, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(1 / (1 / (1 - 0.025 ** (1 / 7)) - 1))  # Clopper and Pearson at zero
    assert (only.odds_ratio, only.high) == (math.inf, math.inf)
    assert only.low == pytest.approx(1 / none.high)
    assert math.isnan(mcnemar_counts(0, 0).odds_ratio)
    middle, wider = mcnemar_counts(12, 8), mcnemar_counts(12, 8, confidence=0.99)
    assert wider.low < middle.low < 1.5 == middle.odds_ratio < middle.high < wider.high


def test_one_level_of_bootstrap_values_is_flagged() -> None:
    interval = bootstrap_interval(metrics.auc, Y, SEPARATED, resamples=100)
    assert (interval.estimate, interval.low, interval.high, interval.degenerate) == (1.0, 1.0, 1.0, True)
