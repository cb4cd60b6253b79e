"""The table of the share of chosen locations on tissues, by map and grade, beside both nulls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts, sample_size
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.selections import SELECTION_SUMMARY

TABLE = {
    "section": "selections",
    "place": 1,
    "title": "Chosen locations on tissues",
    "inputs": ["selection_summary"],
    "settings": {"arms": "arms"},
    "needs": ["selection_shares"],
}
SCHEMA = SELECTION_SUMMARY
CSV_ORDER = ()

_NO_CLAIM = "no claim"


def csv_rows(selection_summary: Path) -> pd.DataFrame:
    """Read every row of SELECTION_SUMMARY, in the order of the arms, levels and tissues.

    Raises:
        KneeoaError: the file is not SELECTION_SUMMARY.
    """
    return SELECTION_SUMMARY.read(selection_summary)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print the means over seeds, a tabular for each cohort, level and tissue."""
    means = rows[rows["seed"].isna()]
    return [
        _tabular(part, str(cohort), str(level), str(tissue), names, labels)
        for (cohort, level, tissue), part in means.groupby(["cohort", "level", "tissue"], sort=False)
    ]


def _tabular(rows: pd.DataFrame, cohort: str, level: str, tissue: str, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    order = {arm: rank for rank, arm in enumerate(names.ordered(rows["arm"]))}
    rows = rows.assign(rank=rows["arm"].map(order)).sort_values(["rank", "map", "grade"], na_position="first", kind="stable")
    body = []
    for row in row_dicts(rows):
        shown = f"{row['map'].replace('-', ' ')}: {row['chosen']:.0f} of {row['locations']:.0f}" + (
            "" if row["claim"] else f", {_NO_CLAIM}"
        )
        grade = f"{row['grade']:.0f}" if is_number(row["grade"]) else "all"
        shares = [format_interval(row["share"], row["share_low"], row["share_high"]), format_number(row["null_mean"])]
        differences = [
            format_interval(row[name], row[low], row[high], 3, 3, signed=True)
            for name, low, high in (("difference", "low", "high"), ("others_difference", "others_low", "others_high"))
        ]
        body.append([names.backbone(row["arm"]), names.mode(row["arm"]), shown, grade, *shares, *differences, f"{row['cases']:.0f}"])
    heads = ["Backbone", "Mode", "Map: chosen", "Grade", "Share on tissue", "Shifted", "Share - shifted", "Share - others'", "Cases"]
    level_name = display_name(level, labels)
    return Tabular(
        [head.replace(" - ", " \N{MINUS SIGN} ") for head in heads],
        body,
        left=4,
        heading=f"{sentence_case(display_name(tissue, labels))}, chosen by the {level_name} heads, {display_name(cohort, labels)}",
        breaks=group_starts([" ".join(line[:3]) for line in body]),
        notes=f"{sample_size(rows)}. A location counts by the share of its cell's area on the tissue. Shifted: the same selection, moved "
        "around the map at random; others': the selections made in other subjects' images, on this mask. Intervals: resampled subjects, "
        f"seeds fixed. {sentence_case(_NO_CLAIM)}: more than a quarter of the map is chosen. Why a value is undefined is in the CSV.",
    )
