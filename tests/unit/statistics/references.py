"""Slow and plain forms of what the library computes for many metrics, resamples and seeds at once:
what tests hold it against.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from kneeoa.statistics.auc_placements import placements
from kneeoa.statistics.bootstrap import interval_of, resampled_weights
from kneeoa.statistics.influence_functions import Estimate, PairedDifference, Sampled
from kneeoa.statistics.inputs import Floats, Integers, cluster_codes, subject_count
from kneeoa.statistics.metrics import Metric, value
from kneeoa.statistics.reliability import bin_of
from kneeoa.statistics.subgroups import Subgroups, metric_subgroups


def bootstrap_interval(
    metric: Metric,
    truth: ArrayLike,
    prediction: ArrayLike,
    cluster: ArrayLike | None = None,
    resamples: int = 10_000,
    seed: int = 42,
    confidence: float = 0.95,
) -> Estimate:
    """Percentile interval of one metric over subjects, resample by resample."""
    labels, predicted = np.asarray(truth).astype(np.int64), np.asarray(prediction, dtype=np.float64)
    values = np.concatenate([metric(labels, predicted, weights) for weights in resampled_weights(labels.size, cluster, resamples, seed)])
    subjects = subject_count(cluster_codes(cluster, labels.size), labels.size)
    return interval_of(value(metric, labels, predicted), values, labels.size, subjects, confidence)


def left_out(result: Estimate | PairedDifference) -> tuple[int, int]:
    """The number of resamples without a value, and of all of them, by the note; 0 of 0 without
    one.
    """
    if not result.note:
        return 0, 0
    lost, drawn = result.note.split(" resamples undefined")[0].split(" of ")
    return int(lost), int(drawn)


def mean_over_seeds(single: Metric) -> Metric:
    """The mean of ``single`` over the first axis of a prediction ``[S, n, ...]``."""

    def evaluate(truth: Integers, prediction: Floats, weights: Floats, /) -> Floats:
        return np.asarray(sum(single(truth, seed, weights) for seed in prediction) / len(prediction))

    return evaluate


def ovr_auc(truth: ArrayLike, probabilities: ArrayLike, average: str = "macro") -> float:
    """The average of scikit-learn's AUCs of each class against the others, on the scores as they
    are; NaN where a class has no case.
    """
    labels, scores = np.asarray(truth), np.asarray(probabilities)
    counts = np.bincount(labels, minlength=scores.shape[1])
    if (counts == 0).any() or (counts == labels.size).any():
        return math.nan
    aucs = [roc_auc_score(labels == k, scores[:, k]) for k in range(scores.shape[1])]
    return float(np.average(aucs, weights=counts if average == "weighted" else None))


def expected_calibration_error(truth: ArrayLike, probability: ArrayLike, bins: int = 10, kind: Any = "fixed") -> float:
    """The mean over cases of the gap between observed share and mean prediction in the case's
    bin.
    """
    labels, values = np.asarray(truth), np.asarray(probability, dtype=np.float64)
    gaps = np.bincount(bin_of(values, bins, kind), weights=labels - values)
    return float(np.abs(gaps).sum() / labels.size)


def log_probabilities(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Probabilities ``[n, K]``, or ``[n]`` of the positive class, as logits."""
    values = np.asarray(probabilities)
    return np.log(np.stack([1 - values, values], axis=1) if values.ndim == 1 else values)


def auc_subgroups(truth: ArrayLike, a: ArrayLike, b: ArrayLike, groups: ArrayLike, cluster: ArrayLike | None = None) -> Subgroups:
    """The subgroups of the AUC of scores ``[n]``."""

    def measure(labels: Integers, scores: Floats) -> Sampled:
        auc, influence = placements(labels == 1, scores[:, None]).combine(np.ones((1, 1)))
        return Sampled(float(auc[0]), influence[:, 0])

    return metric_subgroups(measure, truth, a, b, groups, 2, cluster)
