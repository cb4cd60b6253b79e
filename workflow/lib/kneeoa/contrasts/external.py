"""Results of every arm and ensemble on external cohorts: accuracy by class, the change from the
develop cohorts' test cases, calibration.

Nothing is fitted on an external cohort but in rows of the part ``secondary``. A person of an
external cohort is in no develop cohort (:mod:`kneeoa.splits.trained_on`), so the two samples are
independent and variances add.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import BY_NAME, metrics_of, rows_of
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.arms import select_predictions
from kneeoa.contrasts.cases import LevelPredictions, best_head, has_label, sampled_runs
from kneeoa.contrasts.external_calibration import calibration_rows
from kneeoa.contrasts.outcome import join, or_null
from kneeoa.statistics.independent_samples import compare_sampled, compare_shares, share_influence, standardised_share
from kneeoa.statistics.influence_functions import Sampled, estimate_of, interval, over_seeds
from kneeoa.statistics.inputs import Booleans, Floats, Integers, cluster_codes, subject_count
from kneeoa.statistics.proportions import codes_of_some, effective_cases, wilson
from kneeoa.tables.external import EXTERNAL
from kneeoa.tables.runs import COMPARED, PREDICTIONS

_LOG = logging.getLogger(__name__)

SPLIT = "test"
AT_DEVELOP_PREVALENCE = "accuracy_at_develop_prevalence"
_COUNTED = ("accuracy", "prevalence")
"""Metrics whose change is that of a share, by class and over all."""


def build_external(
    prediction_files: Sequence[Path],
    external: Sequence[str],
    levels: tuple[Level, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write EXTERNAL: of each arm, external cohort and level of exclusive classes the rows of its
    own head, else of the nearest finer head.

    - ``accuracy``: the share of right calls of each class's cases and of all, with Wilson's
      interval at the effective number of cases (:mod:`kneeoa.statistics.proportions`); of all also
      if the classes had the develop cohort's test shares (direct standardisation), by the delta
      method over the people of both cohorts.
    - ``change``: external minus each develop cohort's test cases, of class shares, of accuracy and
      of the printed metrics (:mod:`kneeoa.statistics.independent_samples`).
    - ``calibration`` and ``secondary``: :mod:`kneeoa.contrasts.external_calibration`.

    Several seeds are averaged and fixed: intervals are about people.

    Args:
        prediction_files: PREDICTIONS tables of all arms.
        external: the external cohorts; every other one is a develop cohort.
        levels: the hierarchy, coarse to fine.
        statistics: confidence, seed and threshold.
        out: file to write.

    Raises:
        KneeoaError: as :func:`kneeoa.contrasts.metrics.build_metrics`.
    """
    frame = PREDICTIONS.concat(list(prediction_files), (*COMPARED, "logits", "calibrated"), categorical=True)
    rows: list[dict[str, Any]] = []
    for arm, part in frame.groupby("arm", observed=True, sort=True):
        study = str(part["study"].iloc[0])
        rows += [{"study": study, "arm": str(arm), **row} for row in _of_arm(part, str(arm), external, levels, statistics)]
    EXTERNAL.write(out, rows)


def _of_arm(
    frame: pd.DataFrame, arm: str, external: Sequence[str], levels: tuple[Level, ...], statistics: Statistics
) -> Iterator[dict[str, Any]]:
    tested = frame[frame["split"] == SPLIT]
    tested = tested.loc[has_label(tested), ["cohort", "level", "head"]].drop_duplicates()
    for level in levels:
        here = tested[tested["level"] == level.name]
        head = best_head(set(here["head"].unique()), level, levels)
        cohorts = sorted(map(str, here["cohort"].unique()))
        if head is None or not level.exclusive:
            if head is not None:
                _LOG.info("%s: level '%s' is multilabel and has no accuracy by class", arm, level.name)
            continue
        sides = {cohort: select_predictions(frame, arm, cohort, SPLIT, level, head, levels, statistics.threshold) for cohort in cohorts}
        develop = {cohort: side for cohort, side in sides.items() if cohort not in external}
        for cohort in (cohort for cohort in cohorts if cohort in external):
            side = sides[cohort]
            place = {"cohort": cohort, "level": level.name, "head": head, "seeds": len(side.seeds)}
            rows = [*_accuracy_rows(side, develop, statistics.confidence), *_change_rows(side, develop, statistics.confidence)]
            rows += calibration_rows(frame, cohort, side, external, levels, statistics)
            yield from ({**_EMPTY, **place, **row} for row in rows)


