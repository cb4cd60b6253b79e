"""The table of associations: correlations with severity given age, sex and site, correlations
within people, and agreement of seeds and raters.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_p
from kneeoa.tables.statistics import ASSOCIATIONS

TABLE = {
    "section": "representation",
    "place": 3,
    "title": "What goes with severity, adjusted and within people, and agreement of seeds and raters",
    "inputs": ["associations"],
    "settings": {"arms": "arms"},
    "needs": ["cohorts"],
}
SCHEMA = ASSOCIATIONS
CSV_ORDER: tuple[str, ...] = ()

STATISTICS = {
    "partial_spearman": "Spearman",
    "within_person": "within person",
    "icc_agreement": "ICC, agreement",
    "icc_consistency": "ICC, consistency",
}
"""Statistic -> how it is printed."""


def csv_rows(associations: Path) -> pd.DataFrame:
    """Read every row of ASSOCIATIONS.

    Raises:
        KneeoaError: the file is not ASSOCIATIONS.
    """
    return ASSOCIATIONS.read(associations)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print ASSOCIATIONS rows, a tabular for each cohort; a rater stands where backbones do."""
    tables = []
    for cohort, part in rows.groupby("cohort", sort=False):
        body = [
            [
                names.backbone(str(row.arm)),
                names.mode(str(row.arm)),
                sentence_case(str(row.quantity)),
                display_name(str(row.against), labels),
                STATISTICS[str(row.statistic)] + (f", given {row.adjusted_for!s}" if row.adjusted_for else ""),
                format_interval(row.estimate, row.low, row.high),
                format_p(row.p),
                str(row.cases),
                str(row.note),
            ]
            for arm in names.ordered(part["arm"])
            for row in part[part["arm"] == arm].itertuples(index=False)
        ]
        heads = ["Backbone", "Mode", "Quantity", "Against", "Statistic", "Estimate", "p", "Cases", "Note"]
        heading = f"{display_name(str(cohort), labels)}, {display_name('test', labels)}"
        notes = "Means over seeds, but for their agreement. People resampled with all their knees; within person: Fisher's interval."
        tables.append(
            Tabular(heads, body, left=5, heading=heading, breaks=group_starts([" ".join(line[:2]) for line in body]), notes=notes)
        )
    return tables
