"""Choose the rows of METRICS and PREDICTIONS that stand for each arm."""

from __future__ import annotations

from typing import Any

import pandas as pd


def row_dicts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries by column name."""
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def own_head_rows(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    """Select rows of ``level``, from each arm's own head where it has one, else from the finer head
    that the level was summed from.

    Works on any table with the columns ``arm``, ``level`` and ``head`` (PREDICTIONS, METRICS).
    """
    rows = rows[rows["level"] == level]
    if rows.empty:
        return rows
    arm_heads = rows[["arm", "head"]].drop_duplicates()
    heads = head_by_arm(arm_heads, level)
    return rows if len(heads) == len(arm_heads) else rows[rows["head"] == rows["arm"].map(heads)]


def head_by_arm(arm_heads: pd.DataFrame, level: str) -> dict[str, str]:
    """The head that gives each arm's predictions of a level: its own where there is one, else the
    first of the others by name; ``arm_heads`` are the pairs (arm, head) that exist.
    """
    return {str(arm): level if level in set(group["head"]) else min(group["head"]) for arm, group in arm_heads.groupby("arm")}


def summary_row(metrics: pd.DataFrame, arm: str, level: str, metric: str, cohort: str, split: str = "test") -> pd.Series[Any] | None:
    """Return an arm's summary row: the mean over its seeds where METRICS has one, else its only
    seed; None where there is none.
    """
    rows = metrics[(metrics["arm"] == arm) & (metrics["metric"] == metric) & (metrics["cohort"] == cohort) & (metrics["split"] == split)]
    rows = own_head_rows(rows, level)
    means = rows[rows["seed"].isna()]
    if len(means) >= 1:
        return means.iloc[0]
    return rows.iloc[0] if len(rows) == 1 else None


def summary_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Select the rows that summarise each arm: means over seeds, and the only seed of an arm
    without a mean.
    """
    key = ["arm", "cohort", "split", "level", "head", "metric"]
    means = rows[rows["seed"].isna()]
    with_mean = pd.MultiIndex.from_frame(means[key])
    without_mean = rows[~pd.MultiIndex.from_frame(rows[key]).isin(with_mean)]
    single = without_mean[~without_mean.duplicated(key, keep=False)]
    return pd.concat([means, single]).sort_index()
