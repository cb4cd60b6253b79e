"""Summarise the shares of chosen locations on tissues over subjects and seeds: for each arm, map
and tissue, of all cases and by grade, against the same selections shifted and those of other
subjects.

Seeds never count as cases, and a person's knees and visits weigh as one: means over seeds, then
cases, then subjects, with intervals over resampled subjects. Every seed has rows of its own too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.anatomy.subject_summaries import case_means, count_columns, finite_or_none, subject_means
from kneeoa.config.analysis import Statistics
from kneeoa.config.hierarchy import Level
from kneeoa.labels.level_labels import MISSING, read_labels
from kneeoa.tables.selections import SELECTION_SHARES, SELECTION_SUMMARY

logger = logging.getLogger(__name__)

CLAIMED = 4
"""Most of a map that may be chosen for a claim, as one location in so many: more of them cover much
of the image wherever the module looks.
"""

_COLUMNS = ["level", "map", "tissue"]
_ESTIMATES = {"share": ("share", "share_low", "share_high"), "null": ("difference", "low", "high")}
_ESTIMATES |= {"others": ("others_difference", "others_low", "others_high")}


def summarise_selections(*, shares: Sequence[Path], labels: Sequence[Path], level: Level | None, statistics: Statistics, out: Path) -> None:
    """Write SELECTION_SUMMARY.

    Args:
        shares: SELECTION_SHARES tables of all runs.
        labels: LABELS tables, which give the grades.
        level: the level of the grades; None: no rows by grade.
        statistics: resamples, confidence and seed.
        out: table to write.

    Raises:
        KneeoaError: a table is not what it should be.
    """
    rows = SELECTION_SHARES.concat(list(shares))
    summaries: list[dict[str, Any]] = []
    if len(rows):
        rows = rows.assign(grade=_grades(rows, labels, level))
        tissues = list(dict.fromkeys(rows["tissue"]))
        for (study, arm, cohort), part in rows.groupby(["study", "arm", "cohort"], sort=True):
            keys = {"study": study, "arm": arm, "cohort": cohort}
            seeds = sorted(part["seed"].unique())
            for seed in [None, *(seeds if len(seeds) > 1 else [])]:
                of_seed = part if seed is None else part[part["seed"] == seed]
                for grade, graded in [(None, of_seed), *of_seed[of_seed["grade"] != MISSING].groupby("grade", sort=True)]:
                    which = {"seed": None if seed is None else int(seed), "grade": None if grade is None else int(str(grade))}
                    summaries += [keys | which | row for row in _rows(graded, statistics, str(cohort))]
        place = {tissue: number for number, tissue in enumerate(tissues)}
        summaries.sort(key=lambda row: (row["arm"], row["cohort"], row["level"], place[row["tissue"]], row["map"]))
    table = pd.DataFrame(summaries, columns=[name for name in SELECTION_SUMMARY.schema.names if name != "fold"])
    SELECTION_SUMMARY.write(out, table.astype({"seed": "Int32", "grade": "Int16"}))
    logger.info("%d rows", len(table))


def _grades(rows: pd.DataFrame, labels: Sequence[Path], level: Level | None) -> Any:
    """The grade of each row's case, -1 where unknown."""
    if level is None:
        return MISSING
    cases = rows[["cohort", "case_id"]].drop_duplicates(ignore_index=True)
    grades = read_labels(labels, cases, [level])[level.name].values
    return rows[["cohort", "case_id"]].merge(cases.assign(grade=grades), how="left")["grade"].to_numpy()


def _rows(rows: pd.DataFrame, statistics: Statistics, cohort: str) -> Iterator[dict[str, Any]]:
    """A row for each level, map and tissue."""
    share = case_means(rows, rows["share"], _COLUMNS)
    differences = {null: case_means(rows, rows["share"] - rows[f"{null}_mean"], _COLUMNS) for null in ("null", "others")}
    estimates = {name: subject_means(cases, statistics, cohort) for name, cases in {"share": share, **differences}.items()}
    means = {}
    for name in ("chance", "null_mean", "others_mean"):
        cases = case_means(rows, rows[name], _COLUMNS)
        means[name] = cases.groupby(level="subject").mean().mean()
    groups = {tuple(map(str, key)): group for key, group in rows.groupby(_COLUMNS)}
    for key in estimates["share"]:
        group = groups[tuple(map(str, key))]
        locations, chosen = int(group["locations"].max()), int(group["chosen"].max())
        claim = CLAIMED * chosen <= locations
        row: dict[str, Any] = dict(zip(_COLUMNS, key, strict=True)) | {"seeds": int(group["seed"].nunique())}
        row |= {"locations": locations, "chosen": chosen, "claim": claim} | count_columns(share[key])
        row |= {name: finite_or_none(mean.get(key)) for name, mean in means.items()}
        for name, columns in _ESTIMATES.items():
            estimate = estimates[name][key]
            row |= dict(zip(columns, (estimate.value, estimate.low, estimate.high), strict=True))
        yield row | {"note": "; ".join(_notes(group, claim, estimates["null"][key].note))}


def _notes(group: pd.DataFrame, claim: bool, note: str) -> Iterator[str]:
    locations, chosen = int(group["locations"].max()), int(group["chosen"].max())
    if not claim:
        yield f"no claim: {chosen} of {locations} locations are chosen, more than one in {CLAIMED}"
    placed, defined = int(group["placed"].max()), int(group["share"].notna().sum())
    if not placed:
        yield "undefined: no chosen location has a place in the image (tokens of slices, or a class token)"
        return
    if not defined:
        yield "undefined: the tissue is in no mask, or the map has a single cell"
        return
    if defined < len(group):
        yield f"{len(group) - defined} of {len(group)} selections without a value: no such tissue in the mask, or none with a place"
    if int(group["placed"].min()) < chosen:
        yield "class tokens, which have no place, are left out"
    if note:
        yield note
