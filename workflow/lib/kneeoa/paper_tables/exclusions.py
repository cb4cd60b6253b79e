"""The table of exclusions: every exclusion in CSV, counts by reason in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.tables.cohort import EXCLUSIONS

if TYPE_CHECKING:
    from kneeoa.presentation.arms import ArmNames

TABLE = {
    "section": "cohorts",
    "title": "Exclusions by reason",
    "inputs": ["exclusions"],
    "needs": ["cohorts"],
}
SCHEMA = EXCLUSIONS
CSV_ORDER = ("cohort", "stage", "scope", "reason", "case_id", "view", "detail")


def csv_rows(exclusions: Sequence[Path]) -> pd.DataFrame:
    """Read every row of EXCLUSIONS of all cohorts.

    Raises:
        KneeoaError: a file is not EXCLUSIONS.
    """
    return EXCLUSIONS.concat(list(exclusions))


def tabulars(rows: pd.DataFrame, names: ArmNames | None, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print EXCLUSIONS rows in one tabular: a line for each reason; it names no arm."""
    body = []
    for (cohort, stage, scope, reason), reason_rows in rows.groupby(["cohort", "stage", "scope", "reason"]):
        counts = [str(reason_rows["case_id"].nunique()), str(reason_rows["subject"].nunique())]
        what = [sentence_case(str(text).replace("-", " ")) for text in (stage, reason, scope)]
        body.append([display_name(str(cohort), labels), *what, *counts])
    heads = ["Cohort", "Stage", "Reason", "Leaves", "Cases", "Subjects"]
    notes = "Leaves: case, the study; mask, the anatomy only; level, the level without a reading; repair, nothing."
    if (rows["scope"] == "flag").any():
        notes = f"{notes.removesuffix('.')}; flag, nothing (to be looked at)."
    return [Tabular(heads, body, left=4, breaks=group_starts([line[0] for line in body]), notes=notes)] if body else []