_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("develop", "label", "estimate", "low", "high", "effective", "design_effect")),
    **dict.fromkeys(("estimate_develop", "cases_develop", "subjects_develop", "change", "change_low", "change_high", "p")),
    "probabilities": "predicted",
    "interval": "none",
    "note": "",
}


class _Sample:
    """A cohort's cases of one level: whether each is called rightly, averaged over seeds."""

    def __init__(self, side: LevelPredictions) -> None:
        self.side = side
        self.truth: Integers = side.truth
        self.right: Floats = (side.calls == side.truth).mean(axis=0)
        self.codes = cluster_codes(side.subjects, side.truth.size)

    def of_class(self, number: int | None) -> tuple[Floats, Integers | None]:
        """The right calls of a class's cases (of all: None), and their subjects."""
        chosen: Booleans = np.ones(self.truth.size, dtype=np.bool_) if number is None else self.truth == number
        return self.right[chosen], codes_of_some(self.codes, chosen)

    def shares(self) -> Floats:
        """The share of each class, ``[K]``."""
        return np.bincount(self.truth, minlength=len(self.side.level.classes)) / self.truth.size


def _classes(level: Level) -> list[tuple[int | None, str | None]]:
    return [*enumerate(level.classes), (None, None)]


def _share_columns(values: Floats, codes: Integers | None, confidence: float, label: str | None) -> dict[str, Any]:
    if not values.size:
        return {"cases": 0, "subjects": 0, "note": f"no case of class {label}"}
    value, effective = float(values.mean()), effective_cases(values, codes)
    low, high = wilson(value, effective, confidence)
    size = {"cases": values.size, "subjects": subject_count(codes, values.size)}
    return {
        **size,
        **{"estimate": value, "low": low, "high": high, "interval": "wilson"},
        **{"effective": effective, "design_effect": values.size / effective},
    }


def _accuracy_rows(side: LevelPredictions, develop: Mapping[str, LevelPredictions], confidence: float) -> Iterator[dict[str, Any]]:
    sample, base = _Sample(side), {"part": "accuracy", "measure": "accuracy"}
    for number, label in _classes(side.level):
        row = {**base, "label": label, **_share_columns(*sample.of_class(number), confidence, label)}
        yield row | {"note": join(row.get("note", ""), side.threshold_note)}
    for name, other in develop.items():
        row = base | {"measure": AT_DEVELOP_PREVALENCE, "develop": name, **_counts(side)}
        reference = _Sample(other)
        reason = _lacking(sample, reference)
        if reason:
            yield row | {"note": reason}
            continue
        ours, theirs = _standardised(sample, reference)
        yield row | _interval_of_two(ours, sample.codes, theirs, reference.codes, confidence)


def _standardised(sample: _Sample, other: _Sample) -> tuple[Sampled, Sampled]:
    """Accuracy at the other sample's class shares: the influence of this sample's cases, and that
    of the other's through its shares.
    """
    shares = other.shares()
    ours = standardised_share(sample.right, sample.truth, shares)
    counts = np.bincount(sample.truth, minlength=shares.size)
    of_class = np.bincount(sample.truth, weights=sample.right, minlength=shares.size) / np.maximum(counts, 1)
    return ours, share_influence(other.truth, of_class)


def _lacking(sample: _Sample, other: _Sample) -> str:
    """The reason why accuracy at the other's class shares is undefined; empty where it is not."""
    lost = np.flatnonzero((sample.shares() == 0) & (other.shares() > 0))
    return f"no case of class {', '.join(sample.side.level.classes[number] for number in lost)}" if lost.size else ""


def _interval_of_two(
    ours: Sampled, codes: Integers | None, theirs: Sampled, other_codes: Integers | None, confidence: float
) -> dict[str, Any]:
    """Estimate and logit interval of a value that both samples' people have a part in."""
    parts = [estimate_of(one, of, confidence, "") for one, of in ((ours, codes), (theirs, other_codes))]
    variance = sum(part.variance for part in parts)
    if not 0.0 < ours.value < 1.0 or not variance > 0.0:
        return {"estimate": ours.value, "note": "no interval: the value is 0 or 1, or does not vary between people"}
    low, high = interval(ours.value, variance, confidence, "logit")
    return {"estimate": ours.value, "low": low, "high": high, "interval": "logit"}


