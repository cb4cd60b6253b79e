"""Account for every knee of a cohort: analysed, or excluded with its stage and reason (after STARD
2015's flow diagram).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.atomic_io import write_json
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.subject_ids import subject_id_warning
from kneeoa.tables.cohort import CASES, EXCLUSIONS, LABELS, SPLITS

LOG = logging.getLogger(__name__)

STAGES = ("cohort", "volumes", "masks", "splits")
"""The stages in their order: a case counts at the first one that excludes it."""


def count_flow(
    *,
    name: str,
    levels: tuple[Level, ...],
    cases: Path,
    labels: Path,
    splits: Path,
    exclusions: list[Path],
    out_exclusions: Path,
    out_flow: Path,
) -> None:
    """Gather the exclusions of all stages and count, in knees and subjects, how many of those found
    are excluded and analysed.

    ``out_flow`` is JSON: ``cohort``; ``found`` {cases, subjects}; ``excluded``, a list of {stage,
    reason, cases, subjects} in the order of the stages, each case once; ``analysed`` {cases,
    subjects}; ``splits``, for each split {cases, subjects, levels: {level: {class: cases}}}
    (findings present, for a multilabel level); ``masks``, a list of {reason, cases}: analysed cases
    that leave the anatomy alone; ``repaired``, how many analysed cases have a mask whose header was
    repaired; ``readings``, a list of {level, several, disagreement}: cases with several readings,
    and those of them whose readings differ; ``loose``, a list of {stage, reason, rows}: files and
    lines that name no knee.

    Raises:
        KneeoaError: the sums do not add up: a case found is neither analysed nor excluded, or is
            both.
    """
    all_cases = CASES.read(cases)
    analysed = SPLITS.read(splits)
    rows = EXCLUSIONS.concat(exclusions)
    rows = rows.assign(order=rows["stage"].map(STAGES.index)).sort_values("order", kind="stable") if len(rows) else rows
    out = rows[rows["scope"] == "case"].drop_duplicates("case_id")
    out = out[out["case_id"].isin(all_cases["case_id"])]
    _check_sums(name, set(all_cases["case_id"]), set(analysed["case_id"]), set(out["case_id"]))
    inside = rows["case_id"].isin(analysed["case_id"])
    masks = rows[inside & (rows["scope"] == "mask")].drop_duplicates("case_id")
    loose = rows[rows["case_id"].isna()]
    doubts = [sentence for sentence in [subject_id_warning(analysed["subject"].unique())] if sentence]
    for sentence in doubts:
        LOG.warning("cohort '%s': %s", name, sentence)
    write_json(
        out_flow,
        {
            "cohort": name,
            "found": _count(all_cases),
            "excluded": [
                {"stage": stage, "reason": reason, **_count(group)}
                for (stage, reason), group in sorted(
                    out.groupby(["stage", "reason"]), key=lambda item: (STAGES.index(item[0][0]), item[0][1])
                )
            ],
            "analysed": _count(analysed),
            "splits": {
                str(split): {**_count(group), "levels": _count_classes(group, labels, levels)} for split, group in analysed.groupby("split")
            },
            "doubts": doubts,
            "masks": [{"reason": reason, "cases": len(group)} for reason, group in masks.groupby("reason")],
            "repaired": int(rows.loc[inside & (rows["scope"] == "repair"), "case_id"].nunique()),
            "readings": _count_readings(LABELS.read(labels), levels),
            "loose": [
                {"stage": stage, "reason": reason, "rows": len(group)} for (stage, reason), group in loose.groupby(["stage", "reason"])
            ],
        },
    )
    EXCLUSIONS.write(out_exclusions, rows[EXCLUSIONS.schema.names])


def _check_sums(name: str, all_cases: set[str], analysed: set[str], excluded: set[str]) -> None:
    both, lost = sorted(analysed & excluded), sorted(all_cases - analysed - excluded)
    strange = sorted(analysed - all_cases)
    for cases, what in ((both, "both analysed and excluded"), (lost, "neither analysed nor excluded"), (strange, "analysed but not found")):
        if cases:
            raise KneeoaError(f"cohort '{name}': {len(cases)} cases are {what}, first {cases[0]}; remove its splits and run again.")


def _count(frame: pd.DataFrame) -> dict[str, int]:
    return {"cases": len(frame), "subjects": int(frame["subject"].nunique())}


def _count_readings(table: pd.DataFrame, levels: tuple[Level, ...]) -> list[dict[str, Any]]:
    counted = []
    for level in levels:
        several = table[(table["level"] == level.name) & (table["source"] == "reader") & (table["readings"] > 1)]
        counted.append({"level": level.name, "several": len(several), "disagreement": int(several["disagreement"].sum())})
    return counted


def _count_classes(group: pd.DataFrame, labels: Path, levels: tuple[Level, ...]) -> dict[str, dict[str, int]]:
    table = LABELS.read(labels)
    group_labels = table[table["case_id"].isin(group["case_id"]) & (table["source"] == "reader")]
    counted: dict[str, dict[str, int]] = {}
    for level in levels:
        values: list[Any] = group_labels.loc[group_labels["level"] == level.name, "value"].tolist()
        if not level.exclusive:
            counted[level.name] = {kind: sum(value[index] == 1 for value in values) for index, kind in enumerate(level.classes)}
        else:
            counted[level.name] = {kind: sum(value[0] == index for value in values) for index, kind in enumerate(level.classes)}
    return counted
