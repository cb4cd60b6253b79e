"""Wilson's interval against statsmodels; the design effect; what happens at 0 and 1."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import cluster_codes
from kneeoa.statistics.proportions import share, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (77, 200)])
def test_independent_cases_are_statsmodels_wilson(hits: int, n: int) -> None:
    values = (np.arange(n) < hits).astype(float)
    estimate = share(values, None, 0.9, "share")
    assert (estimate.low, estimate.high) == pytest.approx(proportion_confint(hits, n, alpha=0.1, method="wilson"), abs=1e-12)
    assert estimate.degenerate == (hits in (0, n))


def test_copied_subjects_count_once() -> None:
    values = (np.random.default_rng(0).random(40) < 0.3).astype(float)
    once = share(values, None, 0.95, "share")
    twice = share(np.tile(values, 2), np.tile(np.arange(40), 2), 0.95, "share")
    assert (twice.low, twice.high, twice.standard_error) == pytest.approx((once.low, once.high, once.standard_error))
    assert (twice.n, twice.subjects) == (80, 40)
    none = share(np.zeros(80), np.tile(np.arange(40), 2), 0.95, "share")
    assert (none.low, none.high) == pytest.approx(proportion_confint(0, 40, method="wilson"), abs=1e-12)


def test_members_and_their_subjects_are_what_counts() -> None:
    values = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    members = np.array([True, True, False, False, True, False])
    estimate = share(values, np.array([0, 0, 1, 1, 2, 2]), 0.95, "share", members)
    assert (estimate.estimate, estimate.n, estimate.subjects) == (pytest.approx(1 / 3), 3, 2)
    empty = share(values, None, 0.95, "share", np.zeros(6, dtype=bool))
    assert math.isnan(empty.estimate)
    assert empty.n == 0


def test_coverage_with_two_knees() -> None:
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(100), 2)
    covered = plain = 0
    for _ in range(600):
        person = rng.normal(size=100)[codes]
        values = (person + 0.5 * rng.normal(size=200) > 1.2).astype(float)
        truth = 1 - 0.5 * (1 + math.erf(1.2 / math.sqrt(1.25) / math.sqrt(2)))
        estimate, naive = share(values, cluster_codes(codes, 200), 0.95, "share"), share(values, None, 0.95, "share")
        covered += estimate.low <= truth <= estimate.high
        plain += naive.low <= truth <= naive.high
    assert 0.925 <= covered / 600 <= 0.975
    assert plain < covered


def test_shares_of_mass_have_a_logit_interval() -> None:
    estimate = share(np.random.default_rng(2).random(50), None, 0.95, "mass")
    assert 0 < estimate.low < estimate.estimate < estimate.high < 1
    assert "logit" in estimate.method
    with pytest.raises(KneeoaError, match="confidence"):
        wilson(0.5, 10, 0.0)
    assert math.isnan(wilson(0.5, 0, 0.95)[0])


def test_subjects_of_the_members_are_counted_anew() -> None:
    codes = cluster_codes(["c", "c", "a", "b", "b", "a"], 6)
    members = np.array([True, False, True, True, True, True])
    estimate = share(np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0]), codes, 0.95, "share", members)
    assert (estimate.n, estimate.subjects) == (5, 3)
    single = share(np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0]), codes, 0.95, "share", np.array([1, 0, 1, 1, 0, 0], dtype=bool))
    assert (single.n, single.subjects, "clustered" in single.method) == (3, 3, False)
