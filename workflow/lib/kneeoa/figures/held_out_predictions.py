"""Read the rows that a figure draws from the tables of hundreds of runs, without decoding any
others: test predictions of one level as plain arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError
from kneeoa.presentation.arms import Factors, display_value, value_of
from kneeoa.presentation.display_names import display_name
from kneeoa.presentation.summary_rows import head_by_arm
from kneeoa.probabilities import class_odds, require_probabilities
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.schema import TableSchema

SEED_OF_IMPORTS = -1
"""Replaces the absent seed of imported predictions."""


def scan_rows(schema: TableSchema, paths: Sequence[Path], equal: Mapping[str, str], columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of :func:`table_where` as a data frame: nullable integers come back as floats
    where a value is missing.
    """
    frame: pd.DataFrame = scan_table(schema, paths, equal, columns).to_pandas(use_threads=False)
    return frame


def scan_table(schema: TableSchema, paths: Sequence[Path], equal: Mapping[str, str], columns: Sequence[str]) -> pa.Table:
    """Read the rows of several files of one table in which the columns of ``equal`` have these
    values.

    Args:
        schema: the table.
        paths: its files.
        equal: column -> the value asked for; empty: every row.
        columns: what to return besides the key.

    Raises:
        KneeoaError: a file is not this table, or two of the rows share a key.
    """
    wanted = list(dict.fromkeys([*schema.key, *columns]))
    chosen = pa.schema([schema.schema.field(name) for name in wanted])
    table = pa.concat_tables([chosen.empty_table(), *(_selected(schema, path, equal, wanted).cast(chosen) for path in paths)])
    distinct = table.group_by(list(schema.key), use_threads=False).aggregate([([], "count_all")]).num_rows
    if distinct < table.num_rows:
        raise KneeoaError(
            f"{paths[0]} ... {paths[-1]}: table '{schema.name}' has {table.num_rows - distinct} rows whose key another row has."
        )
    return table


def _selected(schema: TableSchema, path: Path, equal: Mapping[str, str], wanted: Sequence[str]) -> pa.Table:
    words = [field.name for field in schema.schema if pa.types.is_string(field.type)]  # codes until the rows are chosen
    try:
        with pq.ParquetFile(path, read_dictionary=words) as file:
            same = file.schema.to_arrow_schema().remove_metadata().equals(schema.schema.remove_metadata())
            table = file.read(list(dict.fromkeys([*wanted, *equal])), use_threads=False) if same else None
    except (OSError, pa.ArrowInvalid) as error:
        raise KneeoaError(f"{path}: cannot be read as the Parquet table '{schema.name}': {error}.") from error
    if table is None:
        raise KneeoaError(f"{path}: is not a '{schema.name}' table of this version; remove it and run the workflow again.")
    for name, value in equal.items():
        table = table.filter(pc.equal(table.column(name), value))
    return table.select(list(wanted))


def read_predictions(paths: Sequence[Path], level: str, split: str = "test") -> pd.DataFrame:
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


def read_finding_predictions(paths: Sequence[Path], level: str, split: str = "test") -> pd.DataFrame:
    """Read predictions of a multilabel level as :func:`held_out` does; ``truth`` is a float64 array
    ``[findings]``, NaN where a finding was not read.
    """
    table = _rows_of_heads(paths, level, split)
    truth = table["truth"].cast(pa.list_(pa.float64()))
    return _frame(table.drop(["truth"]).append_column("truth", truth))


def _rows_of_heads(paths: Sequence[Path], level: str, split: str) -> pa.Table:
    """The rows of a level and split by the head that gives each arm's predictions."""
    table = scan_table(PREDICTIONS, paths, {"level": level, "split": split}, ["subject", "truth", "probabilities"])
    arm_heads = table.group_by(["arm", "head"], use_threads=False).aggregate([]).to_pandas()
    heads = pa.array([f"{arm}\0{head}" for arm, head in head_by_arm(arm_heads, level).items()], pa.string())
    return table.filter(pc.is_in(pc.binary_join_element_wise(table["arm"], table["head"], "\0"), heads))


def _frame(table: pa.Table) -> pd.DataFrame:
    seed = pc.fill_null(table["seed"], SEED_OF_IMPORTS).cast(pa.int64())
    table = table.drop(["seed"]).append_column("seed", seed)
    table = table.sort_by([(name, "ascending") for name in ("arm", "seed", "cohort", "case_id")])
    columns = ["arm", "head", "seed", "cohort", "case_id", "subject", "truth", "probabilities"]
    frame: pd.DataFrame = table.select(columns).to_pandas(use_threads=False)
    return frame


def positive_probability(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the probability of the positive class of a binary level, shape ``[rows]``."""
    return require_probabilities(np.array([values[-1] for values in rows["probabilities"]], dtype=np.float64), "probabilities")


def positive_odds(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the odds of the positive class of a binary level, by which metrics rank cases, shape
    ``[rows]``.
    """
    return class_odds(np.stack(rows["probabilities"].to_list()), [1])


def derived_note(rows: pd.DataFrame, arms: Factors, level: str, labels: Mapping[str, str]) -> str:
    """Return the sentence that names the modes without a head of ``level``, whose probabilities
    were summed from a finer level; else an empty text.
    """
    derived = rows[rows["head"] != level][["arm", "head"]].drop_duplicates()
    if derived.empty:
        return ""
    names = dict.fromkeys(display_value("mode", value_of(arms[arm], "mode"), labels) for arm in derived["arm"] if arm in arms)
    heads = dict.fromkeys(display_name(head, labels) for head in derived["head"])
    return f" {' and '.join(names)}: summed from the {' and '.join(heads)} head."
