"""Variances by influence: the mean's against s^2/n and statsmodels' cluster sandwich; what clusters
and equal models do.
"""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import covariance, difference_of, estimate_of, interval, of_mean, over_seeds, seeds_first
from kneeoa.statistics.inputs import cluster_codes


def test_a_mean_has_the_textbook_error() -> None:
    values = np.random.default_rng(0).normal(size=50)
    mean = estimate_of(of_mean(values), None, 0.95, "mean")
    assert mean.standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(50))
    assert mean.high - mean.estimate == pytest.approx(1.959963984540054 * mean.standard_error)
    assert (mean.n, mean.subjects, mean.degenerate) == (50, 50, False)


def test_clusters_are_statsmodels_sandwich() -> None:
    rng = np.random.default_rng(1)
    values, cluster = rng.normal(size=60), rng.integers(0, 20, size=60)
    fit = sm.OLS(values, np.ones(60)).fit(cov_type="cluster", cov_kwds={"groups": cluster, "df_correction": False})
    subjects = len(np.unique(cluster))
    expected = fit.bse[0] * math.sqrt(subjects / (subjects - 1) / (subjects / (subjects - 1) * 59 / 59))
    mean = estimate_of(of_mean(values), cluster_codes(cluster, 60), 0.95, "mean")
    assert mean.standard_error == pytest.approx(expected, rel=1e-10)
    assert mean.subjects == subjects
    assert "clustered" in mean.method


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_copies_of_subjects_add_nothing_and_rows_have_no_order(seed: int, copies: int) -> None:
    rng = np.random.default_rng(seed)
    values, cluster = rng.normal(size=30), rng.integers(0, 12, size=30)
    base = covariance([of_mean(values)], cluster_codes(cluster, 30))
    tiled = covariance([of_mean(np.tile(values, copies))], cluster_codes(np.tile(cluster, copies), 30 * copies))
    assert tiled == pytest.approx(base, rel=1e-10)
    order = rng.permutation(30)
    assert covariance([of_mean(values[order])], cluster_codes(cluster[order], 30)) == pytest.approx(base, rel=1e-10)


def test_equal_models_are_degenerate_also_with_seeds_in_another_order() -> None:
    a, b, c = (of_mean(np.random.default_rng(seed).normal(size=20)) for seed in range(3))
    result = difference_of(over_seeds([a, b, c]), over_seeds([c, a, b]), None, 0.95, "mean")
    assert (result.difference, result.z, result.p, result.low, result.high, result.degenerate) == (0.0, 0.0, 1.0, 0.0, 0.0, True)


def test_one_subject_is_undefined() -> None:
    mean = estimate_of(of_mean(np.arange(4.0)), np.zeros(4, dtype=np.int64), 0.95, "mean")
    assert mean.estimate == 1.5
    assert math.isnan(mean.standard_error)
    assert math.isnan(mean.low)


def test_limits() -> None:
    low, high = interval(0.9, 0.01, 0.95, "logit")
    assert 0 < low < 0.9 < high < 1
    assert all(math.isnan(limit) for limit in interval(1.0, 0.01, 0.95, "logit"))
    assert all(math.isnan(limit) for limit in interval(0.5, 0.0, 0.95, "wald"))
    with pytest.raises(KneeoaError, match="confidence"):
        interval(0.5, 0.1, 1.5, "wald")
    with pytest.raises(KneeoaError, match="axes"):
        seeds_first(np.zeros((2, 2, 2)), "scores", 1)
    with pytest.raises(KneeoaError, match="axes"):
        seeds_first([], "scores", 1)
