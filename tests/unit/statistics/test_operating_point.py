"""Thresholds from validation cases, and rates at them on test cases: scikit-learn's, symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score, recall_score, roc_curve

from kneeoa.errors import KneeoaError
from kneeoa.statistics.operating_point import choose_threshold
from tests.unit.statistics.by_kernels import difference, estimate


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


def test_rates_are_the_references() -> None:
    truth, a, _ = cases(1)
    assert estimate("sensitivity", truth, a, threshold=0.4).estimate == pytest.approx(recall_score(truth, a >= 0.4))
    assert estimate("specificity", truth, a, threshold=0.4).estimate == pytest.approx(recall_score(1 - truth, a < 0.4))
    assert estimate("ppv", truth, a, threshold=0.4).estimate == pytest.approx(precision_score(truth, a >= 0.4))
    assert estimate("npv", truth, a, threshold=0.4).estimate == pytest.approx(precision_score(1 - truth, a < 0.4))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(["sensitivity", "specificity", "ppv", "npv"]))
def test_symmetries(seed: int, name: str) -> None:
    truth, a, b = cases(seed, 60)
    base, swapped = difference(name, truth, a, b, threshold=0.4), difference(name, truth, b, a, threshold=0.4)
    assert (swapped.difference, swapped.variance) == (-base.difference, base.variance)
    twice = difference(name, *(np.tile(values, 2) for values in (truth, a, b, np.arange(60))), threshold=0.4)
    assert twice.variance == pytest.approx(base.variance, nan_ok=True)
    same = difference(name, truth, a, a, threshold=0.4)
    assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_edges() -> None:
    with pytest.raises(KneeoaError, match="both classes"):
        choose_threshold([1, 1], [0.1, 0.2])
    with pytest.raises(KneeoaError, match="rule"):
        choose_threshold([0, 1], [0.1, 0.2], "closest")
    with pytest.raises(KneeoaError, match="target"):
        choose_threshold([0, 1], [0.1, 0.2], "sensitivity", 1.2)
    with pytest.raises((KneeoaError, ValueError), match="finite"):
        choose_threshold([0, 1], [0.1, np.inf])
