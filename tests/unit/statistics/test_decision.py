"""Net benefit by its definition, the references beside it, the bootstrap of subjects, symmetries
and edges.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import resampled_weights
from kneeoa.statistics.decision import decision_curve


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
    curve = decision_curve(truth, a, thresholds)
    assert curve.net_benefit == pytest.approx([by_definition(truth, a >= t, t) for t in thresholds], abs=1e-15)
    share = truth.mean()
    assert curve.treat_all == pytest.approx(share - (1 - share) * thresholds / (1 - thresholds), abs=1e-14)
    assert not curve.treat_none.any()
    assert (curve.low < curve.net_benefit).all()
    assert decision_curve(truth, np.ones(200), [0.3]).net_benefit == pytest.approx(decision_curve(truth, a, [0.3]).treat_all)


def test_the_bootstrap_agrees() -> None:
    truth, a, _ = cases(1)
    cluster = np.arange(200) // 2
    levels = []
    for weights in np.concatenate(list(resampled_weights(200, cluster, 2000, 0))):
        rows = np.repeat(np.arange(200), weights.astype(int))
        levels.append(by_definition(truth[rows], a[rows] >= 0.25, 0.25))
    curve = decision_curve(truth, a, [0.25], cluster)
    assert (curve.high - curve.low)[0] / 3.92 == pytest.approx(np.std(levels), rel=0.06)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_symmetries(seed: int, threshold: float) -> None:
    truth, a, b = cases(seed, 60)
    base = decision_curve(truth, a, [threshold], np.arange(60) // 2)
    order = np.random.default_rng(seed).permutation(60)
    shuffled = decision_curve(truth[order], a[order], [threshold], (np.arange(60) // 2)[order])
    twice = decision_curve(np.tile(truth, 2), np.tile(a, 2), [threshold], np.tile(np.arange(60) // 2, 2))
    for other in (shuffled, twice):
        assert (other.net_benefit, other.low, other.high) == (
            pytest.approx(base.net_benefit, abs=1e-15),
            pytest.approx(base.low, abs=1e-12),
            pytest.approx(base.high, abs=1e-12),
        )
    seeds = decision_curve(truth, np.stack([a, b]), [threshold]).net_benefit
    assert seeds == pytest.approx((base.net_benefit + decision_curve(truth, b, [threshold]).net_benefit) / 2)


def test_bad_input_is_refused() -> None:
    with pytest.raises(KneeoaError, match="thresholds"):
        decision_curve([0, 1], [0.1, 0.2], [0.5, 1.0])
    with pytest.raises(KneeoaError, match="0 to 1"):
        decision_curve([0, 1], [0.1, 2.0], [0.5])
