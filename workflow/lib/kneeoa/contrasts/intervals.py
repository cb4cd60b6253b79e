"""The value of one metric of one arm (one run, or the mean over fixed seeds) and its interval over
subjects.

AUCs: DeLong's variance on the logit scale. What the bootstrap's weighted metrics cover: percentiles
of a bootstrap of subjects that meets all seeds jointly. Rates and contradictions: Wilson's interval
at the effective number of cases (means over seeds: logit). The rest, and every mean over the
findings of a multilabel level: the variance of the influences, on the metric's own scale or the
logit's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.influence_metrics import runs_of, sampled_runs
from kneeoa.contrasts.multilabel import defined_findings, findings_note, mean_runs
from kneeoa.statistics.bootstrap_metrics import Resampled
from kneeoa.statistics.influence_functions import Estimate, estimate_of, over_seeds
from kneeoa.statistics.inputs import Booleans, Floats, cluster_codes
from kneeoa.statistics.kernels import cut_in, kernel_of
from kneeoa.statistics.proportions import share


@dataclass(frozen=True)
class Measured:
    """A value, its limits (NaN where undefined), how they were made, and what to say."""

    estimate: float
    low: float
    high: float
    kind: str
    note: str = ""


def measured(name: str, predictions: LevelPredictions, statistics: Statistics, draws: Resampled | None = None) -> Measured:
    """The metric of a row's name (e.g. cut_auc_2), averaged over the seeds of ``predictions``; the
    note says why it is undefined.

    ``draws`` are these predictions' resamples where the caller has them (:func:`resampled`), for
    several metrics to share.
    """
    value = _measured(name, predictions, statistics, draws)
    if predictions.findings or not math.isnan(value.estimate) or value.note:
        return value
    return replace(value, note=over_seeds(sampled_runs(name, predictions)).note)


def _measured(name: str, predictions: LevelPredictions, statistics: Statistics, draws: Resampled | None) -> Measured:
    if predictions.findings:
        return _mean_over_findings(name, predictions, statistics.confidence)
    truth, probabilities, subjects = predictions.truth, predictions.probabilities, predictions.subjects
    confidence, kernel = statistics.confidence, kernel_of(name)
    if kernel.delong is not None and kernel.delong.interval is not None:
        return _of(kernel.delong.interval(truth, probabilities, subjects, confidence, cut_in(name)), "logit-delong")
    if kernel.bootstraps:
        boot = (draws or resampled(predictions, statistics)).interval(name, confidence)
        return Measured(boot.estimate, boot.low, boot.high, "cluster-bootstrap", boot.note)
    codes = cluster_codes(subjects, truth.size)
    shares = [] if kernel.share is None else [kernel.share(run) for run in runs_of(name, predictions)]
    if shares and all(_same(members, shares[0][1]) for _, members in shares):
        values: Floats = np.mean([each for each, _ in shares], axis=0)  # the mean over seeds, each at its own threshold
        return _share(share(values, codes, confidence, name, shares[0][1]), sampled_runs(name, predictions)[0].note)
    runs = over_seeds(sampled_runs(name, predictions))
    if kernel.scale == "none":
        return Measured(runs.value, math.nan, math.nan, "none", runs.note)
    return _of(estimate_of(runs, codes, confidence, name, kernel.scale), f"{kernel.scale}-influence")


def _same(members: Booleans | None, others: Booleans | None) -> bool:
    """Whether two runs' shares are of the same cases: those called positive may differ."""
    return members is others or (members is not None and others is not None and np.array_equal(members, others))


def _mean_over_findings(name: str, predictions: LevelPredictions, confidence: float) -> Measured:
    findings = defined_findings(name, [predictions])
    mean, kernel = over_seeds(mean_runs(name, predictions, findings)), kernel_of(name)
    codes = cluster_codes(predictions.subjects, len(predictions.case_ids))
    note = findings_note(predictions, findings)
    if kernel.scale == "none":
        return Measured(mean.value, math.nan, math.nan, "none", "; ".join(filter(None, [note, mean.note])))
    scale = "logit" if kernel.delong is not None else kernel.scale
    interval = _of(estimate_of(mean, codes, confidence, name, scale), f"{scale}-influence")
    return Measured(interval.estimate, interval.low, interval.high, interval.kind, "; ".join(filter(None, [note, interval.note])))


_NO_INTERVAL = "no interval: the estimated variance is zero"


def resampled(predictions: LevelPredictions, statistics: Statistics) -> Resampled:
    """The predictions in the configured resamples of their subjects; nothing is drawn before a
    metric is asked for.
    """
    truth, subjects = predictions.truth, predictions.subjects
    return Resampled(truth, predictions.probabilities, predictions.calls, subjects, statistics.resamples, statistics.seed)


def _share(interval: Estimate, note: str) -> Measured:
    kind = "logit" if "logit" in interval.method else "wilson"
    return Measured(interval.estimate, interval.low, interval.high, kind, note)


def _of(interval: Estimate, kind: str) -> Measured:
    note = "; ".join(filter(None, [interval.note, _NO_INTERVAL if interval.degenerate else ""]))
    return Measured(interval.estimate, interval.low, interval.high, kind, note)
