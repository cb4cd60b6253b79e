"""The table of the parts of plug-ins: each by itself, beside the answer that they give together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kneeoa.config.metrics import TABLE as METRIC_TABLE
from kneeoa.paper_tables.latex import Tabular, group_starts
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import LOWER_IS_BETTER, count_noun, display_name, sentence_case
from kneeoa.presentation.number_format import format_interval
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.part_predictions import PART_METRICS
from kneeoa.tables.statistics import METRICS

TABLE = {
    "section": "appendix",
    "place": 1,
    "title": "Parts of plug-ins, each by itself",
    "inputs": ["part_metrics", "metrics"],
    "settings": {"arms": "arms"},
    "needs": ["plugins"],
}
SCHEMA = PART_METRICS
CSV_ORDER = PART_METRICS.key

ANSWER = "answer"
"""Text in the column of parts for the arm's own answer."""


def csv_rows(part_metrics: Sequence[Path], metrics: Path) -> pd.DataFrame:
    """Read every row of PART_METRICS, and those of METRICS for the answers of the same arms on the
    same cohorts, levels and metrics, from the arm's own head.

    Raises:
        KneeoaError: a file is not what it should be.
    """
    parts = PART_METRICS.concat(list(part_metrics))
    answers = METRICS.read(metrics)
    answers = answers[(answers["split"] == "test") & (answers["head"] == answers["level"])].assign(part=ANSWER)
    shared = ["arm", "seed", "cohort", "level", "metric"]
    answers = answers.merge(parts[shared].drop_duplicates(), on=shared)
    rows = pd.concat([parts, answers[parts.columns].astype(parts.dtypes)], ignore_index=True)
    return rows.sort_values(list(PART_METRICS.key), ignore_index=True, na_position="first")


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print the mean over seeds of each part, a tabular for each cohort and level."""
    means = rows[rows["seed"].isna()]
    return [
        _tabular(part, str(cohort), str(level), names, labels) for (cohort, level), part in means.groupby(["cohort", "level"], sort=False)
    ]


def _tabular(rows: pd.DataFrame, cohort: str, level: str, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    present = set(rows["metric"])
    metrics = [metric.name for metric in METRIC_TABLE if metric.name in present and metric.better != "one value"]
    cells = {(row["arm"], row["part"], row["metric"]): row for row in row_dicts(rows)}
    body = []
    for arm in names.ordered(rows["arm"]):
        for part in sorted(set(rows.loc[rows["arm"] == arm, "part"]), key=lambda part: (part != ANSWER, not part.startswith("map-"), part)):
            values = [cells.get((arm, part, metric)) for metric in metrics]
            numbers = ["" if row is None else format_interval(row["estimate"], row["low"], row["high"]) for row in values]
            body.append([names.backbone(arm), names.mode(arm), part_name(part), *numbers])
    heads = [sentence_case(display_name(metric, labels)) + (" ↓" if metric in LOWER_IS_BETTER else "") for metric in metrics]
    cases, subjects, seeds = int(rows["cases"].max()), int(rows["subjects"].max()), int(rows["seeds"].max())
    heading = f"{display_name(level, labels)}, {display_name(cohort, labels)}, test: {count_noun(cases, 'case')} of "
    heading += count_noun(subjects, "subject") + (f"; mean of {count_noun(seeds, 'seed')}" if seeds > 1 else "")
    return Tabular(
        ["Backbone", "Mode", "Part", *heads],
        body,
        left=3,
        heading=heading,
        breaks=group_starts([" ".join(line[:2]) for line in body]),
        notes="These results choose nothing: the answer is always the mean of all parts, fixed beforehand. Parts answer without mirror "
        "images and temperature. Map 1 is the finest. Why a value is undefined is in the CSV.",
    )


def part_name(part: str) -> str:
    """Print a part: ``map 1``, ``combiner``, ``answer: mean of all``."""
    return "answer: mean of all" if part == ANSWER else part.replace("-", " ")
