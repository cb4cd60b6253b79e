"""Read test predictions of one level as plain arrays, and the summary rows of METRICS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kneeoa.figures.arms import Factors, printed_value, value_of
from kneeoa.figures.reading import table_where
from kneeoa.figures.words import printed
from kneeoa.probabilities import class_odds, require_probabilities
from kneeoa.tables.predictions import PREDICTIONS

SEED_OF_IMPORTS = -1
"""Replaces the absent seed of imported predictions."""


def own_head(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    """Select rows of ``level``, from each arm's own head where it has one, else from the finer head
    that the level was summed from.

    Works on any table with the columns ``arm``, ``level`` and ``head`` (PREDICTIONS, METRICS).
    """
    rows = rows[rows["level"] == level]
    if rows.empty:
        return rows
    arm_heads = rows[["arm", "head"]].drop_duplicates()
    heads = _head_by_arm(arm_heads, level)
    return rows if len(heads) == len(arm_heads) else rows[rows["head"] == rows["arm"].map(heads)]


def _head_by_arm(arm_heads: pd.DataFrame, level: str) -> dict[str, str]:
    """The head that gives each arm's predictions of a level: its own where there is one, else the
    first of the others by name; ``arm_heads`` are the pairs (arm, head) that exist.
    """
    return {str(arm): level if level in set(group["head"]) else min(group["head"]) for arm, group in arm_heads.groupby("arm")}


def held_out(paths: Sequence[Path], level: str, split: str = "test") -> pd.DataFrame:
    """Read predictions of one single-label level on one split, from every arm's own head.

    Returns:
        Columns arm, head, seed (``SEED_OF_IMPORTS`` for imports), cohort, case_id, subject, truth
        (int) and probabilities (float64 array ``[classes]``); cases without a label are left out.
    """
    table = _rows_of_heads(paths, level, split)
    table = table.filter(pc.equal(pc.list_value_length(table["truth"]), 1))
    truth = pc.list_element(table["truth"], 0)
    table = table.drop(["truth"]).append_column("truth", truth.cast(pa.int64()))
    return _frame(table.filter(pc.is_valid(table["truth"])))


def held_out_findings(paths: Sequence[Path], level: str, split: str = "test") -> pd.DataFrame:
    """Read predictions of a multilabel level as :func:`held_out` does; ``truth`` is a float64 array
    ``[findings]``, NaN where a finding was not read.
    """
    table = _rows_of_heads(paths, level, split)
    truth = table["truth"].cast(pa.list_(pa.float64()))
    return _frame(table.drop(["truth"]).append_column("truth", truth))


def _rows_of_heads(paths: Sequence[Path], level: str, split: str) -> pa.Table:
    """The rows of a level and split by the head that gives each arm's predictions."""
    table = table_where(PREDICTIONS, paths, {"level": level, "split": split}, ["subject", "truth", "probabilities"])
    arm_heads = table.group_by(["arm", "head"], use_threads=False).aggregate([]).to_pandas()
    heads = pa.array([f"{arm}\0{head}" for arm, head in _head_by_arm(arm_heads, level).items()], pa.string())
    return table.filter(pc.is_in(pc.binary_join_element_wise(table["arm"], table["head"], "\0"), heads))


def _frame(table: pa.Table) -> pd.DataFrame:
    seed = pc.fill_null(table["seed"], SEED_OF_IMPORTS).cast(pa.int64())
    table = table.drop(["seed"]).append_column("seed", seed)
    table = table.sort_by([(name, "ascending") for name in ("arm", "seed", "cohort", "case_id")])
    columns = ["arm", "head", "seed", "cohort", "case_id", "subject", "truth", "probabilities"]
    frame: pd.DataFrame = table.select(columns).to_pandas(use_threads=False)
    return frame


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries by column name."""
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def positive(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability of the positive class of a binary level, shape ``[rows]``."""
    return require_probabilities(np.array([values[-1] for values in rows["probabilities"]], dtype=np.float64), "probabilities")


def ranking(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the odds of the positive class of a binary level, by which metrics rank cases, shape
    ``[rows]``.
    """
    return class_odds(np.stack(rows["probabilities"].to_list()), [1])


def summary_row(metrics: pd.DataFrame, arm: str, level: str, metric: str, cohort: str, split: str = "test") -> pd.Series[Any] | None:
    """Return an arm's summary row: the mean over its seeds where METRICS has one, else its only
    seed; None where there is none.
    """
    rows = metrics[(metrics["arm"] == arm) & (metrics["metric"] == metric) & (metrics["cohort"] == cohort) & (metrics["split"] == split)]
    rows = own_head(rows, level)
    means = rows[rows["seed"].isna()]
    if len(means) >= 1:
        return means.iloc[0]
    return rows.iloc[0] if len(rows) == 1 else None


def derived_note(rows: pd.DataFrame, arms: Factors, level: str, labels: Mapping[str, str]) -> str:
    """Return the sentence that names the modes without a head of ``level``, whose probabilities
    were summed from a finer level; else an empty text.
    """
    derived = rows[rows["head"] != level][["arm", "head"]].drop_duplicates()
    if derived.empty:
        return ""
    names = dict.fromkeys(printed_value("mode", value_of(arms[arm], "mode"), labels) for arm in derived["arm"] if arm in arms)
    heads = dict.fromkeys(printed(head, labels) for head in derived["head"])
    return f" {' and '.join(names)}: summed from the {' and '.join(heads)} head."
