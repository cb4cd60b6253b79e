"""The table of saliency on tissues: each arm beside chance and both nulls, and the contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts, sample_size
from kneeoa.presentation.arms import ArmNames, settings_heading
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, format_p
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.saliency import ANATOMY

TABLE = {
    "section": "anatomy",
    "place": 1,
    "title": "Saliency on tissues",
    "inputs": ["anatomy"],
    "settings": {"arms": "arms"},
    "needs": ["masks"],
}
SCHEMA = ANATOMY
CSV_ORDER = ANATOMY.key

PRINTED = ("enrichment", "normalised", "mass", "top5_overlap", "auroc")
"""The measures that are printed; the CSV holds all."""


def csv_rows(anatomy: Path) -> pd.DataFrame:
    """Read every row of ANATOMY.

    Raises:
        KneeoaError: the file is not ANATOMY.
    """
    return ANATOMY.read(anatomy)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print ANATOMY rows: the measures of ``PRINTED`` of the arms, then of the contrasts, where
    there are any.
    """
    rows = rows[rows["measure"].isin(PRINTED) & rows["grade"].isna()]
    order = {arm: rank for rank, arm in enumerate(names.ordered(rows["arm"]))}
    rows = rows.assign(rank=rows["arm"].map(order), several=rows["method"].nunique() > 1).sort_values("rank", kind="stable")
    tables = [_arms(rows[rows["kind"] == "arm"], names, labels), _contrasts(rows[rows["kind"] == "contrast"], names, labels)]
    return [table for table in tables if table.rows]


def _shared(row: Mapping[str, object], labels: Mapping[str, str] | None) -> list[str]:
    what = display_name(str(row["measure"]), labels) + (f" ({display_name(str(row['method']), labels)})" if row["several"] else "")
    return [sentence_case(display_name(str(row["tissue"]), labels)), sentence_case(what)]


def _arms(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    body = []
    for row in row_dicts(rows):
        estimate = format_interval(row["estimate"], row["low"], row["high"])
        levels = [format_number(row["chance"])]
        levels += [format_number(row["null_mean"]), format_p(row["null_p"]), format_number(row["others_mean"]), format_p(row["others_p"])]
        body.append([names.backbone(row["arm"]), names.mode(row["arm"]), *_shared(row, labels), estimate, *levels])
    heads = ["Backbone", "Mode", "Tissue", "Measure", "Mean [interval]", "Chance", "Shifted maps", "p", "Others' maps", "p"]
    return Tabular(heads, body, left=4, breaks=group_starts([line[0] for line in body]), notes=f"{sample_size(rows)}.")


def _contrasts(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    body = []
    for row in row_dicts(rows):
        difference = format_interval(row["estimate"], row["low"], row["high"], 3, 3, signed=True)
        body.append(
            [
                names.setting(row["arm"], row["reference"], row["factor"]) or names.backbone(row["arm"]),
                names.pair(row["arm"], row["reference"], row["factor"]),
                *_shared(row, labels),
                difference,
                format_number(row["effect"], 2, signed=True),
                format_number(row["rank_biserial"], 2, signed=True),
                format_p(row["p"]),
                format_p(row["p_adjusted"]),
            ]
        )
    heads = [
        settings_heading(rows["factor"]),
        "Comparison",
        "Tissue",
        "Measure",
        "Difference [interval]",
        "Effect size",
        "Rank-biserial",
        "p",
        "Holm",
    ]
    return Tabular(
        heads,
        body,
        left=4,
        breaks=group_starts([line[0] for line in body]),
        notes=f"{sample_size(rows)}. p: Wilcoxon over subjects; Holm over methods and measures of a tissue.",
    )
