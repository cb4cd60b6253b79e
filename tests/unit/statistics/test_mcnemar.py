"""McNemar's test against statsmodels, its rules at the edges, and the clustered form by hand."""

import math

import numpy as np
import pytest
from scipy.stats import binom, chi2
from statsmodels.stats.contingency_tables import mcnemar

from kneeoa.statistics.mcnemar import mcnemar_counts, mcnemar_test


@pytest.mark.parametrize(("b", "c"), [(8, 6), (0, 5), (1, 1), (30, 12), (13, 18)])
def test_exact_and_chi2_are_statsmodels(b: int, c: int) -> None:
    table = [[0, b], [c, 0]]
    assert mcnemar_counts(b, c, "exact").p == pytest.approx(mcnemar(table, exact=True).pvalue)
    plain = mcnemar(table, exact=False, correction=False)
    result = mcnemar_counts(b, c, "chi2")
    assert (result.statistic, result.p) == pytest.approx((plain.statistic, plain.pvalue))


def test_paper_a_s_rule_switches_at_25() -> None:
    assert round(mcnemar_counts(8, 6, "edwards").p, 3) == 0.791
    assert mcnemar_counts(14, 10, "edwards").p == mcnemar_counts(14, 10, "exact").p
    corrected = mcnemar_counts(14, 11, "edwards")
    reference = mcnemar([[0, 14], [11, 0]], exact=False, correction=True)
    assert (corrected.statistic, corrected.p) == pytest.approx((reference.statistic, reference.pvalue))
    assert mcnemar_counts(20, 20, "edwards").statistic == 0.0


@pytest.mark.parametrize(("b", "c"), [(8, 6), (0, 5), (10, 2)])
def test_midp_is_exact_less_half_the_table_per_tail(b: int, c: int) -> None:
    least, total = min(b, c), b + c
    expected = 2 * sum(binom.pmf(k, total, 0.5) for k in range(least + 1)) - binom.pmf(least, total, 0.5)
    assert mcnemar_counts(b, c).p == pytest.approx(expected)
    assert mcnemar_counts(7, 7).p == pytest.approx(1.0)


@pytest.mark.parametrize("method", ["midp", "exact", "chi2", "edwards"])
def test_no_discordant_pair_is_degenerate(method: str) -> None:
    result = mcnemar_counts(0, 0, method)
    assert (result.p, result.degenerate) == (1.0, True)
    right = np.array([1, 0, 1])
    assert mcnemar_test(right, right, method=method).p == 1.0
    assert mcnemar_test(right, right, cluster=[1, 1, 2], method=method).degenerate


@pytest.mark.parametrize("method", ["midp", "exact", "chi2", "edwards"])
def test_a_swap_keeps_p(method: str) -> None:
    assert mcnemar_counts(3, 11, method).p == mcnemar_counts(11, 3, method).p


def test_counts_and_accuracies_come_from_the_cases() -> None:
    a, b = np.array([1, 1, 1, 0, 0, 1]), np.array([0, 1, 0, 1, 0, 1])
    result = mcnemar_test(a, b)
    assert (result.b, result.c, result.n) == (2, 1, 6)
    assert (result.accuracy_a, result.accuracy_b) == pytest.approx((4 / 6, 3 / 6))
    assert result.difference == pytest.approx(1 / 6)
    assert result.p == mcnemar_counts(2, 1).p
    assert mcnemar_test(a, b, cluster=list("uvwxyz")) == result


