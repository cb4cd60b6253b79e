"""The table RATERS: each contrast at every rater's noise, and whether the difference grows with
it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import BY_NAME, rows_of
from kneeoa.config.pairs import ArmPair, Arms, arm_pairs, shared_value
from kneeoa.config.raters import REFERENCE
from kneeoa.config.statistics import APPLICABLE, Contrast, Statistics
from kneeoa.contrasts.cases import LevelPredictions, best_head, has_label, level_predictions, require_same_cases
from kneeoa.contrasts.outcome import Outcome, or_null
from kneeoa.contrasts.small_samples import case_parts, rankings_of
from kneeoa.contrasts.trend import Trend, trend
from kneeoa.errors import KneeoaError
from kneeoa.labels.rater_agreement import load_accounts
from kneeoa.statistics.kernels import metric
from kneeoa.statistics.metrics import quadratic_kappa
from kneeoa.tables.raters import RATERS
from kneeoa.tables.runs import PREDICTIONS

LOG = logging.getLogger(__name__)

SPLIT = "test"
"""Arms are compared on cases that chose nothing and that no noisy rater has touched."""
FIXED, SAMPLED = "subjects", "subjects and seeds"
_MOST = 2
"""Metrics a contrast: its first ones."""


@dataclass(frozen=True)
class Noise:
    """The distance of a rater's training labels from the reference."""

    misread: float
    kappa: float


