"""Differences between arms along the severity axis: every measure in CSV, the main ones in
LaTeX.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.figures.arms import Factors
from kneeoa.figures.numbers import interval, number, p_value
from kneeoa.figures.words import printed, sentence_case
from kneeoa.paper_tables.arm_names import ArmNames, settings_head
from kneeoa.paper_tables.csv_file import write_csv
from kneeoa.paper_tables.latex import Tabular, changes, write_latex
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

PRINTED = ("spearman", "somers_d", "adjacent_auc_min", "linear_r2")
"""The measures that are printed; the CSV holds all."""


def write(differences: Path, out_csv: Path, out_tex: Path, arms: Factors | None = None, labels: Mapping[str, str] | None = None) -> None:
    """Write DIFFERENCES in the table's own order, which is that of the contrasts.

    Args:
        differences: DIFFERENCES file.
        out_csv: CSV to write.
        out_tex: LaTeX to write; the measures of ``PRINTED``, one tabular for each cohort and axis.
        arms: the arms table; gives the printed names of what is compared. Default: the arms' names.
        labels: the study's own printed names.

    Raises:
        KneeoaError: the file is not DIFFERENCES.
    """
    rows = DIFFERENCES.read(differences)
    write_csv(out_csv, rows)
    write_latex(out_tex, tabulars(rows, ArmNames(arms, labels), labels))


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """The printed tables of DIFFERENCES rows, one for each cohort and axis, in the order of the
    rows.
    """
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
