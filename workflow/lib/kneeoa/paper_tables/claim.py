"""The table of the claim: change in prediction, in the order of the axis and in saliency, a line
for each pair of arms that a contrast compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts, sample_size
from kneeoa.presentation.arms import ArmNames, settings_heading
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import UNDEFINED, format_interval
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.statistics import CLAIM

TABLE = {
    "section": "claim",
    "title": "The claim",
    "inputs": ["claim"],
    "settings": {"arms": "arms"},
    "needs": ["contrasts_of_arms"],
}
SCHEMA = CLAIM
CSV_ORDER: tuple[str, ...] = ()


def csv_rows(claim: Path) -> pd.DataFrame:
    """Read every row of CLAIM.

    Raises:
        KneeoaError: the file is not CLAIM.
    """
    return CLAIM.read(claim)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print CLAIM rows, a tabular for each cohort."""
    return [_tabular(cohort_rows, str(cohort), names, labels) for cohort, cohort_rows in rows.groupby("cohort", sort=True)]


def _tabular(rows: pd.DataFrame, cohort: str, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    differences = row_dicts(rows.fillna({"level": "", "of": ""}))
    columns = list(dict.fromkeys((row["part"], row["level"], row["measure"], row["of"]) for row in differences))
    columns.sort(key=lambda column: ["prediction", "axis", "saliency"].index(column[0]))
    lines: dict[tuple[str, str, str, object], dict[tuple[str, str, str, str], str]] = {}
    for row in differences:
        cell = format_interval(row["difference"], row["low"], row["high"], 3, 3, signed=True)
        backbone = row["backbone"] if isinstance(row["backbone"], str) else ""
        cells = lines.setdefault((row["candidate"], row["reference"], row["factor"], backbone), {})
        cells[row["part"], row["level"], row["measure"], row["of"]] = cell
    body = [
        [
            names.setting(candidate, reference, factor, backbone),
            names.pair(candidate, reference, factor),
            *(cells.get(column, UNDEFINED) for column in columns),
        ]
        for (candidate, reference, factor, backbone), cells in lines.items()
    ]
    heads = [
        sentence_case(" ".join(display_name(word, labels) for word in (level, of, measure) if word)) for _, level, measure, of in columns
    ]
    resampled = " or ".join(sorted(set(rows["resampled"])))
    return Tabular(
        [settings_heading(rows["factor"]), "Comparison", *heads],
        body,
        left=2,
        heading=f"{display_name(cohort, labels)}, {display_name('test', labels)}: {sample_size(rows)}",
        breaks=group_starts([line[0] for line in body]),
        notes=f"Candidate - reference. Intervals: percentiles of one bootstrap for all columns, {resampled} resampled; not adjusted.",
    )
