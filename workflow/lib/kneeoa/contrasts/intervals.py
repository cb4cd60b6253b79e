"""The value of one metric of one arm (one run, or the mean over fixed seeds) and its interval over
subjects.

AUCs: DeLong's variance on the logit scale. What the bootstrap's weighted metrics cover: percentiles
of a bootstrap of subjects that meets all seeds jointly. Rates and contradictions: Wilson's interval
at the effective number of cases (means over seeds: logit). The rest: the variance of the
influences, on the metric's own scale or the logit's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kneeoa.config.metrics import CONSISTENCY_METRICS, base, cut_of
from kneeoa.config.statistics import APPLICABLE, Statistics
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.sampled import sampled_runs
from kneeoa.statistics import ordinal
from kneeoa.statistics.consistency import per_case
from kneeoa.statistics.delong import auc_interval
from kneeoa.statistics.inputs import Floats, cluster_codes
from kneeoa.statistics.resampled import Resampled
from kneeoa.statistics.sampling import Estimate, estimate_of, over_seeds
from kneeoa.statistics.shares import share


@dataclass(frozen=True)
class Measured:
    """A value, its limits (NaN where undefined), how they were made, and what to say."""

    estimate: float
    low: float
    high: float
    kind: str
    note: str = ""


def measured(name: str, predictions: LevelPredictions, statistics: Statistics, draws: Resampled | None = None) -> Measured:
    """The metric of a row's name (e.g. cut_auc_2), averaged over the seeds of ``predictions``.

    ``draws`` are these predictions' resamples where the caller has them (:func:`resampled`), for
    several metrics to share.
    """
    truth, probabilities, subjects = predictions.truth, predictions.probabilities, predictions.subjects
    confidence = statistics.confidence
    codes = cluster_codes(subjects, truth.size)
    if name == "auc":
        auc = auc_interval(truth, probabilities[:, :, 1].T, subjects, confidence=confidence)
        return Measured(auc.auc, auc.low, auc.high, "logit-delong", _NO_INTERVAL if auc.degenerate else "")
    if name == "c_index":
        return _of(ordinal.c_index(truth, ordinal.expected_grade(probabilities), subjects, confidence), "logit-delong")
    if name == "adjacent_auc":
        grades = ordinal.expected_grade(probabilities)
        return _of(ordinal.adjacent_auc(truth, grades, probabilities.shape[2], subjects, confidence), "logit-delong")
    if base(name) == "cut_auc":
        scores = ordinal.at_least(probabilities, cut_of(name))
        return _of(ordinal.cut_auc(truth, scores, cut_of(name), subjects, confidence), "logit-delong")
    if name in APPLICABLE["bootstrap"]:
        boot = (draws or resampled(predictions, statistics)).interval(name, confidence)
        return Measured(boot.estimate, boot.low, boot.high, "cluster-bootstrap", invalid_note(boot.invalid, boot.resamples))
    if name in ("sensitivity", "specificity"):
        members = truth == (1 if name == "sensitivity" else 0)
        right: Floats = (predictions.calls == truth).mean(axis=0)
        return _share(share(right, codes, confidence, name, members))
    if name in CONSISTENCY_METRICS:
        return _share(share(_contradictions(name, predictions), codes, confidence, name))
    runs = sampled_runs(name, predictions)
    scale = "logit" if name == "weighted_auc" else "wald"
    found = _of(estimate_of(over_seeds(runs), codes, confidence, name, "logit" if scale == "logit" else "wald"), f"{scale}-influence")
    lost = sum(math.isnan(run.value) for run in runs)
    reason = f"undefined in {lost} of {len(runs)} runs (a class is absent, or the prediction is constant or separates the classes)"
    return Measured(found.estimate, found.low, found.high, found.kind, reason if lost else found.note)


_NO_INTERVAL = "no interval: the estimated variance is zero"


def _contradictions(name: str, predictions: LevelPredictions) -> Floats:
    """Per case, the mean over seeds, each at its own threshold."""
    fine = predictions.fine
    assert fine is not None  # the caller asks only where there is one
    thresholds = predictions.thresholds or (0.5,) * len(fine)
    place = 0 if name == "contradiction" else 1
    runs = zip(predictions.probabilities, fine, thresholds, strict=True)
    values: Floats = np.mean([per_case(coarse, below, predictions.parent_class, limit)[place] for coarse, below, limit in runs], axis=0)
    return values


def resampled(predictions: LevelPredictions, statistics: Statistics) -> Resampled:
    """The predictions in the configured resamples of their subjects; nothing is drawn before a
    metric is asked for.
    """
    truth, subjects = predictions.truth, predictions.subjects
    return Resampled(truth, predictions.probabilities, predictions.calls, subjects, statistics.resamples, statistics.seed)


def invalid_note(invalid: int, resamples: int) -> str:
    """How many resamples were left out; empty where none was."""
    return f"{invalid} of {resamples} resamples undefined and left out" if invalid else ""


def _share(found: Estimate) -> Measured:
    return Measured(found.estimate, found.low, found.high, "logit" if "logit" in found.method else "wilson")


def _of(found: Estimate, kind: str) -> Measured:
    return Measured(found.estimate, found.low, found.high, kind, _NO_INTERVAL if found.degenerate else "")
