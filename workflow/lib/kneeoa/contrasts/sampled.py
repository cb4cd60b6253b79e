"""Every metric of one run as a value with the influence of each case on it: what differences, seeds
and subgroups are made of.

A metric's variance over subjects, its covariance with the same metric of another run and the
variance of any difference follow from the influences alone (:mod:`kneeoa.statistics.sampling`).
"""

from __future__ import annotations

import itertools
import math
from typing import cast

import numpy as np

from kneeoa.config.metrics import CONSISTENCY_METRICS, base, cut_of
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.statistics.brier import sampled_brier
from kneeoa.statistics.calibration import sampled_in_the_large, sampled_slope
from kneeoa.statistics.confusion import ClassMetric, sampled_metric
from kneeoa.statistics.consistency import per_case
from kneeoa.statistics.influence import placements
from kneeoa.statistics.inputs import Booleans, Floats, Integers
from kneeoa.statistics.ordinal import at_least, expected_grade
from kneeoa.statistics.sampling import Sampled, of_mean

_OF_CALLS = ("accuracy", "within_one", "mae", "balanced_accuracy", "macro_f1", "f1", "quadratic_kappa")


def sampled_runs(name: str, predictions: LevelPredictions) -> list[Sampled]:
    """The metric called ``name`` (a row's name, e.g. cut_auc_2) of every seed.

    A consistency metric of an arm without a head of its own for both levels is undefined (NaN).
    """
    if name in CONSISTENCY_METRICS:
        return [_contradiction(name, predictions, place) for place in range(len(predictions.seeds))]
    runs = zip(predictions.probabilities, predictions.calls, strict=True)
    return [_sampled(name, predictions.truth, probabilities, calls) for probabilities, calls in runs]


def _sampled(name: str, truth: Integers, probabilities: Floats, calls: Integers) -> Sampled:
    metric, classes = base(name), probabilities.shape[1]
    if metric in _OF_CALLS:
        return sampled_metric(cast(ClassMetric, metric), truth, calls, classes)
    if metric == "auc":
        return sampled_auc(truth == 1, probabilities[:, 1])
    if metric in ("brier", "scaled_brier"):
        return sampled_brier(truth, probabilities[:, 1], metric == "scaled_brier")
    if metric == "calibration_slope":
        return sampled_slope(truth, probabilities[:, 1])
    if metric == "calibration_in_the_large":
        return sampled_in_the_large(truth, probabilities[:, 1])
    if metric in ("sensitivity", "specificity"):
        members = truth == (1 if metric == "sensitivity" else 0)
        return _rate(calls == truth, members)
    if metric in ("macro_auc", "weighted_auc"):
        shares = np.full(classes, 1 / classes) if metric == "macro_auc" else np.bincount(truth, minlength=classes) / truth.size
        return _sum([(share, sampled_auc(truth == k, probabilities[:, k])) for k, share in enumerate(shares)])
    if metric in ("c_index", "adjacent_auc"):
        return _ordering(truth, expected_grade(probabilities), classes, metric)
    tail = np.clip(at_least(probabilities, cut_of(name)), 0.0, 1.0)
    above = truth >= cut_of(name)
    return sampled_auc(above, tail) if metric == "cut_auc" else sampled_slope(above.astype(np.int64), tail)


def sampled_auc(positive: Booleans, scores: Floats) -> Sampled:
    """An AUC and the influences on it; NaN where a class is absent."""
    if positive.all() or not positive.any():
        return Sampled(math.nan, np.full(positive.size, np.nan))
    value, influence = placements(positive, scores[:, None]).combine(np.ones((1, 1)))
    return Sampled(float(value[0]), influence[:, 0])


def _contradiction(name: str, predictions: LevelPredictions, place: int) -> Sampled:
    if predictions.fine is None:
        return Sampled(math.nan, np.full(len(predictions.case_ids), np.nan))
    threshold = predictions.thresholds[place] if predictions.thresholds else 0.5
    both = per_case(predictions.probabilities[place], predictions.fine[place], predictions.parent_class, threshold)
    return of_mean(both[0] if name == "contradiction" else both[1])


def _rate(right: Booleans, members: Booleans) -> Sampled:
    """The share of ``members`` that are right."""
    if not members.any():
        return Sampled(math.nan, np.full(right.size, np.nan))
    value = float(right[members].mean())
    return Sampled(value, np.where(members, right - value, 0.0) / members.sum())


def _ordering(truth: Integers, severity: Floats, classes: int, metric: str) -> Sampled:
    """Mean over pairs of grades of the AUC of the higher against the lower: all pairs of cases
    alike, or neighbours alone.
    """
    counts = np.bincount(truth, minlength=classes)
    parts, total = [], 0.0
    for low, high in itertools.combinations(range(classes), 2):
        weight = float(counts[low] * counts[high]) if metric == "c_index" else float(high == low + 1)
        if weight == 0.0:
            continue
        rows = np.flatnonzero((truth == low) | (truth == high))
        part = sampled_auc(truth[rows] == high, severity[rows])
        influence = np.zeros(truth.size)
        influence[rows] = part.influence
        parts.append((weight, Sampled(part.value, influence)))
        total += weight
    if not parts:
        return Sampled(math.nan, np.full(truth.size, np.nan))
    return _sum([(weight / total, part) for weight, part in parts])


def _sum(parts: list[tuple[float, Sampled]]) -> Sampled:
    value = sum(weight * part.value for weight, part in parts)
    influence: Floats = np.sum([weight * part.influence for weight, part in parts], axis=0)
    return Sampled(float(value), influence)