def _change_rows(side: LevelPredictions, develop: Mapping[str, LevelPredictions], confidence: float) -> Iterator[dict[str, Any]]:
    sample = _Sample(side)
    for name, other in develop.items():
        base = {"part": "change", "develop": name, **_counts(side)}
        base |= {"cases_develop": len(other.case_ids), "subjects_develop": other.subject_count}
        for row in [*_share_changes(sample, _Sample(other), confidence), *_metric_changes(side, other, confidence)]:
            yield base | row


def _share_changes(sample: _Sample, reference: _Sample, confidence: float) -> Iterator[dict[str, Any]]:
    for number, label in enumerate(sample.side.level.classes):
        of_class = [(one.truth == number).astype(np.float64) for one in (sample, reference)]
        yield _share_change("prevalence", label, (of_class[0], sample.codes), (of_class[1], reference.codes), confidence)
    for place, label_or_none in _classes(sample.side.level):
        yield _share_change("accuracy", label_or_none, sample.of_class(place), reference.of_class(place), confidence)
    reason = _lacking(sample, reference)
    if reason:
        yield {"measure": AT_DEVELOP_PREVALENCE, "estimate_develop": float(reference.right.mean()), "note": reason}
        return
    ours, through_shares = _standardised(sample, reference)
    right = reference.right - reference.right.mean()
    # A develop case moves both its own cohort's accuracy and the shares that weight the external
    # one.
    theirs = Sampled(float(reference.right.mean()), right / right.size - through_shares.influence)
    _, test = compare_sampled((theirs, reference.codes), (ours, sample.codes), confidence)
    yield {
        "measure": AT_DEVELOP_PREVALENCE,
        "estimate": ours.value,
        "estimate_develop": theirs.value,
        **_change(ours.value - theirs.value, test, "wald"),
    }


Share = tuple[Floats, Integers | None]


def _share_change(measure: str, label: str | None, ours: Share, theirs: Share, confidence: float) -> dict[str, Any]:
    row: dict[str, Any] = {"measure": measure, "label": label}
    sides = [(float(values.mean()), effective_cases(values, codes)) if values.size else (math.nan, 0.0) for values, codes in (ours, theirs)]
    row |= {"estimate": or_null(sides[0][0]), "estimate_develop": or_null(sides[1][0])}
    sizes = [(values.size, subject_count(codes, values.size) if values.size else 0) for values, codes in (ours, theirs)]
    row |= {"cases": sizes[0][0], "subjects": sizes[0][1], "cases_develop": sizes[1][0], "subjects_develop": sizes[1][1]}
    without = [where for where, (values, _) in (("external", ours), ("develop", theirs)) if not values.size]
    if without:
        return row | {"note": f"no {' and no '.join(without)} case of class {label}"}
    return row | _change(sides[0][0] - sides[1][0], compare_shares(sides[1], sides[0], confidence), "newcombe")


def _metric_changes(side: LevelPredictions, other: LevelPredictions, confidence: float) -> Iterator[dict[str, Any]]:
    """Changes of the printed metrics that have one row and an influence in both cohorts."""
    for metric in metrics_of(side.level.kind):
        if metric in _COUNTED or not BY_NAME[metric].in_paper:
            continue
        for name in rows_of(metric, side.level):
            if name != metric:
                continue
            ours, theirs = (over_seeds(sampled_runs(name, one)) for one in (side, other))
            row = {"measure": name, "estimate": or_null(ours.value), "estimate_develop": or_null(theirs.value)}
            notes = [f"{where}: {one.note}" for where, one in (("external", ours), ("develop", theirs)) if one.note]
            codes = [cluster_codes(one.subjects, one.truth.size) for one in (side, other)]
            _, test = compare_sampled((theirs, codes[1]), (ours, codes[0]), confidence)
            yield row | _change(ours.value - theirs.value, test, "wald") | {"note": "; ".join(notes)}


def _change(value: float, test: Any, kind: str) -> dict[str, Any]:
    limits = {"change_low": or_null(test.low), "change_high": or_null(test.high), "p": or_null(test.p)}
    return {"change": or_null(value), **limits, "interval": "none" if math.isnan(test.low) else kind}


def _counts(side: LevelPredictions) -> dict[str, Any]:
    return {"cases": len(side.case_ids), "subjects": side.subject_count}
