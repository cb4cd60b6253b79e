"""The table of differences between arms within subgroups, with the tests of interaction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames, settings_heading
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import UNDEFINED, format_interval, format_p
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.statistics import SUBGROUPS

TABLE = {
    "section": "contrasts",
    "place": 2,
    "title": "Subgroups",
    "inputs": ["subgroups"],
    "settings": {"arms": "arms_and_ensembles"},
    "needs": ["contrasts", "subgroups"],
}
SCHEMA = SUBGROUPS
CSV_ORDER: tuple[str, ...] = ()


def csv_rows(subgroups: Path) -> pd.DataFrame:
    """Read every row of SUBGROUPS.

    Raises:
        KneeoaError: the file is not SUBGROUPS.
    """
    return SUBGROUPS.read(subgroups)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print SUBGROUPS rows in one tabular, in their order."""
    several = rows["cohort"].nunique() > 1
    body = []
    for row in row_dicts(rows):
        where = f", {display_name(row['cohort'], labels)}" if several else ""
        tested = row["group"] == "interaction"
        body.append(
            [
                names.setting(row["candidate"], row["reference"], row["factor"], row["backbone"]) + where,
                sentence_case(f"{display_name(row['level'], labels)} {display_name(row['metric'], labels)}"),
                names.pair(row["candidate"], row["reference"], row["factor"]),
                sentence_case(display_name(row["attribute"], labels)) + (": interaction" if tested else f": {row['group']}"),
                row["counts"] or UNDEFINED,
                format_interval(row["difference"], row["low"], row["high"], 3, 3, signed=True),
                format_p(row["p"]) if tested else UNDEFINED,
            ]
        )
    heads = [settings_heading(rows["factor"]), "Metric", "Comparison", "Group", "Cases by class", "Difference", "p of interaction"]
    notes = "A dash for the difference: too few cases to be reported. Groups are compared by the interaction alone; not adjusted."
    return [Tabular(heads, body, left=4, breaks=group_starts([line[0] for line in body]), notes=notes)] if body else []
