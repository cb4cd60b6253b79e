"""The table of changes from the develop cohorts' test cases to each external cohort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.config.metrics import BY_NAME, LOWER_IS_BETTER
from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, format_p
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.external import EXTERNAL

TABLE = {
    "section": "external",
    "place": 1,
    "title": "Change from the develop cohort to the external one",
    "inputs": ["external"],
    "settings": {"arms": "arms_and_ensembles"},
    "needs": ["external"],
}
SCHEMA = EXTERNAL
CSV_ORDER: tuple[str, ...] = ()


def csv_rows(external: Path) -> pd.DataFrame:
    """Read the rows of EXTERNAL on changes.

    Raises:
        KneeoaError: the file is not EXTERNAL.
    """
    rows = EXTERNAL.read(external)
    return rows[rows["part"] == "change"].reset_index(drop=True)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print a tabular for each pair of cohorts and level; class shares, which all arms have in
    common, once.
    """
    made = []
    for (cohort, develop, level), part in rows.groupby(["cohort", "develop", "level"], sort=False):
        heading = f"{display_name(str(level), labels)}, {display_name(str(cohort), labels)} against {display_name(str(develop), labels)}"
        made.append(_tabular(part, heading, names, labels))
    return made


def _tabular(rows: pd.DataFrame, heading: str, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    arms = names.ordered(rows["arm"])
    by_arm = {arm: row_dicts(rows[rows["arm"] == arm]) for arm in arms}
    body = [_line(row, "", "", labels) for row in by_arm[arms[0]] if row["measure"] == "prevalence"]
    for arm in arms:
        body += [_line(row, names.backbone(arm), names.mode(arm), labels) for row in by_arm[arm] if row["measure"] != "prevalence"]
    return Tabular(
        ["Arm", "Mode", "Metric", "Develop", "External", "Change", "p"],
        body,
        left=3,
        heading=heading,
        breaks=group_starts([f"{line[0]} {line[1]}" for line in body]),
        notes="Independent samples, people as clusters: variances add. Shares by Newcombe's interval from Wilson limits at the effective "
        "numbers of cases, others by the normal one. p are not adjusted.",
    )


def _line(row: Mapping[str, Any], backbone: str, mode: str, labels: Mapping[str, str] | None) -> list[str]:
    measure = str(row["measure"])
    name = display_name(measure, labels) if measure in BY_NAME else measure.replace("_", " ")
    label = f", {row['label']}" if isinstance(row["label"], str) else ""
    return [
        backbone,
        mode,
        sentence_case(name + label) + (" ↓" if measure in LOWER_IS_BETTER else ""),
        format_number(row["estimate_develop"]),
        format_number(row["estimate"]),
        format_interval(row["change"], row["change_low"], row["change_high"], 3, 3, signed=True),
        format_p(row["p"]),
    ]
