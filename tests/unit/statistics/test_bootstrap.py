"""The bootstrap by weights against one that copies cases; clusters, seeds, undefined resamples and
equal models.
"""

import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from kneeoa.statistics import bootstrap
from kneeoa.statistics.bootstrap import paired_bootstrap, resampled_weights
from kneeoa.statistics.kernels import metric
from tests.unit.statistics.references import bootstrap_interval, left_out, mean_over_seeds


def cases(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    a, b = (1 / (1 + np.exp(-(skill * (truth - 0.5) + rng.normal(size=n)))) for skill in (2.0, 1.0))
    return truth, np.column_stack([1 - a, a]), np.column_stack([1 - b, b])


@pytest.mark.parametrize(
    ("name", "copied"), [("auc", lambda t, p: roc_auc_score(t, p[:, 1])), ("f1", lambda t, p: f1_score(t, p[:, 1] >= 0.5))]
)
def test_equals_copying_the_cases(name, copied) -> None:
    truth, a, b = cases(0)
    result = paired_bootstrap(metric(name), truth, a, b, resamples=200, seed=3)
    drawn = np.random.default_rng(3).integers(0, 40, size=(200, 40))
    differences = np.array([copied(truth[i], a[i]) - copied(truth[i], b[i]) for i in drawn])
    below, above = (differences <= 1e-12).sum(), (differences >= -1e-12).sum()
    assert (result.low, result.high) == pytest.approx(tuple(np.quantile(differences, [0.025, 0.975])), abs=1e-12)
    assert result.p == pytest.approx(min(1, 2 * (min(below, above) + 1) / 201))
    assert result.difference == pytest.approx(copied(truth, a) - copied(truth, b))
    assert (result.note, result.degenerate) == ("", False)
    assert result.variance == pytest.approx(differences.var(ddof=1))


def test_a_subject_brings_all_its_cases() -> None:
    cluster = np.array(["x", "y", "x", "z", "z", "z"])
    weights = np.concatenate(list(resampled_weights(6, cluster, 500, 0)))
    assert weights.shape == (500, 6)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()
    assert len(np.unique(weights[:, 1])) > 2


def test_duplicated_subjects_add_nothing_and_singletons_are_no_clusters() -> None:
    truth, a, b = cases(1)
    plain = paired_bootstrap(metric("auc"), truth, a, b, resamples=300)
    assert paired_bootstrap(metric("auc"), truth, a, b, cluster=np.arange(40), resamples=300) == plain
    twice = paired_bootstrap(
        metric("auc"), np.tile(truth, 2), np.tile(a, (2, 1)), np.tile(b, (2, 1)), cluster=np.tile(np.arange(40), 2), resamples=300
    )
    assert (twice.low, twice.high, twice.p) == pytest.approx((plain.low, plain.high, plain.p), abs=1e-12)


def test_row_order_does_not_matter_where_subjects_are_named() -> None:
    truth, a, b = cases(2)
    names = np.array([f"s{i // 2:02d}" for i in range(40)])
    order = np.random.default_rng(5).permutation(40)
    first = paired_bootstrap(metric("accuracy"), truth, a, b, names, 300)
    second = paired_bootstrap(metric("accuracy"), truth[order], a[order], b[order], names[order], 300)
    assert first == second


def test_a_swap_changes_the_sign_only() -> None:
    truth, a, b = cases(3)
    one, other = paired_bootstrap(metric("auc"), truth, a, b, resamples=400), paired_bootstrap(metric("auc"), truth, b, a, resamples=400)
    assert (other.low, other.high, other.p) == pytest.approx((-one.high, -one.low, one.p))


def test_equal_models_are_degenerate_with_p_one() -> None:
    truth, a, _ = cases(4)
    result = paired_bootstrap(metric("auc"), truth, a, a, resamples=100)
    assert (result.p, result.low, result.high, result.degenerate) == (1.0, 0.0, 0.0, True)
    _, b, c = cases(5)
    seeds = mean_over_seeds(metric("auc"))
    shuffled = paired_bootstrap(seeds, truth, np.stack([a, b, c]), np.stack([c, a, b]), resamples=100)
    assert (shuffled.p, shuffled.degenerate) == (1.0, True)


def test_p_is_never_zero() -> None:
    truth, a, _ = cases(6)
    perfect = np.column_stack([1 - truth, truth]).astype(float)
    result = paired_bootstrap(metric("auc"), truth, perfect, 1 - a, resamples=100)
    assert result.p == pytest.approx(2 / 101)


def test_undefined_resamples_are_counted_and_left_out() -> None:
    truth = np.array([1, 0, 0, 0, 0, 0, 0, 0])
    scores = np.column_stack([np.linspace(1, 0, 8), np.linspace(0, 1, 8)])
    interval = bootstrap_interval(metric("auc"), truth, scores, resamples=2000)
    lost, drawn = left_out(interval)
    assert lost == pytest.approx(2000 * ((7 / 8) ** 8), rel=0.1)
    assert drawn == 2000
    assert not math.isnan(interval.low)
    never = paired_bootstrap(metric("auc"), np.zeros(8, dtype=int), scores, scores, resamples=50)
    assert left_out(never) == (50, 50)
    assert math.isnan(never.p)
    assert not never.degenerate


def test_seeds_meet_the_same_resamples() -> None:
    truth, a, b = cases(7)
    pair = paired_bootstrap(mean_over_seeds(metric("auc")), truth, np.stack([a, a]), np.stack([b]), resamples=200)
    single = paired_bootstrap(metric("auc"), truth, a, b, resamples=200)
    assert (pair.low, pair.high, pair.p) == pytest.approx((single.low, single.high, single.p))


def test_same_seed_same_numbers_another_seed_others(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, a, b = cases(8)
    first = paired_bootstrap(metric("auc"), truth, a, b, resamples=200, seed=1)
    assert paired_bootstrap(metric("auc"), truth, a, b, resamples=200, seed=1) == first
    assert paired_bootstrap(metric("auc"), truth, a, b, resamples=200, seed=2).low != first.low
    monkeypatch.setattr(bootstrap, "_CELLS", 1000)  # blocks of 25 resamples draw the same subjects
    assert paired_bootstrap(metric("auc"), truth, a, b, resamples=200, seed=1) == first


def test_a_plain_metric_is_called_on_copies() -> None:
    truth, a, b = cases(9)
    cluster = np.arange(40) // 2
    by_weights = paired_bootstrap(metric("auc"), truth, a, b, cluster, resamples=100)
    by_copies = paired_bootstrap(roc_auc_score, truth, a[:, 1], b[:, 1], cluster, resamples=100)
    assert (by_copies.difference, by_copies.low, by_copies.high, by_copies.p) == pytest.approx(
        (by_weights.difference, by_weights.low, by_weights.high, by_weights.p), abs=1e-12
    )
    assert (by_weights.n, by_weights.subjects) == (40, 20)
    assert by_weights.log10_p == pytest.approx(math.log10(by_weights.p))


def test_nothing_to_draw_is_refused() -> None:
    truth, a, b = cases(10)
    with pytest.raises(ValueError, match="0 resamples"):
        paired_bootstrap(metric("auc"), truth, a, b, resamples=0)