def build_raters(
    prediction_files: list[Path],
    agreement_files: list[Path],
    arms: Arms,
    levels: tuple[Level, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write RATERS: for every contrast the arms and their difference at each rater, by seed and
    over seeds, and the slope.

    The dose of a rater is the realised share of misread training labels, 0 for the reference
    labels. A contrast shows the first two of its metrics that need no threshold (a binary level's
    calls depend on one that noisy arms would each choose otherwise). A contrast over raters has no
    rows: it compares what is the dose here.

    Args:
        prediction_files: PREDICTIONS of all arms.
        agreement_files: what :func:`kneeoa.labels.rater_labels.rate_labels` wrote of every rater.
        arms: arm name -> factors, ``rater`` among them.
        levels: the hierarchy, coarse to fine.
        statistics: contrasts, resamples, seed and confidence.
        out: file to write.

    Raises:
        KneeoaError: a rater without an account, arms whose cases or seeds differ, or a contrast
            that no pair of arms answers.
    """
    frame = PREDICTIONS.concat(prediction_files)
    frame = frame[frame["split"] == SPLIT]
    doses = noise(agreement_files)
    by_name = {level.name: level for level in levels}
    rows: list[dict[str, Any]] = []
    for contrast in statistics.contrasts:
        level = by_name[contrast.level]
        if not shown(contrast, level):
            LOG.info("contrast '%s' has no metric whose trend can be measured", contrast.name)
            continue
        for (setting, value), pairs in _settings(contrast, arms).items():
            unknown = [rater for rater in pairs if rater not in doses]
            if unknown:
                raise KneeoaError(
                    f"Rater '{unknown[0]}' has no account of its agreement with the reference; run the rule rate_labels for it."
                )
            raters = sorted(pairs, key=lambda rater: doses[rater].misread)
            here = frame[frame["level"] == level.name]
            for cohort, part in here[here["cohort"].isin(here.loc[has_label(here), "cohort"].unique())].groupby("cohort", sort=True):
                where = f"Contrast '{contrast.name}', cohort '{cohort}'"
                sides = [
                    [_side(part, arm, level, levels, where) for arm in (pairs[rater].candidate, pairs[rater].reference)] for rater in raters
                ]
                base = {"contrast": contrast.name, "setting": setting, "cohort": cohort, "level": level.name}
                base |= {"factor": contrast.factor, "candidate": value, "reference": contrast.reference}
                rows += [{**base, **row} for row in _rows(contrast, sides, [(name, doses[name]) for name in raters], statistics, where)]
    RATERS.write(out, rows)


def noise(agreement_files: list[Path]) -> dict[str, Noise]:
    """Rater -> realised noise of the training labels at the level that it reads, cohorts pooled;
    the reference has none.
    """
    counts: dict[str, Any] = {}
    for account in load_accounts(agreement_files):
        counted = np.array(account["agreement"][account["level"]]["train"]["counts"], dtype=np.float64)
        counts[account["rater"]] = counts.get(account["rater"], 0) + counted
    noises = {REFERENCE: Noise(0.0, 1.0)}
    for rater, matrix in counts.items():
        noises[rater] = Noise(1 - float(np.trace(matrix) / matrix.sum()), float(quadratic_kappa(matrix[None])[0]))
    return noises


def shown(contrast: Contrast, level: Level) -> Sequence[str]:
    """The metrics of a contrast that the table holds."""
    if not level.exclusive:  # a rater reads no findings, so none are misread
        return []
    resampled = [name for name in contrast.tests if name in APPLICABLE["bootstrap"] and rows_of(name, level) == (name,)]
    return [name for name in resampled if not level.binary or not BY_NAME[name].of_calls][:_MOST]


def _settings(contrast: Contrast, arms: Arms) -> dict[tuple[str, str], dict[str, ArmPair]]:
    """(what a group of arms is called, the candidates' value) -> rater -> pair of arms."""
    if contrast.factor == "rater" or "rater" in contrast.follows:
        return {}
    keys = dict.fromkeys(key for factors in arms.values() for key in factors if key not in ("rater", "training", contrast.factor))
    varying = [key for key in keys if key == "backbone" or len({str(factors.get(key)) for factors in arms.values()}) > 1]
    if contrast.factor != "mode":
        varying = list(dict.fromkeys(["mode", *varying] if "mode" in keys else varying))
    settings: dict[tuple[str, str], dict[str, ArmPair]] = {}
    for pair in arm_pairs(contrast, arms):
        values = [shared_value(arms, (pair.candidate, pair.reference), key) for key in varying]
        setting = " ".join(value for value in values if value is not None)
        settings.setdefault((setting, pair.candidate_value), {})[str(arms[pair.candidate].get("rater", REFERENCE))] = pair
    return settings


def _side(part: pd.DataFrame, arm: str, level: Level, levels: tuple[Level, ...], where: str) -> LevelPredictions:
    rows = part[part["arm"] == arm]
    head = best_head(set(rows["head"]), level, levels)
    if head is None:
        raise KneeoaError(f"{where}: arm '{arm}' has no predictions of level '{level.name}'; predict this cohort with it too.")
    return level_predictions(rows[rows["head"] == head], arm, level, head)


def _rows(
    contrast: Contrast, sides: list[list[LevelPredictions]], raters: list[tuple[str, Noise]], statistics: Statistics, where: str
) -> Iterator[dict[str, Any]]:
    first = sides[0][0]
    for side in (side for pair in sides for side in pair):
        require_same_cases(first, side, where)
        if side.seeds != first.seeds:
            raise KneeoaError(f"{where}: arms '{first.arm}' and '{side.arm}' have other seeds; train every arm with the same ones.")
    a, b = (np.stack([pair[place].probabilities for pair in sides]) for place in (0, 1))
    dose = np.array([one.misread for _, one in raters])
    sample = {"cases": len(first.case_ids), "subjects": first.subject_count, "seeds": len(first.seeds)}
    for name in shown(contrast, first.level):
        how = (statistics.resamples, statistics.seed, statistics.confidence)
        parts = np.stack([case_parts(name, candidate, reference) for candidate, reference in sides])
        trended = trend(dose, first.truth, a, b, metric(name), first.subjects, *how, parts, rankings_of(name))
        for row in _of_metric(trended, raters, list(first.seeds)):
            yield {"metric": name, "rater": None, "misread": None, "kappa": None, "p": None, **sample, **row}


def _of_metric(trended: Trend, raters: list[tuple[str, Noise]], seeds: list[int | None]) -> Iterator[dict[str, Any]]:
    for place, (rater, noise_of_rater) in enumerate(raters):
        at = {"rater": rater, "misread": noise_of_rater.misread, "kappa": or_null(noise_of_rater.kappa), "interval": FIXED}
        between = trended.differences[place]
        sides = {"candidate": trended.arms[0][place], "reference": trended.arms[1][place]}
        means = {name: _row(one.estimate, one.low, one.high, one.note) for name, one in sides.items()}
        means["difference"] = _row(between.difference, between.low, between.high, between.note)
        by_seed = {"candidate": trended.by_seed[0, place], "reference": trended.by_seed[1, place]}
        by_seed["difference"] = by_seed["candidate"] - by_seed["reference"]
        for quantity, mean in means.items():
            yield {**at, "quantity": quantity, **mean}
            if len(seeds) > 1:
                yield from (
                    {**at, "quantity": quantity, **_row(float(value)), "seed": seed}
                    for seed, value in zip(seeds, by_seed[quantity], strict=True)
                )
    yield {"quantity": "slope", "interval": FIXED, **_slope(trended.over_subjects)}
    yield {"quantity": "slope", "interval": SAMPLED, **_slope(trended.over_both)}
    if len(seeds) > 1:
        for seed, value in zip(seeds, trended.slopes, strict=True):
            yield {"quantity": "slope", "interval": FIXED, **_row(float(value)), "seed": seed}


def _slope(slope: Outcome) -> dict[str, Any]:
    return {**_row(slope.difference, slope.low, slope.high, slope.note), "p": or_null(slope.p)}


def _row(estimate: float, low: float = math.nan, high: float = math.nan, note: str = "") -> dict[str, Any]:
    return {"seed": None, "estimate": or_null(estimate), "low": or_null(low), "high": or_null(high), "note": note}
