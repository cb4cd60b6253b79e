"""The table of measures of the representation: every run in CSV, each arm over its seeds in
LaTeX.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, is_number
from kneeoa.tables.geometry import GEOMETRY

TABLE = {
    "section": "representation",
    "place": 1,
    "title": "Measures of the representation",
    "inputs": ["all_measures"],
    "settings": {"arms": "arms"},
    "needs": ["axis"],
}
SCHEMA = GEOMETRY
CSV_ORDER = GEOMETRY.key

PRINTED = (
    "explained_variance",
    "spearman",
    "probe_auc",
    "somers_d",
    "participation_ratio",
    "probe_ridge_r2",
    "probe_quadratic_kappa",
    "probe_logistic_auc",
)
"""The measures that are printed; the CSV holds all."""


def csv_rows(all_measures: Sequence[Path]) -> pd.DataFrame:
    """Read every row of GEOMETRY of all runs.

    Raises:
        KneeoaError: a file is not GEOMETRY, or two files hold the same run.
    """
    return GEOMETRY.concat(list(all_measures))


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print GEOMETRY rows of the test cases: the measures of ``PRINTED``, a tabular for each cohort
    and axis.
    """
    tables = []
    rows = rows[(rows["split"] == "test") & rows["measure"].isin(PRINTED) & ~rows["against"].str.startswith("cartilage")]
    for (cohort, split, axis), axis_rows in rows.groupby(["cohort", "split", "axis"], sort=False):
        heading = ", ".join(
            [sentence_case(display_name(str(axis), labels)), display_name(str(cohort), labels), display_name(str(split), labels)]
        )
        tables.append(_tabular(axis_rows, heading, names, labels))
    return tables


def seeds_cell(rows: pd.DataFrame) -> str:
    """Print one measure of an arm: ``0.81 [0.70, 0.88]`` for one seed, ``0.81 (0.78 to 0.84)`` for
    several that differ.
    """
    if len(rows) == 1:
        row = rows.iloc[0]
        return format_interval(row["estimate"], row["low"], row["high"], 2)
    values = [float(value) for value in rows["estimate"] if is_number(value)]
    if not values:
        return format_number(None)
    mean, low, high = (format_number(value, 2) for value in (sum(values) / len(values), min(values), max(values)))
    return mean if low == high else f"{mean} ({low} to {high})"


def _tabular(rows: pd.DataFrame, heading: str, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    measures = list(rows[["measure", "against"]].drop_duplicates().itertuples(index=False, name=None))
    body = []
    for arm in names.ordered(rows["arm"]):
        arm_rows = rows[rows["arm"] == arm]
        cells = [
            seeds_cell(part) if len(part := arm_rows[(arm_rows["measure"] == m) & (arm_rows["against"] == a)]) else "" for m, a in measures
        ]
        body.append([names.backbone(arm), names.mode(arm), *cells])
    heads = [
        sentence_case(display_name(measure, labels)) + (f", {display_name(against, labels)}" if against else "")
        for measure, against in measures
    ]
    seeds = rows["seed"].nunique()
    notes = f"Mean (range) of {seeds} seeds." if seeds > 1 else "With interval over subjects."
    return Tabular(
        ["Backbone", "Mode", *heads], body, left=2, heading=heading, breaks=group_starts([line[0] for line in body]), notes=notes
    )
