"""Net benefit by its definition, the references beside it, the bootstrap of subjects, symmetries
and edges.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import resampled_weights
from kneeoa.statistics.decision import decision_curve, net_benefit_test


def cases(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.3).astype(int)
    a, b = (1 / (1 + np.exp(-(skill * (truth - 0.5) - 0.8 + rng.normal(size=n)))) for skill in (2.0, 1.0))
    return truth, a, b


def by_definition(truth: np.ndarray, called: np.ndarray, threshold: float) -> float:
    return (called & (truth == 1)).mean() - (called & (truth == 0)).mean() * threshold / (1 - threshold)


def test_curve_is_the_definition() -> None:
    truth, a, _ = cases(0)
    thresholds = np.linspace(0.05, 0.9, 9)
    found = decision_curve(truth, a, thresholds)
    assert found.net_benefit == pytest.approx([by_definition(truth, a >= t, t) for t in thresholds], abs=1e-15)
    share = truth.mean()
    assert found.treat_all == pytest.approx(share - (1 - share) * thresholds / (1 - thresholds), abs=1e-14)
    assert not found.treat_none.any()
    assert (found.low < found.net_benefit).all()
    assert decision_curve(truth, np.ones(200), [0.3]).net_benefit == pytest.approx(decision_curve(truth, a, [0.3]).treat_all)


def test_the_bootstrap_agrees() -> None:
    truth, a, b = cases(1)
    cluster = np.arange(200) // 2
    gaps, levels = [], []
    for weights in np.concatenate(list(resampled_weights(200, cluster, 2000, 0))):
        rows = np.repeat(np.arange(200), weights.astype(int))
        levels.append(by_definition(truth[rows], a[rows] >= 0.25, 0.25))
        gaps.append(levels[-1] - by_definition(truth[rows], b[rows] >= 0.25, 0.25))
    curve, test = decision_curve(truth, a, [0.25], cluster), net_benefit_test(truth, a, b, 0.25, cluster)
    assert (curve.high - curve.low)[0] / 3.92 == pytest.approx(np.std(levels), rel=0.06)
    assert test.variance**0.5 == pytest.approx(np.std(gaps), rel=0.06)


def test_against_treating_everybody() -> None:
    truth, a, _ = cases(2)
    found = net_benefit_test(truth, a, None, 0.4)
    curve = decision_curve(truth, a, [0.4])
    assert found.difference == pytest.approx(float(curve.net_benefit[0] - curve.treat_all[0]))
    assert "treating all" in found.method


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_symmetries(seed: int, threshold: float) -> None:
    truth, a, b = cases(seed, 60)
    base, swapped = net_benefit_test(truth, a, b, threshold), net_benefit_test(truth, b, a, threshold)
    assert (swapped.difference, swapped.variance) == (-base.difference, base.variance)
    assert net_benefit_test(truth, a, b, threshold, np.arange(60)) == base or np.isnan(base.p)
    twice = net_benefit_test(np.tile(truth, 2), np.tile(a, 2), np.tile(b, 2), threshold, np.tile(np.arange(60), 2))
    assert twice.variance == pytest.approx(base.variance, rel=1e-10, abs=1e-18)
    same = net_benefit_test(truth, np.stack([a, b]), np.stack([b, a]), threshold)
    assert (same.z, same.p, same.degenerate) == (0.0, 1.0, True)


def test_bad_input_is_refused() -> None:
    with pytest.raises(KneeoaError, match="thresholds"):
        decision_curve([0, 1], [0.1, 0.2], [0.5, 1.0])
    with pytest.raises(KneeoaError, match="0 to 1"):
        decision_curve([0, 1], [0.1, 2.0], [0.5])
    with pytest.raises((KneeoaError, ValueError), match="rows"):
        net_benefit_test([0, 1], [0.1, 0.2], [0.1], 0.5)
