"""How arms differ: every configured contrast on every backbone, tested and corrected in
families.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import base, class_of, rows_of
from kneeoa.config.statistics import Contrast, Statistics
from kneeoa.contrasts.arms import spoken
from kneeoa.contrasts.cases import LevelPredictions, best_head, require_same_cases
from kneeoa.contrasts.families import INFLUENCE, MAX_T, correct
from kneeoa.contrasts.joint import influence_on
from kneeoa.contrasts.networks import against_margin, over_random_seeds
from kneeoa.contrasts.outcome import Outcome, detectable, join
from kneeoa.contrasts.paired import PairedTests
from kneeoa.errors import KneeoaError
from kneeoa.tables.contrasts import CONTRASTS
from kneeoa.tables.predictions import PREDICTIONS

SPLIT = "test"
"""Arms are compared on cases that chose nothing."""


def build_contrasts(
    prediction_files: list[Path],
    arms: Mapping[str, Mapping[str, Any]],
    levels: tuple[Level, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write CONTRASTS: per contrast, backbone and cohort, a row for each metric and test; then the
    families' correction.

    A contrast is made for every pair of arms whose modes are its candidate and reference and whose
    other factors are equal. An arm speaks on a level through its own head, else through the nearest
    finer head (the note says so). Several seeds: metrics are averaged over an arm's seeds, which
    are fixed; with three or more that both arms share, a row over random seeds is added, and it is
    the one that joins a family. Subjects are the clusters of every interval and test.

    Args:
        prediction_files: PREDICTIONS tables of all arms.
        arms: arm name -> factors, at least ``backbone`` and ``mode``.
        levels: the hierarchy, coarse to fine.
        statistics: contrasts, families and how to test.
        out: file to write.

    Raises:
        KneeoaError: a contrast that no pair of arms answers, arms that cannot be told apart, an
            unknown level, an arm without predictions of the level, or cases that are missing,
            repeated or labelled differently.
    """
    frame = PREDICTIONS.concat(prediction_files)
    rows = [row for pair in pairs_of(frame, arms, levels, statistics) for row in _rows(pair, statistics)]
    CONTRASTS.write(out, correct(rows, statistics))


@dataclass(frozen=True)
class Pair:
    """Two arms on the same cases of one cohort."""

    contrast: Contrast
    backbone: str
    cohort: str
    candidate: LevelPredictions
    reference: LevelPredictions


def pairs_of(
    frame: pd.DataFrame, arms: Mapping[str, Mapping[str, Any]], levels: tuple[Level, ...], statistics: Statistics
) -> Iterator[Pair]:
    """Every pair of arms that a contrast compares, cohort by cohort, on the same test cases; errors
    as :func:`build_contrasts`.
    """
    by_name = {level.name: level for level in levels}
    for contrast in statistics.contrasts:
        if contrast.level not in by_name:
            raise KneeoaError(f"Contrast '{contrast.name}' is on the level '{contrast.level}'; the levels are {sorted(by_name)}.")
        level = by_name[contrast.level]
        for candidate, reference in arm_pairs(contrast, arms):
            for cohort, part in _cohorts(frame, candidate, reference, contrast):
                where = f"Contrast '{contrast.name}', cohort '{cohort}'"
                sides = [
                    spoken(frame, arm, cohort, SPLIT, level, _head(part, arm, level, levels, where), levels, statistics.threshold)
                    for arm in (candidate, reference)
                ]
                require_same_cases(sides[0], sides[1], f"Contrast '{contrast.name}'")
                yield Pair(contrast, str(arms[candidate]["backbone"]), cohort, sides[0], sides[1])


