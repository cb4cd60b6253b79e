"""The table of calibration on each external cohort, and apart of what its own labels could
reach.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.external import EXTERNAL

TABLE = {
    "section": "external",
    "place": 2,
    "title": "Calibration on external cohorts",
    "inputs": ["external"],
    "settings": {"arms": "arms_and_ensembles"},
    "needs": ["external"],
}
SCHEMA = EXTERNAL
CSV_ORDER: tuple[str, ...] = ()

PARTS = {
    "calibration": "",
    "secondary": "; SECONDARY, adapted by the cohort's own labels",
}
"""Parts with what their headings add; a tabular each."""
_PRINTED = {"log_loss": "log loss ↓", "brier": "Brier score ↓", "accuracy": "accuracy", "slope": "slope"}
"""Measures that are printed; the CSV has all."""


def csv_rows(external: Path) -> pd.DataFrame:
    """Read the rows of EXTERNAL on calibration.

    Raises:
        KneeoaError: the file is not EXTERNAL.
    """
    rows = EXTERNAL.read(external)
    return rows[rows["part"].isin(PARTS)].reset_index(drop=True)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print two tabulars for each cohort and level: calibration, and what is secondary."""
    made = []
    for (cohort, level), level_rows in rows.groupby(["cohort", "level"], sort=False):
        for part, words in PARTS.items():
            heading = f"{display_name(str(level), labels)}, {display_name(str(cohort), labels)} (external){words}"
            part_rows = level_rows[level_rows["part"] == part]
            if len(part_rows):
                made.append(_tabular(part_rows, heading, names))
    return made


def _tabular(rows: pd.DataFrame, heading: str, names: ArmNames) -> Tabular:
    kinds = list(dict.fromkeys(rows["probabilities"]))
    cells = {(row["arm"], row["probabilities"], row["measure"]): row for row in row_dicts(rows) if not isinstance(row["label"], str)}
    body: list[list[str]] = []
    reasons: dict[str, None] = {}
    for arm in names.ordered(rows["arm"]):
        for kind in kinds:
            lines = [cells.get((arm, kind, measure)) for measure in _PRINTED]
            body.append(
                [names.backbone(arm), names.mode(arm), kind]
                + ["" if row is None else format_interval(row["estimate"], row["low"], row["high"]) for row in lines]
            )
            reasons |= {f"{kind}: {row['note']}": None for row in lines if row is not None and row["note"]}
    return Tabular(
        ["Arm", "Mode", "Probabilities", *(sentence_case(name) for name in _PRINTED.values())],
        body,
        left=3,
        heading=heading,
        breaks=group_starts([f"{line[0]} {line[1]}" for line in body]),
        notes="; ".join(reasons),
    )
