"""The table of differences between arms within subgroups, with the tests of interaction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.figures.numbers import UNDEFINED, interval, p_value
from kneeoa.figures.words import printed, sentence_case
from kneeoa.paper_tables.arm_names import ArmNames, settings_head
from kneeoa.paper_tables.latex import Tabular, changes
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.subgroups import SUBGROUPS

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
        where = f", {printed(row['cohort'], labels)}" if several else ""
        tested = row["group"] == "interaction"
        body.append(
            [
                names.setting(row["candidate"], row["reference"], row["factor"], row["backbone"]) + where,
                sentence_case(f"{printed(row['level'], labels)} {printed(row['metric'], labels)}"),
                names.pair(row["candidate"], row["reference"], row["factor"]),
                sentence_case(printed(row["attribute"], labels)) + (": interaction" if tested else f": {row['group']}"),
                row["counts"] or UNDEFINED,
                interval(row["difference"], row["low"], row["high"], 3, 3, signed=True),
                p_value(row["p"]) if tested else UNDEFINED,
            ]
        )
    heads = [settings_head(rows["factor"]), "Metric", "Comparison", "Group", "Cases by class", "Difference", "p of interaction"]
    notes = "A dash for the difference: too few cases to be reported. Groups are compared by the interaction alone; not adjusted."
    return [Tabular(heads, body, left=4, breaks=changes([line[0] for line in body]), notes=notes)] if body else []
