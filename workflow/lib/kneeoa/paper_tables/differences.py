"""The table of differences between arms along the severity axis: every measure in CSV, the main
ones in LaTeX.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.figures.numbers import interval, number, p_value
from kneeoa.figures.words import printed, sentence_case
from kneeoa.paper_tables.arm_names import ArmNames, settings_head
from kneeoa.paper_tables.latex import Tabular, changes
from kneeoa.tables.differences import DIFFERENCES

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
                sentence_case(printed(str(row.measure), labels)) + f", {printed(str(row.against), labels)}",
                number(row.estimate_reference),
                number(row.estimate_candidate),
                interval(row.difference, row.low, row.high, 3, 3, signed=True),
                p_value(row.p),
            ]
            for row in axis_rows.itertuples(index=False)
        ]
        heads = [settings_head(axis_rows["factor"]), "Comparison", "Measure", "Reference", "Candidate", "Difference", "p"]
        heading = ", ".join([sentence_case(printed(str(axis), labels)), printed(str(cohort), labels), printed("test", labels)])
        notes = "Means over seeds; subjects resampled, the same ones in both arms; p not adjusted."
        tables.append(Tabular(heads, body, left=3, heading=heading, breaks=changes([line[0] for line in body]), notes=notes))
    return tables
