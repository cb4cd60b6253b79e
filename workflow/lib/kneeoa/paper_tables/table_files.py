"""Write tables as CSV (every digit of a float, empty for undefined, one order of rows) and LaTeX,
and read the CSV back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from kneeoa.atomic_io import atomic_path
from kneeoa.errors import KneeoaError
from kneeoa.paper_tables import registry
from kneeoa.paper_tables.latex import write_latex
from kneeoa.presentation.arms import ArmNames, Factors
from kneeoa.tables.schema import TableSchema


def write_csv(path: Path, rows: pd.DataFrame, *, order: Sequence[str] = ()) -> None:
    """Write ``rows`` atomically as UTF-8 CSV with Unix line ends.

    Floats are written by ``repr``, so that reading them gives the same bits back; an undefined
    value is an empty field.

    Args:
        path: the file.
        rows: the table.
        order: columns to sort by; none keeps the order that the rows are in.
    """
    ordered = rows.sort_values(list(order), ignore_index=True, kind="stable", na_position="first") if order else rows
    with atomic_path(path) as temporary:
        ordered.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def read_csv(path: Path, schema: TableSchema | None) -> pd.DataFrame:
    """Read a table that :func:`write_csv` wrote: numbers as float64 (NaN where undefined), texts as
    they were, None where absent; without a schema every column as text.

    Raises:
        KneeoaError: the file cannot be read, lacks a column of the table, or holds a number that is
            none.
    """
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be read as CSV: {error}.") from error
    if schema is None:
        return raw
    missing = [name for name in schema.schema.names if name not in raw.columns]
    if missing:
        raise KneeoaError(f"{path}: lacks the column '{missing[0]}' of the table '{schema.name}'; write it again.")
    columns = {}
    for field in schema.schema:
        text = raw[field.name]
        if pa.types.is_boolean(field.type):
            columns[field.name] = text == "True"
        elif pa.types.is_string(field.type):
            columns[field.name] = text.where(text != "", None) if field.nullable else text
        else:
            try:  # Python's float, not pandas' parser: the same bits as were written
                columns[field.name] = pd.Series([float(value) if value else math.nan for value in text], dtype="float64")
            except ValueError as error:
                raise KneeoaError(f"{path}: column '{field.name}' holds something that is not a number: {error}.") from error
    return pd.DataFrame(columns)


def write_table(
    name: str, out_csv: Path, out_tex: Path, *, arms: Factors | None = None, labels: Mapping[str, str] | None = None, **inputs: Any
) -> None:
    """Write a table: every row as CSV, the printed form as LaTeX.

    Args:
        name: the table.
        out_csv: CSV file to write.
        out_tex: LaTeX file to write.
        arms: the arms table: the order of the rows and the printed names of arms. Default: sorted
            by name, under the arms' own names.
        labels: the study's own printed names.
        inputs: the files and settings that the table declares, by their names.

    Raises:
        KneeoaError: a file is not what it should be.
    """
    rows = registry.csv_rows(name, **inputs)
    write_csv(out_csv, rows, order=registry.csv_order(name))
    write_latex(out_tex, registry.tabulars(name, rows, ArmNames(arms, labels), labels))
