"""Calibration on an external cohort: of the raw probabilities and with the temperature of the
develop cohorts' validation cases; and apart, as ``secondary``, of probabilities that the external
labels themselves have adapted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from kneeoa.config.hierarchy import Level, class_groupings
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.cases import LevelPredictions, has_label, stacked
from kneeoa.statistics.influence_functions import Sampled, estimate_of, of_mean, over_seeds, undefined
from kneeoa.statistics.inputs import Floats, Integers, cluster_codes
from kneeoa.statistics.recalibration import cross_fitted, fit_recalibration, folds_of_people, prior_corrected
from kneeoa.statistics.temperature import fit_temperature

VALIDATION, TRAINING, TEST = "val", "train", "test"
FOLDS = 5
"""Folds of people of the cross-fit."""
_LEAST_PEOPLE = 10
"""Fewest people of an external cohort for a cross-fit."""
_LEAST = 1e-12
"""The least probability whose logarithm is taken, where there are no logits."""

RAW, TEMPERATURE, PRIOR, RECALIBRATED = "raw", "temperature", "prior-corrected", "recalibrated"
_NOTES = {
    PRIOR: "p times the class shares of this cohort over those of the training cases: uses this cohort's labels",
    RECALIBRATED: f"intercepts and slope fitted to the people of the other {FOLDS - 1} of {FOLDS} folds, and taken as fixed in the "
    "interval: uses this cohort's labels",
}


@dataclass(frozen=True)
class _Seed:
    """One seed's log probabilities of a level, ``[n, K]``: raw and at the develop temperature; None
    and the reason where there is none.
    """

    raw: Floats
    scaled: Floats | None
    reason: str = ""


def calibration_rows(
    frame: pd.DataFrame,
    cohort: str,
    side: LevelPredictions,
    external: Sequence[str],
    levels: tuple[Level, ...],
    statistics: Statistics,
) -> Iterator[dict[str, Any]]:
    """Rows of EXTERNAL of the parts ``calibration`` and ``secondary``, of one arm, cohort, level
    and head.

    Measures: ``log_loss``; ``brier`` (of a binary level of the positive class, of others the sum
    over classes); ``accuracy`` of the most probable class; ``gap``, the mean probability of a class
    minus its share of cases; ``slope`` and ``intercept`` of the recalibration
    (:mod:`kneeoa.statistics.recalibration`), the slope 1 where probabilities are neither too
    extreme nor too timid. The temperature is that of the head on the develop cohorts' validation
    cases (an ensemble's: of its own probabilities); a coarser level is summed from the head's
    classes at that temperature.

    Args:
        frame: PREDICTIONS of the arm, all cohorts and splits, with ``logits`` and ``calibrated``.
        cohort: the external cohort.
        side: its predictions of the cohort's labelled cases.
        external: all external cohorts, of which nothing is fitted before the part ``secondary``.
        levels: the hierarchy.
        statistics: confidence, and the seed of the folds.
    """
    of_seeds = [_of_seed(frame, cohort, seed, side, external, levels) for seed in side.seeds]
    rows = _Rows(side, statistics.confidence)
    note = ""
    if bool((frame["calibrated"] & frame["logits"].isna()).any()):
        note = "raw are the combined probabilities of members that were calibrated each by itself"
    raw = [one.raw for one in of_seeds]
    yield from rows.measured("calibration", RAW, [np.exp(one) for one in raw], note)
    yield rows.slope(RAW, raw, note)
    scaled = [one.scaled for one in of_seeds if one.scaled is not None]
    if len(scaled) == len(of_seeds):
        yield from rows.measured("calibration", TEMPERATURE, [np.exp(one) for one in scaled])
        yield rows.slope(TEMPERATURE, scaled)
    else:
        reasons = list(dict.fromkeys(one.reason for one in of_seeds if one.reason))
        yield rows.row("calibration", TEMPERATURE, "log_loss") | {"note": f"no temperature: {'; '.join(reasons)}"}
    yield from _secondary(frame, raw, rows, external, statistics.seed)


def _of_seed(
    frame: pd.DataFrame, cohort: str, seed: int | None, side: LevelPredictions, external: Sequence[str], levels: tuple[Level, ...]
) -> _Seed:
    head_rows = frame[(frame["level"] == side.head) & (frame["head"] == side.head)]
    head_rows = head_rows[head_rows["seed"].isna()] if seed is None else head_rows[head_rows["seed"] == seed]
    here = head_rows[(head_rows["cohort"] == cohort) & (head_rows["split"] == TEST)].set_index("case_id").loc[list(side.case_ids)]
    groups, size = class_groupings(levels, side.head)[side.level.name], len(side.level.classes)
    scores = log_scores(here)
    raw = _summed(scores, groups, size)
    fitting = head_rows[(head_rows["split"] == VALIDATION) & ~head_rows["cohort"].isin(list(external))]
    fitting = fitting[has_label(fitting)]
    if fitting.empty:
        return _Seed(raw, None, "no validation case has a label of the head's level")
    fitted = fit_temperature(np.array([label[0] for label in fitting["truth"]], dtype=np.int64), log_scores(fitting))
    if fitted.degenerate:
        return _Seed(raw, None, "its likelihood has no maximum on the validation cases")
    return _Seed(raw, _summed(scores / fitted.temperature, groups, size))


def log_scores(rows: pd.DataFrame) -> Floats:
    """Class scores whose softmax are a head's uncalibrated probabilities, ``[n, K]``: its logits,
    or where there are none, as of an ensemble, the logarithms of its probabilities.
    """
    if rows["logits"].notna().all():
        return stacked(rows["logits"])
    return np.log(np.maximum(stacked(rows["probabilities"]), _LEAST))


def _summed(scores: Floats, groups: tuple[int, ...], size: int) -> Floats:
    """Log probabilities of a level from a head's scores, its classes summed in groups."""
    of_head: Floats = log_softmax(scores, axis=1)
    if groups == tuple(range(size)):
        return of_head
    coarse = np.full((len(of_head), size), -np.inf)
    for fine, parent in enumerate(groups):
        coarse[:, parent] = np.logaddexp(coarse[:, parent], of_head[:, fine])
    return coarse


class _Rows:
    """Makes the rows of one arm, cohort, level and head."""

    def __init__(self, side: LevelPredictions, confidence: float) -> None:
        self.side, self.confidence = side, confidence
        self.truth: Integers = side.truth
        self.codes = cluster_codes(side.subjects, side.truth.size)
        self.people: list[str] = side.subjects.tolist()

    def row(self, part: str, kind: str, measure: str, label: str | None = None) -> dict[str, Any]:
        """The columns that say what a row is of."""
        size = {"cases": self.truth.size, "subjects": self.side.subject_count}
        return {"part": part, "probabilities": kind, "measure": measure, "label": label, **size}

    def estimate(self, row: dict[str, Any], runs: Sequence[Sampled], note: str = "") -> dict[str, Any]:
        """A row with the mean over seeds and its normal interval over people."""
        mean = over_seeds(runs)
        notes = "; ".join(text for text in (mean.note, note) if text)
        if math.isnan(mean.value):
            return row | {"note": notes}
        made = estimate_of(mean, self.codes, self.confidence, "")
        if math.isnan(made.low):
            return row | {"estimate": made.estimate, "note": notes}
        return row | {"estimate": made.estimate, "low": made.low, "high": made.high, "interval": "wald", "note": notes}

    def measured(self, part: str, kind: str, probabilities: Sequence[Floats], note: str = "") -> Iterator[dict[str, Any]]:
        """Rows of every measure of probabilities ``[n, K]``, one array a seed."""
        for measure, label, of in _measures(self.side.level):
            runs = [of_mean(of(self.truth, values)) for values in probabilities]
            yield self.estimate(self.row(part, kind, measure, label), runs, note)

    def slope(self, kind: str, log_probabilities: Sequence[Floats], note: str = "") -> dict[str, Any]:
        """The row of the calibration slope."""
        fits = [fit_recalibration(self.truth, values) for values in log_probabilities]
        runs = [undefined(self.truth.size, fit.reason) if fit.reason else Sampled(fit.slope, fit.slope_influence) for fit in fits]
        return self.estimate(self.row("calibration", kind, "slope"), runs, note)


Measure = Callable[[Integers, Floats], Floats]
"""(truth ``[n]``, probabilities ``[n, K]``) -> a value for each case ``[n]``."""


def _measures(level: Level) -> list[tuple[str, str | None, Measure]]:
    """Name, class and values for each case of every measure."""
    shown = [(1, level.classes[1])] if level.binary else list(enumerate(level.classes))
    gaps: list[tuple[str, str | None, Measure]] = [("gap", label, _gap_of(number)) for number, label in shown]
    return [("log_loss", None, _log_loss), ("brier", None, _brier), ("accuracy", None, _is_right), *gaps]


def _log_loss(truth: Integers, values: Floats) -> Floats:
    return np.asarray(-np.log(np.maximum(values[np.arange(truth.size), truth], _LEAST)))


def _brier(truth: Integers, values: Floats) -> Floats:
    squares = (values - np.eye(values.shape[1])[truth]) ** 2
    return np.asarray(squares[:, 1] if values.shape[1] == 2 else squares.sum(axis=1))


def _is_right(truth: Integers, values: Floats) -> Floats:
    return np.asarray(values.argmax(axis=1) == truth, dtype=np.float64)


def _gap_of(number: int) -> Measure:
    return lambda truth, values: values[:, number] - (truth == number)


def _secondary(frame: pd.DataFrame, raw: Sequence[Floats], rows: _Rows, external: Sequence[str], seed: int) -> Iterator[dict[str, Any]]:
    """Rows of probabilities that the cohort's own labels have adapted."""
    side = rows.side
    classes = len(side.level.classes)
    training = frame[(frame["split"] == TRAINING) & ~frame["cohort"].isin(list(external))]
    training = training[(training["level"] == side.level.name) & (training["head"] == side.head)]
    training = training[has_label(training)].drop_duplicates(["cohort", "case_id"])
    if training.empty:
        yield rows.row("secondary", PRIOR, "log_loss") | {"note": "no training case has a label of the level"}
    else:
        labels = np.array([label[0] for label in training["truth"]], dtype=np.int64)
        shares = [np.bincount(truth, minlength=classes) / truth.size for truth in (labels, rows.truth)]
        corrected = [prior_corrected(np.exp(values), shares[0], shares[1]) for values in raw]
        yield from _adapted(PRIOR, corrected, rows)
    if side.subject_count < _LEAST_PEOPLE:
        why = f"a cross-fit needs {_LEAST_PEOPLE} people, and the cohort has {side.subject_count}"
        yield rows.row("secondary", RECALIBRATED, "log_loss") | {"note": why}
        return
    folds = folds_of_people(rows.people, rows.truth, FOLDS, seed)
    yield from _adapted(RECALIBRATED, [cross_fitted(rows.truth, values, folds) for values in raw], rows)
    fits = [fit_recalibration(rows.truth, values) for values in raw]
    note = "of one fit to all people of the cohort"
    for number, label in enumerate(side.level.classes):
        runs = [_intercept(fit.intercepts[number], fit.intercept_influence[:, number], fit.reason, label) for fit in fits]
        if number:
            yield rows.estimate(rows.row("secondary", RECALIBRATED, "intercept", label), runs, note)
    runs = [undefined(rows.truth.size, fit.reason) if fit.reason else Sampled(fit.slope, fit.slope_influence) for fit in fits]
    yield rows.estimate(rows.row("secondary", RECALIBRATED, "slope"), runs, note)


def _intercept(value: float, influence: Floats, reason: str, label: str) -> Sampled:
    if reason or math.isinf(value):
        return undefined(influence.size, reason or f"no case of class {label}")
    return Sampled(float(value), influence)


def _adapted(kind: str, runs: Sequence[tuple[Floats, str]], rows: _Rows) -> Iterator[dict[str, Any]]:
    reasons = list(dict.fromkeys(reason for _, reason in runs if reason))
    if reasons:
        yield rows.row("secondary", kind, "log_loss") | {"note": "; ".join(reasons)}
    else:
        yield from rows.measured("secondary", kind, [values for values, _ in runs], _NOTES[kind])
