"""Comparisons of arms: every configured contrast on every pair of arms that answers it, tested and
corrected in families.
"""

from __future__ import annotations

import functools
import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import class_of, metric_of_row, rows_of
from kneeoa.config.pairs import ArmPair, Arms, missing_counterparts, require_pairs, shared_value
from kneeoa.config.statistics import Contrast, Statistics
from kneeoa.contrasts.arms import select_predictions
from kneeoa.contrasts.cases import LevelPredictions, best_head, has_label, require_same_cases
from kneeoa.contrasts.families import INFLUENCE, MAX_T, correct, influence_on, takes
from kneeoa.contrasts.outcome import Outcome, detectable, join
from kneeoa.contrasts.paired import PairedTests
from kneeoa.contrasts.random_seed_tests import against_margin, over_random_seeds
from kneeoa.errors import KneeoaError
from kneeoa.tables.runs import COMPARED, PREDICTIONS
from kneeoa.tables.statistics import CONTRASTS

_LOG = logging.getLogger(__name__)

SPLIT = "test"
"""Arms are compared on cases that chose nothing."""


def build_contrasts(
    prediction_files: list[Path],
    arms: Arms,
    levels: tuple[Level, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write CONTRASTS: per contrast, pair of arms and cohort, a row for each metric and test; then
    the families' correction.

    A contrast is made for every pair of arms that have a candidate and the reference value of its
    factor and whose other factors are equal (:func:`kneeoa.config.pairs.arm_pairs`); arms that a
    contrast names and has no counterpart for are logged. An arm speaks on a level through its own
    head, else through the nearest finer head (the note says so). Several seeds: metrics are
    averaged over an arm's seeds, which are fixed; with three or more that both arms share, a row
    over random seeds is added, and it is the one that joins a family. Subjects are the clusters of
    every interval and test.

    Args:
        prediction_files: PREDICTIONS tables of all arms.
        arms: arm name -> factor -> value.
        levels: the hierarchy, coarse to fine.
        statistics: contrasts, families and how to test.
        out: file to write.

    Raises:
        KneeoaError: a contrast that no pair of arms answers, arms that cannot be told apart, an
            unknown level, an arm without predictions of the level, or cases that are missing,
            repeated or labelled differently.
    """
    frame = PREDICTIONS.concat(prediction_files, COMPARED, categorical=True)
    rows, primary = [], []
    for pair in pairs_of(frame, arms, levels, statistics):
        part = list(_rows(pair, statistics))
        rows += part
        primary += [pair.is_primary] * len(part)
    for contrast in statistics.contrasts:
        for sentence in missing_counterparts(contrast, arms):
            _LOG.warning("contrast %s: %s", contrast.name, sentence)
    CONTRASTS.write(out, correct(rows, statistics, primary))


@dataclass(frozen=True)
class Pair:
    """Two arms on the same cases of one cohort."""

    contrast: Contrast
    arms: ArmPair
    backbone: str | None
    cohort: str
    candidate: LevelPredictions
    reference: LevelPredictions
    is_primary: bool = False

    @property
    def columns(self) -> dict[str, Any]:
        """The pair's columns in CONTRASTS and SUBGROUPS."""
        return {
            "contrast": self.contrast.name,
            "factor": self.contrast.factor,
            "backbone": self.backbone,
            "cohort": self.cohort,
            "level": self.contrast.level,
            "reference": self.arms.reference,
            "candidate": self.arms.candidate,
            "reference_value": self.arms.reference_value,
            "candidate_value": self.arms.candidate_value,
        }


def pairs_of(frame: pd.DataFrame, arms: Arms, levels: tuple[Level, ...], statistics: Statistics) -> Iterator[Pair]:
    """Every pair of arms that a contrast compares, cohort by cohort, on the same test cases; errors
    as :func:`build_contrasts`.
    """
    by_name = {level.name: level for level in levels}
    frames = {str(arm): rows for arm, rows in frame.groupby("arm", observed=True)}

    @functools.cache  # contrasts share arms
    def side(arm: str, cohort: str, level: Level, head: str) -> LevelPredictions:
        return select_predictions(frames[arm], arm, cohort, SPLIT, level, head, levels, statistics.threshold)

    for contrast in statistics.contrasts:
        if contrast.level not in by_name:
            raise KneeoaError(f"Contrast '{contrast.name}' is on the level '{contrast.level}'; the levels are {sorted(by_name)}.")
        level = by_name[contrast.level]
        for pair in require_pairs(contrast, arms):
            ends = (pair.candidate, pair.reference)
            backbone, primary = shared_value(arms, ends, "backbone"), takes(statistics.primary, contrast, pair, arms)
            for cohort, part in _cohorts(frames, ends, contrast):
                where = f"Contrast '{contrast.name}', cohort '{cohort}'"
                sides = [side(arm, cohort, level, _head(part, arm, level, levels, where)) for arm in ends]
                require_same_cases(sides[0], sides[1], f"Contrast '{contrast.name}'")
                yield Pair(contrast, pair, backbone, cohort, sides[0], sides[1], primary)


def _cohorts(frames: Mapping[str, pd.DataFrame], ends: tuple[str, str], contrast: Contrast) -> Iterator[tuple[str, pd.DataFrame]]:
    both = [frames[arm] for arm in ends if arm in frames]
    parts = [rows[(rows["level"] == contrast.level) & (rows["split"] == SPLIT)] for rows in both]
    parts = [rows.loc[has_label(rows), ["arm", "cohort", "head"]] for rows in parts]
    part = pd.concat(parts) if parts else pd.DataFrame({"arm": [], "cohort": [], "head": []})
    for arm in ends:
        if not (part["arm"] == arm).any():
            raise KneeoaError(
                f"Contrast '{contrast.name}': arm '{arm}' has no {SPLIT} predictions of level '{contrast.level}', "
                "neither by a head of its own nor derived from a finer one."
            )
    for cohort, rows in part.groupby("cohort", sort=True, observed=True):
        yield str(cohort), rows


def _head(part: pd.DataFrame, arm: str, level: Level, levels: tuple[Level, ...], where: str) -> str:
    head = best_head(set(part.loc[part["arm"] == arm, "head"].unique()), level, levels)
    if head is None:
        raise KneeoaError(f"{where}: arm '{arm}' has no predictions of level '{level.name}'; predict this cohort with it too.")
    return head


def _rows(pair: Pair, statistics: Statistics) -> Iterator[dict[str, Any]]:
    """Yield the rows of each metric: its own tests, the one over random seeds where there are
    enough, and those against its margin.
    """
    contrast, whole = pair.contrast, PairedTests(pair.candidate, pair.reference, statistics)
    of_class: dict[str, PairedTests] = {}
    jointly = any(family.adjust == MAX_T for family in statistics.families)
    for metric, chosen in contrast.tests.items():
        for row_name in rows_of(metric, pair.candidate.level):
            name, label = row_name, class_of(row_name)
            tests = whole
            if label is not None:
                name = metric_of_row(row_name)
                tests = of_class[label] = of_class.get(label) or whole.of_class(label)
            outcomes: dict[str, Outcome] = {test: tests.run(name, test) for test in chosen}
            lead = next(iter(outcomes.values()))
            random = over_random_seeds(name, tests.candidate, tests.reference, statistics, tests.parts)
            if random is not None:
                outcomes["seeds"] = lead = random
            if metric in contrast.margins:
                outcomes |= against_margin(name, lead, contrast.margins[metric], statistics.confidence)
            compared = replace(pair, candidate=tests.candidate, reference=tests.reference)
            remarks = join(pair.arms.note, _remarks(tests.candidate, tests.reference))
            joint = influence_on(name, tests.candidate, tests.reference, pair.cohort) if jointly else None
            for test, outcome in outcomes.items():
                yield _row(compared, row_name, test, outcome, remarks, statistics) | {INFLUENCE: joint if test in chosen else None}


def _row(pair: Pair, name: str, test: str, outcome: Outcome, remarks: str, statistics: Statistics) -> dict[str, Any]:
    numbers = {key: _defined(value) for key, value in vars(outcome).items()}
    beyond = outcome.generalises != "subjects"
    limits = "" if beyond else "about these trained networks only"
    return {
        **numbers,
        **pair.columns,
        "split": SPLIT,
        "metric": name,
        "test": test,
        "detectable": _defined(detectable(outcome.standard_error, outcome.df, statistics)),
        "cases": len(pair.candidate.case_ids),
        "subjects": pair.candidate.subject_count,
        "seeds": min(len(pair.candidate.seeds), len(pair.reference.seeds)),
        "note": join(outcome.note, limits, remarks),
    }


def _remarks(candidate: LevelPredictions, reference: LevelPredictions) -> str:
    remarks = [f"{side.arm}: level read from head '{side.head}'" for side in (candidate, reference) if side.head != side.level.name]
    remarks += [f"{side.arm}: {side.threshold_note}" for side in (candidate, reference) if side.threshold_note]
    if candidate.seeds != reference.seeds:
        remarks.append(f"seeds differ: candidate {list(candidate.seeds)}, reference {list(reference.seeds)}; each averaged over its own")
    if candidate.unread:
        remarks.append(f"{candidate.unread} cases without a label left out")
    return "; ".join(remarks)


def _defined(value: Any) -> Any:
    """None for NaN and infinity (degrees of freedom of a normal test), the value otherwise:
    undefined is null in the table.
    """
    return None if isinstance(value, float) and not math.isfinite(value) else value
