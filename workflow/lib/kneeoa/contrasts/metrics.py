"""Metrics of each arm: every metric of every seed and their mean, with intervals over subjects.

AUCs: DeLong's variance on the logit scale. What the bootstrap's weighted metrics cover: percentiles
of a bootstrap of subjects that meets all seeds jointly. Rates and contradictions: Wilson's interval
at the effective number of cases (means over seeds: logit). The rest, and every mean over the
findings of a multilabel level: the variance of the influences, on the metric's own scale or the
logit's.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import BY_NAME, CONSISTENCY_METRICS, class_of, metric_of_row, metrics_of, rows_of
from kneeoa.config.statistics import Statistics, ThresholdRule
from kneeoa.contrasts.arms import select_predictions
from kneeoa.contrasts.cases import LevelPredictions, has_label, runs_of, sampled_runs
from kneeoa.contrasts.multilabel import defined_findings, findings_note, mean_runs
from kneeoa.statistics.bootstrap_metrics import Resampled
from kneeoa.statistics.influence_functions import Estimate, estimate_of, over_seeds
from kneeoa.statistics.inputs import Booleans, Floats, cluster_codes
from kneeoa.statistics.kernels import cut_in, kernel_of
from kneeoa.statistics.proportions import share
from kneeoa.tables.runs import COMPARED, PREDICTIONS
from kneeoa.tables.statistics import METRICS

LOG = logging.getLogger(__name__)

SPLITS = ("val", "test")
"""Training cases are not measured: their numbers say nothing about the question."""


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


def build_metrics(prediction_files: list[Path], levels: tuple[Level, ...], statistics: Statistics, out: Path) -> None:
    """Write METRICS: one row per arm, seed, cohort, split, level, head and metric; seed null for
    the mean over seeds.

    Every level gets the metrics of its kind (:mod:`kneeoa.config.metrics`), in cohorts that have a
    label of it; a level with a finer one below it those of consistency too, for arms with a head of
    each. How each interval is made: :mod:`kneeoa.contrasts.metrics`. Where thresholds are fitted on
    validation cases they are rows
    of their own (``threshold``). A multilabel level has the mean over its findings and each
    finding's own values, ``auc`` and ``auc[osteophytes]`` (:mod:`kneeoa.contrasts.multilabel`); a
    level of several classes has each class against the rest, ``auc[mild]``.

    Args:
        prediction_files: PREDICTIONS tables.
        levels: the hierarchy.
        statistics: confidence, resamples, seed, threshold.
        out: file to write.

    Raises:
        KneeoaError: see :func:`kneeoa.contrasts.cases.level_predictions`.
    """
    frame = PREDICTIONS.concat(prediction_files, COMPARED, categorical=True)
    by_name = {level.name: level for level in levels}
    arms = {str(arm): part for arm, part in frame.groupby("arm", observed=True)}
    rows: list[dict[str, Any]] = []
    keys = ["study", "arm", "cohort", "split", "level", "head"]
    measured_rows = frame[frame["split"].isin(SPLITS)]
    measured_rows = measured_rows.loc[has_label(measured_rows), keys]
    for key in measured_rows.drop_duplicates().sort_values(keys).itertuples(index=False):
        where = {name: str(value) for name, value in zip(keys, key, strict=True)}
        level = by_name.get(where["level"])
        if level is None:
            LOG.warning("no metrics for level '%s': it is unknown", where["level"])
            continue
        predictions = select_predictions(
            arms[where["arm"]], where["arm"], where["cohort"], where["split"], level, where["head"], levels, statistics.threshold
        )
        rows += [{**where, **one} for one in _rows(predictions, levels, statistics)]
    METRICS.write(out, rows)


def _rows(predictions: LevelPredictions, levels: tuple[Level, ...], statistics: Statistics) -> list[dict[str, Any]]:
    level = predictions.level
    parent = any(other.parent == level.name for other in levels)
    metrics = [one for one in metrics_of(level.kind, parent) if one not in CONSISTENCY_METRICS or predictions.fine is not None]
    names = [name for metric in metrics for name in rows_of(metric, level)]
    measured_rows = _part_rows(predictions, [name for name in names if class_of(name) is None], statistics)
    for label in level.classes:
        ending = f"[{label}]"
        of_class = [name.removesuffix(ending) for name in names if class_of(name) == label]
        if of_class:
            rows = _part_rows(predictions.of_class(label), of_class, statistics)
            measured_rows += [{**one, "metric": one["metric"] + ending} for one in rows]
    return measured_rows


def _part_rows(predictions: LevelPredictions, names: list[str], statistics: Statistics) -> list[dict[str, Any]]:
    """The rows of a level, of one of its classes against the rest or of one finding."""
    draws = resampled(predictions, statistics)

    def rows_of_seeds(seed: int | None, subset: LevelPredictions, resamples: Resampled) -> list[dict[str, Any]]:
        measured_rows = [{"seed": seed, **row(subset, name, measured(name, subset, statistics, resamples))} for name in names]
        if predictions.thresholds and isinstance(statistics.threshold, ThresholdRule):
            measured_rows.append({"seed": seed, **row(subset, "threshold", _threshold(subset))})
        return measured_rows

    mean = rows_of_seeds(None, predictions, draws)  # first: each seed's influences are then there
    runs = [
        rows_of_seeds(seed, predictions.of_seeds([seed]), draws.of_seeds([place]))
        for place, seed in enumerate(predictions.seeds)
        if seed is not None
    ]
    return [one for rows in [*runs, mean] for one in rows]


def row(predictions: LevelPredictions, name: str, value: Measured) -> dict[str, Any]:
    """A metric's row, but for what identifies the arm, cohort and level."""
    absent = undefined_note(predictions, name)
    notes = [absent] if absent.endswith("undefined") else [absent, value.note]
    if len(predictions.seeds) > 1:
        notes.append("seeds are fixed: the interval is about subjects only")
    if name == "threshold" or BY_NAME[metric_of_row(name)].of_calls:
        notes.append(predictions.threshold_note)
    if predictions.unread:
        notes.append(f"{predictions.unread} cases without a label left out")
    return {
        "seeds": len(predictions.seeds),
        "metric": name,
        "estimate": value.estimate,
        "low": value.low,
        "high": value.high,
        "interval": value.kind,
        "cases": len(predictions.case_ids),
        "subjects": predictions.subject_count,
        "note": "; ".join(note for note in notes if note),
    }


def _threshold(predictions: LevelPredictions) -> Measured:
    """The mean threshold; the note of the row says where it comes from."""
    return Measured(float(np.mean(predictions.thresholds)), float("nan"), float("nan"), "none")


def undefined_note(predictions: LevelPredictions, name: str) -> str:
    """Name the classes that the cases lack, where that leaves the metric undefined or over fewer
    classes; empty otherwise.
    """
    if predictions.findings:
        return ""  # the mean over findings says which it is without
    absent = predictions.absent_classes
    effect = BY_NAME[name].absent_class if name in BY_NAME else ""
    if not absent or not effect:
        return ""
    return f"no case of class {', '.join(absent)}" + (": undefined" if effect == "undefined" else "")
