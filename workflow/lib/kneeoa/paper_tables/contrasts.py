"""The table of contrasts: the paper's comparisons of arms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.config.metrics import metric_of_row
from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames, settings_heading
from kneeoa.presentation.display_names import LOWER_IS_BETTER, display_name, sentence_case
from kneeoa.presentation.number_format import UNDEFINED, format_interval, format_number, format_p
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.statistics import CONTRASTS

TABLE = {
    "section": "contrasts",
    "place": 1,
    "title": "Contrasts",
    "inputs": ["contrasts"],
    "settings": {"arms": "arms_and_ensembles"},
    "needs": ["contrasts"],
}
SCHEMA = CONTRASTS
CSV_ORDER: tuple[str, ...] = ()

FIRST_COLUMNS = (
    "backbone",
    "level",
    "metric",
    "reference",
    "candidate",
    "estimate_reference",
    "estimate_candidate",
    "difference",
    "low",
    "high",
    "p",
    "p_adjusted",
    "test",
)
"""The columns that ``contrasts.csv`` begins with, on which its users rely."""

_DETECTABLE = "Detectable: the smallest difference that would be found with the configured power."


def csv_rows(contrasts: Path) -> pd.DataFrame:
    """Read every row of CONTRASTS, ``FIRST_COLUMNS`` before the other columns.

    Raises:
        KneeoaError: the file is not CONTRASTS.
    """
    rest = [name for name in CONTRASTS.schema.names if name not in FIRST_COLUMNS]
    return CONTRASTS.read(contrasts)[[*FIRST_COLUMNS, *rest]]


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print CONTRASTS rows in one tabular, in their order."""
    several = rows["cohort"].nunique() > 1
    body = []
    for row in row_dicts(rows):
        arrow = " ↓" if metric_of_row(row["metric"]) in LOWER_IS_BETTER else ""
        metric = f"{display_name(row['level'], labels)} {display_name(row['metric'], labels)}{arrow}"
        where = f", {display_name(row['cohort'], labels)}" if several else ""
        body.append(
            [
                names.setting(row["candidate"], row["reference"], row["factor"], row["backbone"]) + where,
                sentence_case(metric),
                names.pair(row["candidate"], row["reference"], row["factor"]),
                format_number(row["estimate_reference"]),
                format_number(row["estimate_candidate"]),
                format_interval(row["difference"], row["low"], row["high"], 3, 3, signed=True),
                format_number(row["detectable"]),
                format_p(row["p"]),
                UNDEFINED if row["adjustment"] == "none" else format_p(row["p_adjusted"]),
                display_name(row["test"]) + (f": {row['verdict']}" if row["verdict"] else ""),
            ]
        )
    heads = [
        settings_heading(rows["factor"]),
        "Metric",
        "Comparison",
        "Reference",
        "Candidate",
        "Difference",
        "Detectable",
        "p",
        "Adjusted p",
        "Test",
    ]
    families = rows[rows["adjustment"] != "none"][["family", "adjustment", "m"]].drop_duplicates()
    notes = "; ".join(
        f"{display_name(row['adjustment'])} over the {int(row['m'])} tests of the family {row['family']}" for row in row_dicts(families)
    )
    table = Tabular(
        heads,
        body,
        left=3,
        breaks=group_starts([line[0] for line in body]),
        notes=_DETECTABLE + (f" Adjusted p: {notes}." if notes else ""),
    )
    return [table] if body else []
