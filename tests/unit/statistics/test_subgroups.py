"""Differences by subgroup and their interaction: DeLong in every group, independence, straddling
subjects, suppression.
"""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, norm

from kneeoa.statistics.confusion import sampled_metric
from kneeoa.statistics.delong import delong_test
from kneeoa.statistics.influence_functions import of_mean
from kneeoa.statistics.subgroups import metric_subgroups
from tests.unit.statistics.references import auc_subgroups


def cases(seed: int, n: int = 240, groups: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, size=n)
    a, b = (skill * truth + rng.normal(size=n) for skill in (1.5, 1.0))
    return truth, a, b, np.array([f"g{i}" for i in rng.integers(0, groups, size=n)])


def test_groups_are_delong_on_their_cases_and_independent_groups_have_a_z_test() -> None:
    truth, a, b, groups = cases(0)
    result = auc_subgroups(truth, a, b, groups)
    parts = [delong_test(truth[groups == g], a[groups == g], b[groups == g]) for g in ("g0", "g1")]
    for group, part in zip(result.groups, parts, strict=True):
        got = (group.result.difference, group.result.variance, group.result.p)
        assert got[0] == pytest.approx(part.difference, abs=1e-14)
        assert got[1:] == pytest.approx((part.variance, part.p), rel=0.15), "the influences' variance has another divisor"
    z = (parts[0].difference - parts[1].difference) / math.sqrt(sum(group.result.variance for group in result.groups))
    assert result.interaction.statistic == pytest.approx(z**2)
    assert result.interaction.p == pytest.approx(2 * norm.sf(abs(z)))
    assert result.interaction.difference == pytest.approx(parts[0].difference - parts[1].difference)
    assert result.interaction.low < result.interaction.difference < result.interaction.high
    assert (result.interaction.n, result.interaction.groups) == (240, ("g0", "g1"))


def test_three_independent_groups_are_cochrans_q() -> None:
    truth, a, b, groups = cases(1, groups=3)
    result = auc_subgroups(truth, a, b, groups)
    d, v = (np.array([getattr(group.result, name) for group in result.groups]) for name in ("difference", "variance"))
    q = (((d - (d / v).sum() / (1 / v).sum()) ** 2) / v).sum()
    assert (result.interaction.statistic, result.interaction.df) == (pytest.approx(q), 2)
    assert result.interaction.p == pytest.approx(chi2.sf(q, 2))
    assert math.isnan(result.interaction.difference)


def test_subjects_in_both_groups_are_correlated() -> None:
    rng = np.random.default_rng(2)
    subjects = np.repeat(np.arange(150), 2)
    sides = np.tile(["L", "R"], 150)
    gap = rng.normal(size=150)[subjects]  # what a sees and b does not is the person's, the same on both knees
    truth = np.repeat(rng.integers(0, 2, size=150), 2)
    a, b = truth + gap + 0.1 * rng.normal(size=300), truth + 0.1 * gap + 1.0 * rng.normal(size=300)
    apart, joined = auc_subgroups(truth, a, b, sides), auc_subgroups(truth, a, b, sides, subjects)
    assert joined.interaction.high - joined.interaction.low < 0.95 * (apart.interaction.high - apart.interaction.low)
    assert [g.result.variance for g in joined.groups] == [g.result.variance for g in apart.groups]  # one knee each: no repeats within
    assert joined.interaction.subjects == 150


@pytest.mark.slow
@pytest.mark.parametrize("straddling", [False, True])
def test_interaction_under_a_true_null(straddling: bool) -> None:
    rng = np.random.default_rng(3)
    subjects = np.repeat(np.arange(150), 2)
    rejected = 0
    for _ in range(2000):
        person = rng.normal(size=150)[subjects]
        truth = (person + rng.normal(size=300) > 0).astype(int)
        common = 0.7 * rng.normal(size=150)[subjects]
        a, b = (truth + common * share + rng.normal(size=300) for share in (1.0, 0.3))
        groups = np.tile([0, 1], 150) if straddling else rng.integers(0, 2, size=150)[subjects]
        rejected += auc_subgroups(truth, a, b, groups, subjects).interaction.p < 0.05
    assert 0.035 <= rejected / 2000 <= 0.065


def test_small_groups_are_suppressed_with_the_reason() -> None:
    truth, a, b, groups = cases(4, groups=3)
    truth = np.where(groups == "g1", 0, truth)
    result = auc_subgroups(truth, a, b, groups)
    assert result.groups[1].result is None
    assert result.groups[1].suppressed == "0 positive cases, fewer than 10"
    assert result.interaction.groups == ("g0", "g2")
    alone = auc_subgroups(truth, a, b, np.where(groups == "g1", "x", "y"))
    assert math.isnan(alone.interaction.p)
    assert "fewer than two" in alone.interaction.method


def test_any_metric() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 5, size=200)
    a, b = (np.clip(truth + rng.integers(-1, 2, size=200), 0, 4) for _ in range(2))
    groups = np.arange(200) % 2

    def mae(labels: np.ndarray, predicted: np.ndarray):
        return sampled_metric("mae", labels, predicted.astype(np.int64), 5)

    result = metric_subgroups(mae, truth, a, b, groups, 5)
    gaps = np.abs(a - truth) - np.abs(b - truth)
    for group, place in zip(result.groups, (0, 1), strict=True):
        of_group = gaps[groups == place]
        assert group.result.difference == pytest.approx(of_group.mean())
        assert group.result.variance == pytest.approx(of_group.var(ddof=1) / of_group.size)
        assert group.counts == tuple(np.bincount(truth[groups == place]))
    few = metric_subgroups(mae, truth, a, b, np.where(np.arange(200) < 5, "few", "many"), 5)
    assert few.groups[0].suppressed == "5 cases, fewer than 10"


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_symmetries(seed: int, count: int) -> None:
    truth, a, b, groups = cases(seed, groups=count)
    cluster = np.random.default_rng(seed).permutation(np.arange(240) // 2)
    base, swapped = auc_subgroups(truth, a, b, groups, cluster), auc_subgroups(truth, b, a, groups, cluster)
    assert swapped.interaction.p == pytest.approx(base.interaction.p, rel=1e-7)
    order = np.random.default_rng(seed).permutation(240)
    shuffled = auc_subgroups(truth[order], a[order], b[order], groups[order], cluster[order])
    assert shuffled.interaction.p == pytest.approx(base.interaction.p, rel=1e-6)
    renamed = auc_subgroups(truth, a, b, np.array(["g3", "g2", "g1", "g0"])[[int(g[1]) for g in groups]], cluster)
    assert renamed.interaction.statistic == pytest.approx(base.interaction.statistic, rel=1e-6)
    same = auc_subgroups(truth, a, a, groups, cluster).interaction
    assert (same.statistic, same.p, same.degenerate) == (0.0, 1.0, True)
    means = metric_subgroups(lambda t, p: of_mean(p), truth, a, b, groups, cluster=np.arange(240))
    assert means.interaction == metric_subgroups(lambda t, p: of_mean(p), truth, a, b, groups).interaction


def test_bad_input_is_refused() -> None:
    truth, a, b, groups = cases(6)
    with pytest.raises(ValueError, match="rows"):
        auc_subgroups(truth, a, b, groups[:-1])
    with pytest.raises(ValueError, match="rows"):
        metric_subgroups(functools.partial(lambda t, p: of_mean(p)), truth, a[:-1], b, groups)
