"""Brier scores against scikit-learn, the paired test against the bootstrap of subjects, symmetries
and edges.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.kernels import metric
from tests.unit.statistics.by_kernels import difference, estimate


def cases(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (np.arange(n) % 3 == 0).astype(int)
    a, b = (1 / (1 + np.exp(-(skill * (truth - 0.5) + rng.normal(size=n)))) for skill in (2.0, 1.2))
    return truth, a, b


def test_values_are_the_references() -> None:
    truth, a, _ = cases(0)
    score = brier_score_loss(truth, a)
    assert estimate("brier", truth, a).estimate == pytest.approx(score, abs=1e-15)
    assert estimate("scaled_brier", truth, a).estimate == pytest.approx(1 - score / (truth.mean() * (1 - truth.mean())), abs=1e-14)
    assert estimate("scaled_brier", truth, np.full(120, truth.mean())).estimate == pytest.approx(0, abs=1e-14)
    assert estimate("scaled_brier", truth, truth).estimate == 1.0


@pytest.mark.parametrize("scaled", [False, True])
def test_the_bootstrap_agrees(scaled: bool) -> None:
    truth, a, b = cases(1)
    cluster = np.arange(120) // 2
    name = "scaled_brier" if scaled else "brier"
    result = difference(name, truth, a, b, cluster)
    table = [np.column_stack([1 - p, p]) for p in (a, b)]
    boot = paired_bootstrap(metric(name), truth, *table, cluster, resamples=3000)
    assert result.difference == pytest.approx(boot.difference, abs=1e-14)
    assert (result.low, result.high) == pytest.approx((boot.low, boot.high), abs=0.1 * (result.high - result.low))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_symmetries(seed: int, scaled: bool) -> None:
    truth, a, b = cases(seed, 60)
    cluster = np.arange(60) // 2
    name = "scaled_brier" if scaled else "brier"
    base, swapped = difference(name, truth, a, b, cluster), difference(name, truth, b, a, cluster)
    assert (swapped.difference, swapped.z, swapped.p) == (-base.difference, -base.z, base.p)
    assert difference(name, truth, a, b, np.arange(60)) == difference(name, truth, a, b)
    twice = difference(name, np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), np.tile(cluster, 2))
    assert twice.variance == pytest.approx(base.variance, rel=1e-10)
    mirrored = difference(name, 1 - truth, 1 - a, 1 - b, cluster)
    assert (mirrored.difference, mirrored.variance) == pytest.approx((base.difference, base.variance), rel=1e-9)
    same = difference(name, truth, np.stack([a, b]), np.stack([b, a]), cluster)
    assert (same.difference, same.z, same.p, same.degenerate) == (0.0, 0.0, 1.0, True)


def test_edges() -> None:
    assert math.isnan(estimate("scaled_brier", np.zeros(4), np.full(4, 0.2)).estimate)
    assert estimate("brier", np.zeros(4), np.full(4, 0.2)).degenerate
