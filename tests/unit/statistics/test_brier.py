"""Brier scores against scikit-learn, the paired test against the bootstrap of subjects, symmetries
and edges.
"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.brier import brier, brier_test
from kneeoa.statistics.kernels import metric


def cases(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (np.arange(n) % 3 == 0).astype(int)
    a, b = (1 / (1 + np.exp(-(skill * (truth - 0.5) + rng.normal(size=n)))) for skill in (2.0, 1.2))
    return truth, a, b


def test_values_are_the_references() -> None:
    truth, a, _ = cases(0)
    score = brier_score_loss(truth, a)
    assert brier(truth, a).estimate == pytest.approx(score, abs=1e-15)
    assert brier(truth, a, scaled=True).estimate == pytest.approx(1 - score / (truth.mean() * (1 - truth.mean())), abs=1e-14)
    assert brier(truth, np.full(120, truth.mean()), scaled=True).estimate == pytest.approx(0, abs=1e-14)
    assert brier(truth, truth, scaled=True).estimate == 1.0


@pytest.mark.parametrize("scaled", [False, True])
def test_the_bootstrap_agrees(scaled: bool) -> None:
    truth, a, b = cases(1)
    cluster = np.arange(120) // 2
    found = brier_test(truth, a, b, cluster, scaled=scaled)
    table = [np.column_stack([1 - p, p]) for p in (a, b)]
    boot = paired_bootstrap(metric("scaled_brier" if scaled else "brier"), truth, *table, cluster, resamples=3000)
    assert found.difference == pytest.approx(boot.difference, abs=1e-14)
    assert (found.low, found.high) == pytest.approx((boot.low, boot.high), abs=0.1 * (found.high - found.low))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_symmetries(seed: int, scaled: bool) -> None:
    truth, a, b = cases(seed, 60)
    cluster = np.arange(60) // 2
    base, swapped = brier_test(truth, a, b, cluster, scaled=scaled), brier_test(truth, b, a, cluster, scaled=scaled)
    assert (swapped.difference, swapped.z, swapped.p) == (-base.difference, -base.z, base.p)
    assert brier_test(truth, a, b, np.arange(60), scaled=scaled) == brier_test(truth, a, b, scaled=scaled)
    twice = brier_test(np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), np.tile(cluster, 2), scaled=scaled)
    assert twice.variance == pytest.approx(base.variance, rel=1e-10)
    mirrored = brier_test(1 - truth, 1 - a, 1 - b, cluster, scaled=scaled)
    assert (mirrored.difference, mirrored.variance) == pytest.approx((base.difference, base.variance), rel=1e-9)
    same = brier_test(truth, np.stack([a, b]), np.stack([b, a]), cluster, scaled=scaled)
    assert (same.difference, same.z, same.p, same.degenerate) == (0.0, 0.0, 1.0, True)


def test_edges() -> None:
    assert math.isnan(brier(np.zeros(4), np.full(4, 0.2), scaled=True).estimate)
    assert brier(np.zeros(4), np.full(4, 0.2)).degenerate
    with pytest.raises(KneeoaError, match="0 to 1"):
        brier([0, 1], [0.1, -0.1])
    with pytest.raises((KneeoaError, ValueError), match="rows"):
        brier_test([0, 1], [0.1, 0.1], [0.1])
    with pytest.raises(KneeoaError, match="axes"):
        brier([], [])
