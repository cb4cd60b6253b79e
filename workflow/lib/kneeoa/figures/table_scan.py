"""Read the rows that a figure draws from the tables of hundreds of runs, without decoding any
others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kneeoa.errors import KneeoaError
from kneeoa.tables.schema import TableSchema


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
