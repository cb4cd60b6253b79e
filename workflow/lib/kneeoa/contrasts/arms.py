"""Select an arm's predictions of a level on one cohort and split, with its threshold and the finer
head beside it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import ThresholdRule
from kneeoa.contrasts.cases import LevelPredictions, binary_level, level_predictions, stacked
from kneeoa.contrasts.multilabel import joined, one_finding
from kneeoa.errors import KneeoaError
from kneeoa.statistics.operating_point import choose_threshold

FALLBACK = 0.5
"""The threshold where a rule finds none."""


def select_predictions(
    frame: pd.DataFrame,
    arm: str,
    cohort: str,
    split: str,
    level: Level,
    head: str,
    levels: tuple[Level, ...],
    threshold: ThresholdRule | float,
) -> LevelPredictions:
    """Predictions of one arm, cohort, split, level and head, with thresholds and, for an arm's own
    head, the finer head's predictions.

    Args:
        frame: PREDICTIONS rows of the arm, all splits: a threshold rule looks at the validation
            cases (of all cohorts).
        arm: name of the arm.
        cohort: whose cases.
        split: which of them.
        level: what is predicted; of a multilabel level each finding has thresholds of its own.
        head: the level whose head speaks.
        levels: the hierarchy.
        threshold: of a binary level: a number, or a rule to be fitted for each seed.

    Raises:
        KneeoaError: see :func:`kneeoa.contrasts.cases.level_predictions`.
    """
    if not (frame["arm"] == arm).all():
        frame = frame[frame["arm"] == arm]
    here = (frame["cohort"] == cohort) & (frame["split"] == split)
    by_head = (frame["level"] == level.name) & (frame["head"] == head)
    if not level.exclusive:
        rows = frame[by_head]
        parts = [(one_finding(rows, level, number), binary_level(level, number)) for number in range(len(level.classes))]
        findings = [select_predictions(part, arm, cohort, split, one, head, (one,), threshold) for part, one in parts]
        return joined(level, findings, frame.loc[by_head & here, "case_id"])
    predictions = level_predictions(frame[by_head & here], arm, level, head)
    if level.binary:
        values, note = _thresholds(frame[by_head & (frame["split"] == "val")], predictions, threshold)
        predictions = replace(predictions, thresholds=values, threshold_note=note)
    child = next((other for other in levels if other.parent == level.name and other.exclusive), None)
    if head != level.name or child is None:
        return predictions
    below = frame[here & (frame["level"] == child.name) & (frame["head"] == child.name)]
    if below.empty:
        return predictions
    return replace(predictions, fine=_aligned(below, predictions, arm), parent_class=child.parent_class or ())


def _aligned(rows: pd.DataFrame, predictions: LevelPredictions, arm: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The finer head's probabilities ``[S, n, K']`` on the same cases, whether or not those have a
    fine label.
    """
    aligned = []
    for seed in predictions.seeds:
        part = rows[rows["seed"].isna()] if seed is None else rows[rows["seed"] == seed]
        place_of = {case: place for place, case in enumerate(part["case_id"])}
        missing = [case for case in predictions.case_ids if case not in place_of]
        if missing or len(place_of) < len(part):
            raise KneeoaError(f"Predictions of arm '{arm}': its finer head lacks or repeats cases of its coarser one, e.g. {missing[:1]}.")
        aligned.append(stacked(part["probabilities"].iloc[[place_of[case] for case in predictions.case_ids]]))
    return np.stack(aligned)


def _thresholds(validation: pd.DataFrame, predictions: LevelPredictions, threshold: ThresholdRule | float) -> tuple[tuple[float, ...], str]:
    """One threshold a seed, and words on where they come from (empty for a number of the
    configuration).
    """
    if not isinstance(threshold, ThresholdRule):
        return (float(threshold),) * len(predictions.seeds), ""
    values, lost, method = [], 0, ""
    for seed in predictions.seeds:
        rows = validation[validation["seed"].isna()] if seed is None else validation[validation["seed"] == seed]
        labels = np.array([entries[0] if len(entries) == 1 else None for entries in rows["truth"]], dtype=np.float64)
        is_read = ~np.isnan(labels)
        truth = labels[is_read].astype(np.int64)
        if not truth.size or truth.all() or not truth.any():
            values.append(FALLBACK)
            lost += 1
            continue
        scores = np.array([entries[1] for entries in rows["probabilities"][is_read]], dtype=np.float64)
        chosen = choose_threshold(truth, scores, threshold.rule, threshold.value)
        values.append(chosen.threshold)
        method = chosen.method
    notes = [f"threshold {', '.join(f'{value:.3g}' for value in values)} ({method})"] if method else []
    if lost:
        notes.append(f"threshold {FALLBACK} for {lost} of {len(values)} runs: no validation cases of both classes")
    return tuple(values), "; ".join(notes)
