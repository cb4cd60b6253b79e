"""Sanity checks of saliency: randomised weights and repeatability between seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.figures.arms import Factors
from kneeoa.figures.numbers import interval, number
from kneeoa.figures.scores import records
from kneeoa.figures.words import count, printed, sentence_case
from kneeoa.paper_tables.arm_names import ArmNames
from kneeoa.paper_tables.csv_file import write_csv
from kneeoa.paper_tables.latex import Tabular, changes, write_latex
from kneeoa.tables.sanity import SANITY

_DEPTHS = ("heads", "half", "all")


def write_sanity(sanity: Path, out_csv: Path, out_tex: Path, arms: Factors | None = None, labels: Mapping[str, str] | None = None) -> None:
    """Write SANITY: CSV with every row, LaTeX with a tabular of randomised weights and one of repeatability.

    Args:
        sanity: SANITY file.
        out_csv: CSV to write, sorted by the table's key.
        out_tex: LaTeX to write.
        arms: the arms table; gives the order of the rows and their printed names. Default: sorted by name.
        labels: the study's own printed names.

    Raises:
        KneeoaError: the file is not SANITY.
    """
    rows = SANITY.read(sanity)
    write_csv(out_csv, rows, order=SANITY.key)
    write_latex(out_tex, tabulars(rows, ArmNames(arms, labels), labels))


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """The printed tables of SANITY rows, of the checks that were made."""
    order = {arm: rank for rank, arm in enumerate(names.ordered(rows["arm"]))}
    depth = {weights: rank for rank, weights in enumerate(_DEPTHS)}
    ranks = {"rank": rows["arm"].map(order), "depth": rows["weights"].map(depth).fillna(0)}
    rows = rows.assign(**ranks).sort_values(["rank", "depth"], kind="stable")
    tables = [
        _randomised(rows[rows["check"] == "randomised"], names, labels),
        _repeated(rows[rows["check"] == "repeatability"], names, labels),
    ]
    return [table for table in tables if table.rows]


def _randomised(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    body = []
    for row in records(rows):
        what = printed(str(row["measure"]), labels) + (f", {printed(str(row['tissue']), labels)}" if row["tissue"] else "")
        estimate = interval(row["estimate"], row["low"], row["high"], 2)
        levels = [number(row["reference"], 2), number(row["null_mean"], 2)]
        shared = [
            names.backbone(row["arm"]),
            names.mode(row["arm"]),
            printed(str(row["method"]), labels),
            printed(str(row["weights"]), labels),
        ]
        body.append([*shared, sentence_case(what), estimate, *levels])
    heads = ["Backbone", "Mode", "Method", "Randomised", "Measure", "Mean [interval]", "Trained", "Shifted maps"]
    note = _counted(rows) + " Likeness is to the trained network's map of the same case."
    return Tabular(heads, body, left=5, breaks=changes([line[0] for line in body]), notes=note)


def _repeated(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    body = []
    for row in records(rows):
        estimate = interval(row["estimate"], row["low"], row["high"], 2)
        shared = [names.backbone(row["arm"]), names.mode(row["arm"]), printed(str(row["method"]), labels)]
        body.append([*shared, estimate, number(row["reference"], 2)])
    heads = ["Backbone", "Mode", "Method", "Same case, two seeds [interval]", "Different subjects"]
    note = _counted(rows) + " Rank correlation of maps."
    return Tabular(heads, body, left=3, breaks=changes([line[0] for line in body]), notes=note)


def _counted(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    cases, subjects, seeds = (int(rows[key].max()) for key in ("cases", "subjects", "seeds"))
    return f"{count(cases, 'case')} of {count(subjects, 'subject')}, {count(seeds, 'seed')}."
