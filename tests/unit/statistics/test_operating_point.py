"""Thresholds from validation cases and rates on test cases: scikit-learn's, Wilson's intervals,
clusters, paired tests.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score, roc_curve
from statsmodels.stats.proportion import proportion_confint

from kneeoa.errors import KneeoaError
from kneeoa.statistics.operating_point import choose_threshold, operating_point, operating_point_test


def cases(seed: int, n: int = 150) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (np.arange(n) % 3 == 0).astype(int)
    a, b = (np.round(1 / (1 + np.exp(-(skill * truth - 1 + rng.normal(size=n)))), 2) for skill in (2.0, 1.5))
    return truth, a, b


def test_rules_are_the_best_of_the_roc_curve() -> None:
    truth, a, _ = cases(0)
    false, true, levels = roc_curve(truth, a, drop_intermediate=False)
    best = choose_threshold(truth, a)
    assert best.sensitivity + best.specificity - 1 == pytest.approx((true - false).max())
    assert best.threshold == pytest.approx(levels[np.flatnonzero(true - false >= (true - false).max() - 1e-12)[0]])
    sensitive = choose_threshold(truth, a, "sensitivity", 0.9)
    assert sensitive.threshold == pytest.approx(levels[true >= 0.9].max())
    assert sensitive.sensitivity == pytest.approx(recall_score(truth, a >= sensitive.threshold))
    specific = choose_threshold(truth, a, "specificity", 0.95)
    assert specific.threshold == pytest.approx(levels[1 - false >= 0.95].min())
    nobody = choose_threshold([0, 1], [0.9, 0.1], "specificity", 1.0)
    assert (nobody.sensitivity, nobody.specificity) == (0.0, 1.0)
    assert nobody.threshold > 0.9


def test_rates_and_intervals_are_the_references() -> None:
    truth, a, _ = cases(1)
    found = operating_point(truth, a, 0.4)
    called = a >= 0.4
    assert found.sensitivity.estimate == pytest.approx(recall_score(truth, called))
    assert found.specificity.estimate == pytest.approx(recall_score(1 - truth, ~called))
    assert found.positive_predictive_value.estimate == pytest.approx(precision_score(truth, called))
    assert found.negative_predictive_value.estimate == pytest.approx(precision_score(1 - truth, ~called))
    hits = int((called & (truth == 1)).sum())
    assert (found.sensitivity.low, found.sensitivity.high) == pytest.approx(proportion_confint(hits, 50, method="wilson"), abs=1e-12)
    assert (found.sensitivity.n, found.specificity.n) == (50, 100)


def test_clusters() -> None:
    truth, a, b = cases(2)
    once, twice = operating_point(truth, a, 0.4), operating_point(np.tile(truth, 2), np.tile(a, 2), 0.4, np.tile(np.arange(150), 2))
    for name in ("sensitivity", "specificity", "positive_predictive_value", "negative_predictive_value"):
        first, second = getattr(once, name), getattr(twice, name)
        assert (second.low, second.high) == pytest.approx((first.low, first.high))
        assert second.subjects == first.n
    paired = operating_point_test(truth, a, b, 0.4, 0.3)
    tiled = operating_point_test(np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), 0.4, 0.3, np.tile(np.arange(150), 2))
    assert [one.variance for one in tiled] == pytest.approx([one.variance for one in paired])


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_symmetries(seed: int) -> None:
    truth, a, b = cases(seed, 60)
    base, swapped = operating_point_test(truth, a, b, 0.4, 0.3), operating_point_test(truth, b, a, 0.3, 0.4)
    for one, other in zip(base, swapped, strict=True):
        assert (other.difference, other.variance) == (-one.difference, one.variance)
    gaps = ((a >= 0.4) * 1.0 - (b >= 0.3))[truth == 1]
    assert base[0].variance == pytest.approx(gaps.var(ddof=1) / gaps.size)
    for same in operating_point_test(truth, a, a, 0.4, 0.4):
        assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_edges() -> None:
    nobody = operating_point([0, 1, 0], [0.1, 0.2, 0.3], 0.9)
    assert math.isnan(nobody.positive_predictive_value.estimate)
    assert nobody.sensitivity.estimate == 0.0
    healthy = operating_point_test([0, 0, 0], [0.1, 0.2, 0.3], [0.3, 0.2, 0.1], 0.2, 0.2)
    assert math.isnan(healthy[0].p)
    assert healthy[0].n == 0
    with pytest.raises(KneeoaError, match="both classes"):
        choose_threshold([1, 1], [0.1, 0.2])
    with pytest.raises(KneeoaError, match="rule"):
        choose_threshold([0, 1], [0.1, 0.2], "closest")
    with pytest.raises(KneeoaError, match="target"):
        choose_threshold([0, 1], [0.1, 0.2], "sensitivity", 1.2)
    with pytest.raises((KneeoaError, ValueError), match="finite"):
        operating_point([0, 1], [0.1, np.inf], 0.5)
