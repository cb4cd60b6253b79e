"""The table of differences between arms along the severity axis: every measure in CSV, the main
ones in LaTeX.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames, settings_heading
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, format_p
from kneeoa.tables.geometry import DIFFERENCES

TABLE = {
    "section": "representation",
    "place": 2,
    "title": "Differences along the axis",
    "inputs": ["differences"],
    "settings": {"arms": "arms"},
    "needs": ["axis", "contrasts"],
}
SCHEMA = DIFFERENCES
CSV_ORDER: tuple[str, ...] = ()

PRINTED = ("spearman", "somers_d", "adjacent_auc_min", "linear_r2")
"""The measures that are printed; the CSV holds all."""


def csv_rows(differences: Path) -> pd.DataFrame:
    """Read every row of DIFFERENCES.

    Raises:
        KneeoaError: the file is not DIFFERENCES.
    """
    return DIFFERENCES.read(differences)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print DIFFERENCES rows, a tabular for each cohort and axis, in the order of the rows."""
    tables = []
    for (cohort, axis), axis_rows in rows[rows["measure"].isin(PRINTED)].groupby(["cohort", "axis"], sort=False):
        body = [
            [
                names.setting(str(row.candidate), str(row.reference), str(row.factor), row.backbone),
                names.pair(str(row.candidate), str(row.reference), str(row.factor)),
                sentence_case(display_name(str(row.measure), labels)) + f", {display_name(str(row.against), labels)}",
                format_number(row.estimate_reference),
                format_number(row.estimate_candidate),
                format_interval(row.difference, row.low, row.high, 3, 3, signed=True),
                format_p(row.p),
            ]
            for row in axis_rows.itertuples(index=False)
        ]
        heads = [settings_heading(axis_rows["factor"]), "Comparison", "Measure", "Reference", "Candidate", "Difference", "p"]
        heading = ", ".join(
            [sentence_case(display_name(str(axis), labels)), display_name(str(cohort), labels), display_name("test", labels)]
        )
        notes = "Means over seeds; subjects resampled, the same ones in both arms; p not adjusted."
        tables.append(Tabular(heads, body, left=3, heading=heading, breaks=group_starts([line[0] for line in body]), notes=notes))
    return tables
