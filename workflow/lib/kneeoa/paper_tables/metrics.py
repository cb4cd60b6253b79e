"""The table of metrics of every arm on the test cases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kneeoa.config.metrics import TABLE as METRIC_TABLE
from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import LOWER_IS_BETTER, count_noun, display_name, sentence_case
from kneeoa.presentation.number_format import format_interval
from kneeoa.presentation.summary_rows import row_dicts, summary_rows
from kneeoa.tables.statistics import METRICS

TABLE = {
    "section": "prediction",
    "title": "Metrics on the test cases",
    "inputs": ["metrics"],
    "settings": {"arms": "arms_and_ensembles"},
}
SCHEMA = METRICS
CSV_ORDER = METRICS.key

PRINTED = tuple(metric.name for metric in METRIC_TABLE if metric.in_paper)
"""The metrics that are printed; the CSV holds all."""


def csv_rows(metrics: Path) -> pd.DataFrame:
    """Read every row of METRICS.

    Raises:
        KneeoaError: the file is not METRICS.
    """
    return METRICS.read(metrics)


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print METRICS rows: the summary of each arm on the test cases, a tabular for each cohort and
    level.
    """
    rows = rows[(rows["split"] == "test") & rows["metric"].isin(PRINTED)]
    return [
        _tabular(level_rows, str(cohort), str(split), str(level), names, labels)
        for (cohort, split, level), level_rows in summary_rows(rows).groupby(["cohort", "split", "level"], sort=False)
    ]


def _tabular(rows: pd.DataFrame, cohort: str, split: str, level: str, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    metrics = list(dict.fromkeys(rows["metric"]))
    cells = {(row["arm"], row["head"], row["metric"]): row for row in row_dicts(rows)}
    body = []
    for arm in names.ordered(rows["arm"]):
        heads_of_arm = sorted(set(rows.loc[rows["arm"] == arm, "head"]), key=lambda head: (head != level, head))
        for head in heads_of_arm:
            source = "" if head == level else f" (from {display_name(head, labels)})"
            values = [cells.get((arm, head, metric)) for metric in metrics]
            numbers = ["" if row is None else format_interval(row["estimate"], row["low"], row["high"]) for row in values]
            body.append([names.backbone(arm), names.mode(arm) + source, *numbers])
    heads = [sentence_case(display_name(metric, labels)) + (" ↓" if metric in LOWER_IS_BETTER else "") for metric in metrics]
    cases, subjects, seeds = int(rows["cases"].max()), int(rows["subjects"].max()), int(rows["seeds"].max())
    heading = (
        f"{display_name(level, labels)}, {display_name(cohort, labels)}, {display_name(split, labels)}: {count_noun(cases, 'case')} of "
    )
    heading += count_noun(subjects, "subject") + (f"; mean of {count_noun(seeds, 'seed')}" if seeds > 1 else "")
    kinds = " or ".join(dict.fromkeys(kind for kind in rows["interval"] if kind))
    means = " Means over findings; each finding's own values are in the CSV." if rows["note"].str.startswith("mean over").any() else ""
    return Tabular(
        ["Backbone", "Mode", *heads],
        body,
        left=2,
        heading=heading,
        breaks=group_starts([line[0] for line in body]),
        notes=f"Intervals: {kinds}.{means}",
    )
