"""What deleting a tissue does to the score, beside control regions of the same size and shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.anatomy.regions import CONTROL
from kneeoa.figures.arms import Factors
from kneeoa.figures.numbers import interval, is_number, number, p_value
from kneeoa.figures.scores import records
from kneeoa.figures.words import count, printed, sentence_case
from kneeoa.paper_tables.arm_names import ArmNames
from kneeoa.paper_tables.csv_file import write_csv
from kneeoa.paper_tables.latex import Tabular, changes, write_latex
from kneeoa.tables.deletion import DELETION_SUMMARY

TABLE = {
    "section": "anatomy",
    "place": 3,
    "title": "What blurring a tissue away does to the score",
    "inputs": ["deletion"],
    "settings": {"arms": "arms"},
    "needs": ["deletion"],
}
SCHEMA = DELETION_SUMMARY


def write(deletion: Path, out_csv: Path, out_tex: Path, arms: Factors | None = None, labels: Mapping[str, str] | None = None) -> None:
    """Write DELETION_SUMMARY: CSV with every row, LaTeX with one tabular of signed drops and of
    tissue against control.

    Args:
        deletion: DELETION_SUMMARY file.
        out_csv: CSV to write, sorted by the table's key.
        out_tex: LaTeX to write.
        arms: the arms table; gives the order of the rows and their printed names. Default: sorted
            by name.
        labels: the study's own printed names.

    Raises:
        KneeoaError: the file is not DELETION_SUMMARY.
    """
    rows = DELETION_SUMMARY.read(deletion)
    write_csv(out_csv, rows, order=DELETION_SUMMARY.key)
    write_latex(out_tex, tabulars(rows, ArmNames(arms, labels), labels))


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """The printed table of DELETION_SUMMARY rows: the signed drops; none without rows."""
    order = {arm: rank for rank, arm in enumerate(names.ordered(rows["arm"]))}
    rows = rows[rows["measure"] == "drop"]
    rows = rows.assign(rank=rows["arm"].map(order)).sort_values("rank", kind="stable")
    body = []
    for row in records(rows):
        paired = isinstance(row["reference"], str)
        what = _region(str(row["region"]), labels) + (f" less {_region(str(row['reference']), labels)}" if paired else "")
        test = [number(row["effect"], 2, signed=True), p_value(row["p"])] if is_number(row["p"]) else ["", ""]
        estimate = interval(row["estimate"], row["low"], row["high"], 2, signed=True)
        body.append([names.backbone(row["arm"]), names.mode(row["arm"]), sentence_case(what), estimate, *test])
    if not body:
        return []
    cases, subjects, seeds = (int(rows[key].max()) for key in ("cases", "subjects", "seeds"))
    note = f"{count(cases, 'case')} of {count(subjects, 'subject')}, {count(seeds, 'seed')}. Logit units. p: Wilcoxon over subjects."
    heads = ["Backbone", "Mode", "Deleted", "Drop of the score [interval]", "Effect size", "p"]
    return [Tabular(heads, body, left=3, breaks=changes([line[0] for line in body]), notes=note)]


def _region(name: str, labels: Mapping[str, str] | None) -> str:
    """A group of tissues, or what its moved copy lies on."""
    if name.startswith(CONTROL):
        return f"control ({printed(name.removeprefix(CONTROL), labels)})"
    return printed(name, labels)
