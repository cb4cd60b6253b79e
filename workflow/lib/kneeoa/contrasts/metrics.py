"""What each arm achieved: every metric of every seed and their mean, with intervals over subjects."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np

from kneeoa.config.analysis import BINARY_METRICS, CLASS_METRICS, Metric, Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.contrasts.cases import LevelPredictions, level_predictions
from kneeoa.statistics.bootstrap import bootstrap_interval
from kneeoa.statistics.delong import auc_interval
from kneeoa.statistics.metrics import mean_over_seeds, metric
from kneeoa.tables.metrics import METRICS
from kneeoa.tables.predictions import PREDICTIONS

LOG = logging.getLogger(__name__)

SPLITS = ("val", "test")
"""Training cases are not measured: their numbers say nothing about the question."""


def build_metrics(prediction_files: list[Path], levels: tuple[Level, ...], statistics: Statistics, out: Path) -> None:
    """Write METRICS: one row per arm, seed, cohort, split, level, head and metric; seed null for the mean over seeds.

    Binary levels get ``BINARY_METRICS``, the others ``CLASS_METRICS``. The AUC's interval is DeLong's on the logit scale,
    clustered by subject (for a mean, of the mean AUC with seeds fixed); the others' are percentiles of a bootstrap of subjects
    that meets all seeds jointly. Multilabel levels are left out and logged.

    Args:
        prediction_files: PREDICTIONS tables.
        levels: the hierarchy.
        statistics: confidence, resamples, seed, threshold.
        out: file to write.

    Raises:
        KneeoaError: see :func:`kneeoa.contrasts.cases.level_predictions`.
    """
    frame = PREDICTIONS.concat(prediction_files)
    by_name = {level.name: level for level in levels}
    rows: list[dict[str, Any]] = []
    keys = ["study", "arm", "cohort", "split", "level", "head"]
    for key, part in frame[frame["split"].isin(SPLITS)].groupby(keys, sort=True):
        where = {name: str(value) for name, value in zip(keys, key, strict=True)}
        level = by_name.get(where["level"])
        if level is None or level.kind == "multilabel":
            LOG.warning("no metrics for level '%s': it is %s", where["level"], "unknown" if level is None else "multilabel")
            continue
        rows += [{**where, **row} for row in _rows(level_predictions(part, where["arm"], level, where["head"]), statistics)]
    METRICS.write(out, rows)


def _rows(predictions: LevelPredictions, statistics: Statistics) -> list[dict[str, Any]]:
    names = BINARY_METRICS if predictions.level.kind == "binary" else CLASS_METRICS
    single = [
        dataclasses.replace(predictions, seeds=(seed,), probabilities=predictions.probabilities[[index]])
        for index, seed in enumerate(predictions.seeds)
        if seed is not None
    ]
    subsets = [(subset.seeds[0], subset) for subset in single] + [(None, predictions)]
    return [{"seed": seed, **_row(subset, name, statistics)} for seed, subset in subsets for name in names]


def _row(predictions: LevelPredictions, name: Metric, statistics: Statistics) -> dict[str, Any]:
    notes = [undefined_note(predictions, name)]
    if name == "auc":
        scores = predictions.probabilities[:, :, 1].T
        auc = auc_interval(predictions.truth, scores, predictions.subjects, statistics.confidence)
        values = (auc.auc, auc.low, auc.high)
        kind = "logit-delong"
        if auc.degenerate:
            notes.append("no interval: the estimated variance is zero")
    else:
        boot = bootstrap_interval(
            mean_over_seeds(metric(name, statistics.threshold)),
            predictions.truth,
            predictions.probabilities,
            predictions.subjects,
            statistics.resamples,
            statistics.seed,
            statistics.confidence,
        )
        values = (boot.estimate, boot.low, boot.high)
        kind = "cluster-bootstrap"
        notes.append(invalid_note(boot.invalid, boot.resamples))
    if predictions.unread:
        notes.append(f"{predictions.unread} cases without a label left out")
    return {
        "seeds": len(predictions.seeds),
        "metric": name,
        "estimate": values[0],
        "low": values[1],
        "high": values[2],
        "interval": kind,
        "cases": len(predictions.case_ids),
        "subjects": predictions.subject_count,
        "note": "; ".join(note for note in notes if note),
    }


def undefined_note(predictions: LevelPredictions, name: Metric) -> str:
    """Which classes the cases lack, where that leaves the metric undefined or over fewer classes; empty otherwise."""
    counts = np.bincount(predictions.truth, minlength=len(predictions.level.classes))
    absent = [predictions.level.classes[index] for index in np.flatnonzero(counts == 0)]
    if not absent or name not in ("auc", "macro_auc", "balanced_accuracy", "f1", "macro_f1"):
        return ""
    return f"no case of class {', '.join(absent)}" + (": undefined" if name in ("auc", "macro_auc") else "")


def invalid_note(invalid: int, resamples: int) -> str:
    """How many resamples were left out; empty where none was."""
    return f"{invalid} of {resamples} resamples undefined and left out" if invalid else ""
