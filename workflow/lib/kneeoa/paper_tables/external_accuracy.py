"""The table of accuracy by class on each external cohort, beside what others have published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kneeoa.paper_tables.latex import Tabular
from kneeoa.presentation.arms import ArmNames
from kneeoa.presentation.display_names import count_noun, display_name
from kneeoa.presentation.number_format import format_interval, format_range, is_number
from kneeoa.presentation.summary_rows import row_dicts
from kneeoa.tables.external import EXTERNAL

TABLE = {
    "section": "external",
    "title": "Accuracy by class on external cohorts",
    "inputs": ["external"],
    "settings": {"arms": "arms_and_ensembles", "published": "published"},
    "needs": ["external"],
}
SCHEMA = EXTERNAL
CSV_ORDER: tuple[str, ...] = ()

PUBLISHED = "published"
"""The part of rows that hold what others have published; their arm is the citation."""
ALL = "All"


def csv_rows(external: Path, published: Mapping[str, Sequence[Mapping[str, Any]]]) -> pd.DataFrame:
    """Read the rows of EXTERNAL on accuracy, and add those of published results.

    Args:
        external: EXTERNAL.
        published: cohort -> published results as the configuration has them.

    Raises:
        KneeoaError: the file is not EXTERNAL.
    """
    rows = EXTERNAL.read(external)
    rows = rows[rows["part"] == "accuracy"]
    added = [row for cohort, results in published.items() for result in results for row in _published_rows(cohort, result, rows)]
    return pd.DataFrame([*row_dicts(rows), *added], columns=EXTERNAL.schema.names)


def _published_rows(cohort: str, result: Mapping[str, Any], rows: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each published number, in the order of the study's own rows of the level."""
    here = rows[(rows["cohort"] == cohort) & (rows["level"] == result["level"]) & (rows["measure"] == "accuracy")]
    if here.empty:
        return []
    classes = [label for label in dict.fromkeys(here["label"]) if isinstance(label, str)]
    numbers = [*zip(classes, result["accuracy_by_class"], strict=False), (None, result["accuracy"])]
    base = {"study": here["study"].iloc[0], "arm": result["source"], "seeds": 0, "cohort": cohort, "level": result["level"]}
    base |= {"head": result["level"], "part": PUBLISHED, "probabilities": "predicted", "measure": "accuracy"}
    base |= {"interval": "none", "subjects": 0, "note": "published"}
    return [
        {**base, "label": label, "estimate": value, "cases": result["cases"] or 0 if label is None else 0}
        for label, value in numbers
        if value is not None
    ]


def tabulars(rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Print a tabular for each cohort and level: a row for each arm, then the published ones."""
    return [
        _tabular(level_rows, str(cohort), str(level), names, labels)
        for (cohort, level), level_rows in rows.groupby(["cohort", "level"], sort=False)
    ]


def _tabular(rows: pd.DataFrame, cohort: str, level: str, names: ArmNames, labels: Mapping[str, str] | None) -> Tabular:
    ours, theirs = rows[rows["part"] != PUBLISHED], rows[rows["part"] == PUBLISHED]
    columns: dict[tuple[str, str | None, str | None], str] = {}
    for row in row_dicts(ours):
        label, develop = _text(row["label"]), _text(row["develop"])
        at = f"{ALL}, at {display_name(develop, labels)}'s prevalence" if develop else ALL
        columns.setdefault((row["measure"], label, develop), label or at)
    cells = {(row["arm"], row["measure"], _text(row["label"]), _text(row["develop"])): row for row in row_dicts(rows)}
    first = names.ordered(ours["arm"])[0]
    body = [["Cases (people)", "", *(_size(cells.get((first, *key))) for key in columns)]]
    for arm in names.ordered(ours["arm"]):
        head = str(ours.loc[ours["arm"] == arm, "head"].iloc[0])
        source = "" if head == level else f" (from {display_name(head, labels)})"
        body.append([names.backbone(arm), names.mode(arm) + source, *(_value(cells.get((arm, *key))) for key in columns)])
    published = len(body)
    for source in dict.fromkeys(theirs["arm"]):
        body.append([source, "published", *(_value(cells.get((source, *key))) for key in columns)])
    whole = ours[(ours["measure"] == "accuracy") & ours["label"].isna()]
    cases, subjects, seeds = int(whole["cases"].max()), int(whole["subjects"].max()), int(whole["seeds"].max())
    heading = f"{display_name(level, labels)}, {display_name(cohort, labels)} (external): {count_noun(cases, 'case')} of "
    heading += count_noun(subjects, "subject") + (f"; mean of {count_noun(seeds, 'seed')}" if seeds > 1 else "")
    effects = [float(value) for value in ours["design_effect"] if is_number(value)]
    notes = "Share of right predictions among the cases of each class. Wilson intervals at the effective number of cases, cases over the "
    notes += f"design effect of people ({format_range(effects)}); at another prevalence by the delta method."
    if len(theirs):
        notes += " Published numbers are of other networks and perhaps other cases."
    return Tabular(
        ["Arm", "Mode", *columns.values()], body, left=2, heading=heading, breaks=[1, published][: 1 + bool(len(theirs))], notes=notes
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _size(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else f"{int(row['cases']):,} ({int(row['subjects']):,})"


def _value(row: Mapping[str, Any] | None) -> str:
    return "" if row is None else format_interval(row["estimate"], row["low"], row["high"])
