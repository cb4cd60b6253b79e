"""Metrics that share their resamples against the bootstrap of each alone: equal to the last bit."""

import itertools

import numpy as np
import pytest

from kneeoa.statistics import bootstrap
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.bootstrap_metrics import Resampled
from kneeoa.statistics.kernels import FROM_CONFUSION, metric
from tests.unit.statistics.references import bootstrap_interval, left_out, mean_over_seeds

CASES, SEEDS, RESAMPLES = 60, 3, 200
BINARY = ("auc", "brier", "scaled_brier", "f1")
GRADED = ("macro_auc", "c_index", "adjacent_auc", "quadratic_kappa", "mae", "within_one", "macro_f1")
EITHER = ("accuracy", "balanced_accuracy")


def sample_predictions(classes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, probabilities of three seeds and calls that are not the arg max everywhere."""
    rng = np.random.default_rng(seed)
    truth = np.arange(CASES) % classes
    scores = rng.normal(size=(SEEDS, CASES, classes)) + 1.5 * np.eye(classes)[truth]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    calls = probabilities.argmax(axis=2)
    calls[:, ::7] = rng.integers(0, classes, size=calls[:, ::7].shape)
    return truth, probabilities, calls


def predicted(name: str, probabilities: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """The predictions that the separate bootstrap takes: calls as probabilities of 0 and 1 where
    the metric is of calls.
    """
    return np.eye(probabilities.shape[2])[calls] if name in FROM_CONFUSION else probabilities


WHOLE = [(name, classes) for classes, names in ((2, BINARY + EITHER), (5, GRADED + EITHER)) for name in names]
SUBJECTS = {"clusters": np.array([f"s{case // 2:02d}" for case in range(CASES)]), "singletons": None}


@pytest.mark.parametrize("cluster", SUBJECTS)
@pytest.mark.parametrize(("name", "classes"), WHOLE)
def test_every_metric_equals_its_own_bootstrap(name: str, classes: int, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "_CELLS", CASES * 64)  # four blocks, the last one shorter
    truth, probabilities, calls = sample_predictions(classes, 1)
    resampled = Resampled(truth, probabilities, calls, SUBJECTS[cluster], RESAMPLES, 3)
    alone, seeds = predicted(name, probabilities, calls), mean_over_seeds(metric(name))
    for places in itertools.chain([range(SEEDS)], ([place] for place in range(SEEDS))):
        expected = bootstrap_interval(seeds, truth, alone[list(places)], SUBJECTS[cluster], RESAMPLES, 3, 0.9)
        assert resampled.of_seeds(places).interval(name, 0.9) == expected
    assert resampled.interval(name, 0.9) != resampled.of_seeds([0]).interval(name, 0.9)


@pytest.mark.parametrize(("name", "classes"), WHOLE)
def test_every_difference_equals_its_own_bootstrap(name: str, classes: int) -> None:
    (truth, *a), (_, *b) = sample_predictions(classes, 1), sample_predictions(classes, 2)
    cluster = SUBJECTS["clusters"]
    first, second = (Resampled(truth, *one, cluster, RESAMPLES, 3) for one in (a, b))
    sides = [predicted(name, *one) for one in (a, b)]
    assert first.against(second, name, 0.95) == paired_bootstrap(mean_over_seeds(metric(name)), truth, *sides, cluster, RESAMPLES, 3)
    same = first.against(first, name, 0.95)
    assert (same.p, same.degenerate) == (1.0, True)


def test_undefined_resamples_are_counted() -> None:
    truth = np.zeros(12, dtype=np.int64)
    truth[0] = 1
    probabilities = np.full((1, 12, 2), 0.5)
    resampled = Resampled(truth, probabilities, np.zeros((1, 12), dtype=np.int64), None, 400, 0)
    assert left_out(resampled.interval("f1", 0.95))[0] == pytest.approx(400 * (11 / 12) ** 12, rel=0.2)  # no positive drawn: 0/0
    assert resampled.interval("accuracy", 0.95).note == ""


def test_subjects_are_counted_once_for_all_metrics_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    real = bootstrap.resampled_counts
    monkeypatch.setattr("kneeoa.statistics.bootstrap_metrics.resampled_counts", lambda *arguments: drawn.append(1) or real(*arguments))
    truth, probabilities, calls = sample_predictions(5, 1)
    whole = Resampled(truth, probabilities, calls, None, RESAMPLES, 3)
    for resampled, name in itertools.product((whole.of_seeds([1]), whole), ("mae", "accuracy", "quadratic_kappa")):
        resampled.interval(name, 0.95)
    assert len(drawn) == 1
