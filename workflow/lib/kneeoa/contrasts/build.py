"""How arms differ: every configured contrast on every backbone, tested and corrected in families."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.config.analysis import Contrast, Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.contrasts.cases import LevelPredictions, best_head, level_predictions, require_same_cases
from kneeoa.contrasts.families import correct
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
    """Write CONTRASTS: per contrast, backbone and cohort, a row for each metric and test; then the families' correction.

    A contrast is made for every pair of arms whose modes are its candidate and reference and whose other factors are equal.
    An arm speaks on a level through its own head, else through the nearest finer head (the note says so). Several seeds:
    metrics are averaged over an arm's seeds, which are fixed; subjects are the clusters of every interval and test.

    Args:
        prediction_files: PREDICTIONS tables of all arms.
        arms: arm name -> factors, at least ``backbone`` and ``mode``.
        levels: the hierarchy, coarse to fine.
        statistics: contrasts, families and how to test.
        out: file to write.

    Raises:
        KneeoaError: a contrast that no pair of arms answers, arms that cannot be told apart, an unknown level, an arm without
            predictions of the level, or cases that are missing, repeated or labelled differently.
    """
    frame = PREDICTIONS.concat(prediction_files)
    frame = frame[frame["split"] == SPLIT]
    by_name = {level.name: level for level in levels}
    rows: list[dict[str, Any]] = []
    for contrast in statistics.contrasts:
        if contrast.level not in by_name:
            raise KneeoaError(f"Contrast '{contrast.name}' is on the level '{contrast.level}'; the levels are {sorted(by_name)}.")
        level = by_name[contrast.level]
        for candidate, reference in arm_pairs(contrast, arms):
            backbone = str(arms[candidate]["backbone"])
            for cohort, part in _cohorts(frame, candidate, reference, contrast):
                sides = [
                    _side(part, arm, level, levels, f"Contrast '{contrast.name}', cohort '{cohort}'") for arm in (candidate, reference)
                ]
                base = {"contrast": contrast.name, "backbone": backbone, "cohort": cohort, "split": SPLIT}
                rows += [{**base, **row} for row in _rows(contrast, sides[0], sides[1], statistics)]
    CONTRASTS.write(out, correct(rows, statistics.families))


def arm_pairs(contrast: Contrast, arms: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(candidate arm, reference arm) for every setting of the factors other than the mode that has both modes, in arms' order.

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
    part = frame[frame["arm"].isin([candidate, reference]) & (frame["level"] == contrast.level)]
    for arm in (candidate, reference):
        if not (part["arm"] == arm).any():
            raise KneeoaError(
                f"Contrast '{contrast.name}': arm '{arm}' has no {SPLIT} predictions of level '{contrast.level}', "
                "neither by a head of its own nor derived from a finer one."
            )
    for cohort, rows in part.groupby("cohort", sort=True):
        yield str(cohort), rows


def _side(part: pd.DataFrame, arm: str, level: Level, levels: tuple[Level, ...], where: str) -> LevelPredictions:
    rows = part[part["arm"] == arm]
    head = best_head(set(rows["head"]), level, levels)
    if head is None:
        raise KneeoaError(f"{where}: arm '{arm}' has no predictions of level '{level.name}'; predict this cohort with it too.")
    return level_predictions(rows[rows["head"] == head], arm, level, head)


def _rows(contrast: Contrast, candidate: LevelPredictions, reference: LevelPredictions, statistics: Statistics) -> Iterator[dict[str, Any]]:
    require_same_cases(candidate, reference, f"Contrast '{contrast.name}'")
    tests = PairedTests(candidate, reference, statistics)
    remarks = [f"{side.arm}: level read from head '{side.head}'" for side in (candidate, reference) if side.head != side.level.name]
    if candidate.seeds != reference.seeds:
        remarks.append(f"seeds differ: candidate {list(candidate.seeds)}, reference {list(reference.seeds)}; each averaged over its own")
    if candidate.unread:
        remarks.append(f"{candidate.unread} cases without a label left out")
    for name, chosen in contrast.tests.items():
        for test in chosen:
            outcome = tests.run(name, test)
            yield {
                "level": contrast.level,
                "metric": name,
                "reference": reference.arm,
                "candidate": candidate.arm,
                **{key: _known(value) for key, value in vars(outcome).items()},
                "test": test,
                "cases": len(candidate.case_ids),
                "subjects": candidate.subject_count,
                "seeds": min(len(candidate.seeds), len(reference.seeds)),
                "note": "; ".join([*([outcome.note] if outcome.note else []), *remarks]),
            }


def _known(value: Any) -> Any:
    """None for NaN, the value otherwise: undefined is null in the table."""
    return None if isinstance(value, float) and math.isnan(value) else value
