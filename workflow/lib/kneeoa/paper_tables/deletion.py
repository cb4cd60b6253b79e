"""The table of deletions: the drop of the score when a tissue is deleted, beside control regions of
the same size and shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.anatomy.deletion_regions import CONTROL
from kneeoa.paper_tables.latex import Tabular, group_starts, sample_size
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import display_name, sentence_case
from kneeoa.presentation.number_format import format_interval, format_number, format_p, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.saliency import DELETION_SUMMARY

TABLE = {
    "section": "anatomy",
    "place": 3,
    "title": "What blurring a tissue away does to the score",
    "inputs": ["deletion"],
    "settings": {"arms": "arms"},
    "needs": ["deletion"],
}
SCHEMA = DELETION_SUMMARY
CSV_ORDER = DELETION_SUMMARY.key


def csv_rows(deletion: Path) -> pd.DataFrame:
    """Read every row of DELETION_SUMMARY.

    Raises:
        KneeoaError: the file is not DELETION_SUMMARY.
    """
    return DELETION_SUMMARY.read(deletion)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print the signed drops of DELETION_SUMMARY rows; no tabular without rows."""
    order = {arm: rank for rank, arm in enumerate(names.ordered(rows["arm"]))}
    rows = rows[rows["measure"] == "drop"]
    rows = rows.assign(rank=rows["arm"].map(order)).sort_values("rank", kind="stable")
    body = []
    for row in row_dicts(rows):
        paired = isinstance(row["reference"], str)
        what = _region(str(row["region"]), labels) + (f" less {_region(str(row['reference']), labels)}" if paired else "")
        test = [format_number(row["effect"], 2, signed=True), format_p(row["p"])] if is_number(row["p"]) else ["", ""]
        estimate = format_interval(row["estimate"], row["low"], row["high"], 2, signed=True)
        body.append([names.backbone(row["arm"]), names.mode(row["arm"]), sentence_case(what), estimate, *test])
    if not body:
        return []
    note = f"{sample_size(rows)}. Logit units. p: Wilcoxon over subjects."
    heads = ["Backbone", "Mode", "Deleted", "Drop of the score [interval]", "Effect size", "p"]
    return [Tabular(heads, body, left=3, breaks=group_starts([line[0] for line in body]), notes=note)]


def _region(name: str, labels: Mapping[str, str] | None) -> str:
    """Printed name of a group of tissues, or of the group that its moved copy lies on."""
    if name.startswith(CONTROL):
        return f"control ({display_name(name.removeprefix(CONTROL), labels)})"
    return display_name(name, labels)