def test_clustered_form_by_hand() -> None:
    a = np.array([1, 1, 1, 0, 0, 1, 1, 0])
    b = np.array([0, 0, 0, 1, 0, 1, 0, 0])
    cluster = np.array(["p", "p", "q", "q", "r", "r", "s", "s"])
    sums = np.array([2, 0, 0, 1])
    statistic = 3 / 4 * sums.sum() ** 2 / (sums**2).sum()
    result = mcnemar_test(a, b, cluster, method="chi2")
    assert result.statistic == pytest.approx(statistic)
    assert result.p == pytest.approx(chi2.sf(statistic, 1))
    assert "clustered chi2" in result.method
    assert mcnemar_test(a, b, cluster).p == 0.25  # signs of 2 and 1: |sum| is 3 twice in four, half of which counts
    assert mcnemar_test(a, b, cluster, "exact").p == 0.5
    result = mcnemar_test(a, b, cluster, method="chi2")
    order = np.random.default_rng(0).permutation(8)
    assert mcnemar_test(a[order], b[order], cluster[order], "chi2").p == pytest.approx(result.p)
    assert mcnemar_test(b, a, cluster, "chi2").p == pytest.approx(result.p)


@pytest.mark.parametrize("method", ["midp", "exact", "edwards"])
def test_a_person_with_two_knees_on_which_models_agree_changes_no_p(method: str) -> None:
    a, b = np.ones(60, dtype=int), np.ones(60, dtype=int)
    b[1:6] = 0
    alone = np.array([f"{index:03d}" for index in range(60)])
    two = np.append(alone[:-1], "000")
    result = mcnemar_test(a, b, two, method=method)
    expected = mcnemar_test(a, b, alone, method=method)
    assert result.p == pytest.approx(expected.p, rel=1e-12)
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high))
    assert result.method.startswith({"edwards": "edwards (exact by subject"}.get(method, f"{method} by subject"))


@pytest.mark.parametrize("discordant", range(4, 16))
def test_the_clustered_form_holds_its_level_at_few_discordant_subjects(discordant: int) -> None:
    cluster = np.append(np.arange(199), 0)
    rejected = {"midp": 0.0, "exact": 0.0}
    for first in range(discordant + 1):
        a, b = np.ones(200, dtype=int), np.ones(200, dtype=int)
        b[1 : 1 + first] = 0
        a[1 + first : 1 + discordant] = 0
        for method in rejected:
            result = mcnemar_test(a, b, cluster, method=method)
            rejected[method] += (result.p < 0.05) * binom.pmf(first, discordant, 0.5)
            assert (result.p < 0.05) == (result.low > 0 or result.high < 0)
    assert rejected["exact"] <= 0.05
    assert rejected["midp"] <= 0.0704  # given the number, which mid-p holds on the average over numbers; chi-squared: 0.125


def test_duplicated_subjects_add_nothing() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, size=(2, 40))
    cluster = np.arange(40) // 2
    once = mcnemar_test(a, b, cluster)
    twice = mcnemar_test(np.tile(a, 2), np.tile(b, 2), np.tile(cluster, 2))
    assert twice.p == pytest.approx(once.p)


def test_seeds_are_averaged_never_pooled() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 2, size=(3, 50)), rng.integers(0, 2, size=(2, 50))
    result = mcnemar_test(a, b)
    delta = a.mean(axis=0) - b.mean(axis=0)
    statistic = 49 / 50 * delta.sum() ** 2 / (delta**2).sum()
    assert result.statistic == pytest.approx(statistic)
    assert result.n == 50
    assert result.difference == pytest.approx(a.mean() - b.mean())
    same = mcnemar_test(np.stack([a[0], a[1], a[2]]), np.stack([a[2], a[0], a[1]]))
    assert (same.p, same.degenerate) == (1.0, True)


def test_one_subject_is_undefined() -> None:
    assert math.isnan(mcnemar_test([1, 1], [0, 1], cluster=["p", "p"]).p)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="correct_b"):
        mcnemar_test([1, 0], [1, 0.5])
    with pytest.raises(ValueError, match="rows"):
        mcnemar_test([1, 0], [1, 0, 1])
    with pytest.raises(ValueError, match="method"):
        mcnemar_counts(1, 2, "yates")
    with pytest.raises(ValueError, match="negative"):
        mcnemar_counts(-1, 2)