def arm_pairs(contrast: Contrast, arms: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(candidate arm, reference arm) for every setting of the factors other than the mode that has
    both modes, in arms' order.

    Raises:
        KneeoaError: no pair, or two arms with the same factors.
    """
    found: dict[str, dict[str, str]] = {contrast.candidate: {}, contrast.reference: {}}
    for name, factors in arms.items():
        mode = factors["mode"]
        if mode not in found:
            continue
        setting = repr(sorted((key, value) for key, value in factors.items() if key != "mode"))
        if setting in found[mode]:
            raise KneeoaError(f"Contrast '{contrast.name}': arms '{found[mode][setting]}' and '{name}' have the same factors; remove one.")
        found[mode][setting] = name
    pairs = [
        (arm, found[contrast.reference][setting])
        for setting, arm in found[contrast.candidate].items()
        if setting in found[contrast.reference]
    ]
    if not pairs:
        raise KneeoaError(
            f"Contrast '{contrast.name}': no two arms have the modes '{contrast.candidate}' and '{contrast.reference}' "
            "and else equal factors; add the missing arm or remove the contrast."
        )
    return pairs


def _cohorts(frame: pd.DataFrame, candidate: str, reference: str, contrast: Contrast) -> Iterator[tuple[str, pd.DataFrame]]:
    part = frame[frame["arm"].isin([candidate, reference]) & (frame["level"] == contrast.level) & (frame["split"] == SPLIT)]
    for arm in (candidate, reference):
        if not (part["arm"] == arm).any():
            raise KneeoaError(
                f"Contrast '{contrast.name}': arm '{arm}' has no {SPLIT} predictions of level '{contrast.level}', "
                "neither by a head of its own nor derived from a finer one."
            )
    for cohort, rows in part.groupby("cohort", sort=True):
        yield str(cohort), rows


def _head(part: pd.DataFrame, arm: str, level: Level, levels: tuple[Level, ...], where: str) -> str:
    head = best_head(set(part.loc[part["arm"] == arm, "head"]), level, levels)
    if head is None:
        raise KneeoaError(f"{where}: arm '{arm}' has no predictions of level '{level.name}'; predict this cohort with it too.")
    return head


def _rows(pair: Pair, statistics: Statistics) -> Iterator[dict[str, Any]]:
    """Of each metric: its own tests, the one over random seeds where there are enough, and those
    against its margin.
    """
    contrast, whole = pair.contrast, PairedTests(pair.candidate, pair.reference, statistics)
    of_class: dict[str, PairedTests] = {}
    jointly = any(family.adjust == MAX_T for family in statistics.families)
    for metric, chosen in contrast.tests.items():
        for row_name in rows_of(metric, pair.candidate.level):
            name, label = row_name, class_of(row_name)
            tests = whole
            if label is not None:
                name = base(row_name)
                tests = of_class[label] = of_class.get(label) or whole.of_class(label)
            found: dict[str, Outcome] = {test: tests.run(name, test) for test in chosen}
            lead = next(iter(found.values()))
            random = over_random_seeds(name, tests.candidate, tests.reference, statistics)
            if random is not None:
                found["seeds"] = lead = random
            if metric in contrast.margins:
                found |= against_margin(name, lead, contrast.margins[metric], statistics.confidence)
            compared = replace(pair, candidate=tests.candidate, reference=tests.reference)
            joint = influence_on(name, tests.candidate, tests.reference, pair.cohort) if jointly else None
            for test, outcome in found.items():
                row = _row(compared, row_name, test, outcome, _remarks(tests.candidate, tests.reference), statistics)
                yield row | {INFLUENCE: joint if test in chosen else None}


def _row(pair: Pair, name: str, test: str, outcome: Outcome, remarks: str, statistics: Statistics) -> dict[str, Any]:
    numbers = {key: _known(value) for key, value in vars(outcome).items()}
    beyond = outcome.generalises != "subjects"
    limits = "" if beyond else "about these trained networks only"
    return {
        **numbers,
        "contrast": pair.contrast.name,
        "backbone": pair.backbone,
        "cohort": pair.cohort,
        "split": SPLIT,
        "level": pair.contrast.level,
        "metric": name,
        "reference": pair.reference.arm,
        "candidate": pair.candidate.arm,
        "test": test,
        "detectable": _known(detectable(outcome.standard_error, outcome.df, statistics)),
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


def _known(value: Any) -> Any:
    """None for NaN and infinity (degrees of freedom of a normal test), the value otherwise:
    undefined is null in the table.
    """
    return None if isinstance(value, float) and not math.isfinite(value) else value
