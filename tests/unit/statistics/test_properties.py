"""Symmetries that every paired AUC test must keep, on data that hypothesis looks for: few values,
so ties abound.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kneeoa.statistics import metrics
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.delong import auc_covariance, auc_interval, delong_test
from kneeoa.statistics.influence_functions import PairedDifference
from kneeoa.statistics.mcnemar import mcnemar_test
from kneeoa.statistics.mean_auc import ovr_auc_test

Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@st.composite
def data(draw: st.DrawFn) -> Data:
    """Truth with two of each class at least, two models' scores and subjects in any arrangement."""
    n = draw(st.integers(6, 30))
    column = st.lists(st.integers(-4, 4), min_size=n, max_size=n)
    truth = np.array(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    truth[:4] = [0, 0, 1, 1]
    cluster = np.array(draw(st.lists(st.integers(0, n), min_size=n, max_size=n)))
    return truth, np.array(draw(column), dtype=float), np.array(draw(column), dtype=float), cluster


def agree(one: PairedDifference, other: PairedDifference, sign: int = 1) -> None:
    """Equal results, ``other`` with the sign turned; NaN equals NaN."""
    assert other.difference == pytest.approx(sign * one.difference, abs=1e-14)
    assert other.variance == pytest.approx(one.variance, rel=1e-9, abs=1e-15, nan_ok=True)
    assert other.degenerate == one.degenerate
    assert other.z == pytest.approx(sign * one.z, rel=1e-8, abs=1e-8, nan_ok=True)
    assert other.p == pytest.approx(one.p, rel=1e-7, abs=1e-12, nan_ok=True)
    ends = (one.low, one.high) if sign == 1 else (-one.high, -one.low)
    assert (other.low, other.high) == pytest.approx(ends, rel=1e-8, abs=1e-9, nan_ok=True)


@given(data(), st.randoms(use_true_random=False))
def test_row_order(case: Data, random) -> None:
    order = np.array(random.sample(range(len(case[0])), len(case[0])))
    agree(delong_test(*case), delong_test(*(column[order] for column in case)))


@given(data())
def test_monotone_transforms(case: Data) -> None:
    truth, a, b, cluster = case
    assert delong_test(truth, np.exp(a), b**3 - 7, cluster) == delong_test(*case) or math.isnan(delong_test(*case).p)


@given(data())
def test_a_swap_turns_the_sign_only(case: Data) -> None:
    truth, a, b, cluster = case
    agree(delong_test(*case), delong_test(truth, b, a, cluster), sign=-1)


@given(data())
def test_negated_scores_and_exchanged_classes(case: Data) -> None:
    truth, a, b, cluster = case
    agree(delong_test(*case), delong_test(1 - truth, -a, -b, cluster))
    agree(delong_test(*case), delong_test(truth, -a, -b, cluster), sign=-1)


@given(data())
def test_duplicated_subjects_add_nothing(case: Data) -> None:
    truth, a, b, cluster = case
    for named in (cluster, np.arange(truth.size)):
        agree(delong_test(truth, a, b, named), delong_test(*(np.tile(column, 3) for column in (truth, a, b, named))))


def test_influences_that_cancel_within_every_subject_leave_no_variance() -> None:
    """Found by hypothesis: rounding made the variance 1e-32, z 4e15 and p 1e-308 of two subjects
    whose sums are zero.
    """
    truth = np.array([0, 0, 1, 1] + [0] * 13 + [1] * 13)
    better = np.zeros(30)
    better[[16, 25, 26, 27, 28, 29]] = [1, 1, 1, 2, 2, 2]
    subjects = np.repeat([0, 1], [15, 15])
    for copies in (1, 3):
        result = delong_test(*(np.tile(column, copies) for column in (truth, np.zeros(30), better, subjects)))
        assert (result.variance, result.degenerate) == (0.0, True)
        assert result.difference == pytest.approx(0.5 - 144 / 225)
        assert math.isnan(result.p)


@given(data())
def test_singletons_are_no_clusters(case: Data) -> None:
    truth, a, b, _ = case
    assert repr(delong_test(truth, a, b, np.arange(truth.size) * 7 % 31)) == repr(delong_test(truth, a, b))


@given(data())
def test_two_classes_are_binary(case: Data) -> None:
    truth, a, b, cluster = case
    for average in ("macro", "weighted"):
        agree(delong_test(*case), ovr_auc_test(truth, np.column_stack([-a, a]), np.column_stack([-b, b]), average, cluster))


@given(data())
def test_covariance_is_consistent_and_never_negative(case: Data) -> None:
    truth, a, b, cluster = case
    covariance = auc_covariance(truth, np.column_stack([a, b, a]), cluster).covariance
    assert np.isnan(covariance).all() or np.linalg.eigvalsh(covariance).min() > -1e-14
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert delong_test(*case).variance == pytest.approx(variance, rel=1e-9, abs=1e-14, nan_ok=True)
    assert auc_interval(truth, a, cluster).variance == pytest.approx(covariance[0, 0], abs=1e-15, nan_ok=True)


@given(data())
def test_a_logit_interval_holds_its_estimate_inside_zero_and_one(case: Data) -> None:
    interval = auc_interval(case[0], case[1], case[3])
    if interval.variance > 0 and 0 < interval.estimate < 1:
        assert 0 <= interval.low < interval.estimate < interval.high <= 1
    else:
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)


@given(data())
def test_mcnemar_keeps_order_swap_and_duplicates(case: Data) -> None:
    _, a, b, cluster = case
    right, other = a > 0, b > 0
    base = mcnemar_test(right, other, cluster)
    swapped = mcnemar_test(other, right, cluster)
    assert (swapped.difference, swapped.b, swapped.c, swapped.degenerate) == (-base.difference, base.c, base.b, base.degenerate)
    assert swapped.p == pytest.approx(base.p, nan_ok=True)
    reverse = mcnemar_test(right[::-1], other[::-1], cluster[::-1])
    assert reverse.p == pytest.approx(base.p, nan_ok=True)
    if base.subjects < base.n:
        twice = mcnemar_test(np.tile(right, 2), np.tile(other, 2), np.tile(cluster, 2))
        assert (twice.p, twice.low) == pytest.approx((base.p, base.low), abs=1e-12, nan_ok=True)


@settings(max_examples=25)
@given(data())
def test_bootstrap_keeps_transform_swap_and_duplicates(case: Data) -> None:
    truth, a, b, cluster = case
    base = paired_bootstrap(metrics.auc, truth, a, b, cluster, resamples=60)
    assert repr(paired_bootstrap(metrics.auc, truth, np.exp(a), b**3, cluster, resamples=60)) == repr(base)
    swapped = paired_bootstrap(metrics.auc, truth, b, a, cluster, resamples=60)
    assert (swapped.low, swapped.high, swapped.p) == pytest.approx((-base.high, -base.low, base.p), nan_ok=True)
    twice = paired_bootstrap(metrics.auc, *(np.tile(column, 2) for column in (truth, a, b, cluster)), resamples=60)
    if base.subjects < base.n:
        assert (twice.low, twice.high, twice.p) == pytest.approx((base.low, base.high, base.p), nan_ok=True)
        assert twice.note == base.note
