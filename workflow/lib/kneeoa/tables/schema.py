"""Write and read Parquet tables with an explicit schema and a key, checked on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kneeoa.atomic_io import atomic_path
from kneeoa.errors import KneeoaError, rerun_hint

_NULLABLE_INTEGERS: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}

RESERVED = ("fold",)
"""Columns of tables of runs that later versions will fill: empty where rows do not give them."""


@dataclass(frozen=True)
class TableSchema:
    """A named Parquet table.

    ``key`` names the columns that together identify a row; two rows with one key are an error. A
    column is nullable only where its field says so. Files carry no time stamp and no pandas
    metadata, so equal rows are equal bytes.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]

    def write(self, path: str | Path, rows: pd.DataFrame | list[dict[str, Any]]) -> None:
        """Validate ``rows`` (columns in any order, none missing but the reserved ones, none extra)
        and write them atomically.

        Raises:
            KneeoaError: a column is missing, extra, of the wrong type or null, or a key repeats.
        """
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows, columns=self.schema.names)
        frame = frame.assign(**{name: None for name in RESERVED if name in self.schema.names and name not in frame.columns})
        missing = [name for name in self.schema.names if name not in frame.columns]
        extra = [name for name in frame.columns if name not in self.schema.names]
        if missing or extra:
            raise KneeoaError(f"{path}: table '{self.name}' lacks the columns {missing} and has the unknown columns {extra}.")
        try:
            table = pa.Table.from_pandas(frame[self.schema.names], schema=self.schema, preserve_index=False)
        except (ValueError, TypeError) as error:  # pyarrow raises subclasses of both
            raise KneeoaError(f"{path}: table '{self.name}' has a value of the wrong type or empty: {error}.") from error
        table = table.replace_schema_metadata({"kneeoa.table": self.name})
        self._check(table, path)
        with atomic_path(path) as temporary:
            pq.write_table(table, temporary, compression="zstd", version="2.6")

    def read(self, path: str | Path) -> pd.DataFrame:
        """Read and validate a table. Nullable integers and booleans come back as pandas' nullable
        types.

        Raises:
            KneeoaError: the file is not this table.
        """
        frame = self._frame(self._read(path, self.schema.names))
        self._check_key(frame, path)
        return frame

    def _read(self, path: str | Path, columns: Sequence[str], encoded: Sequence[str] = ()) -> pa.Table:
        """Read some columns of a table without checking the key; strings of ``encoded`` come as
        codes of the values that occur.
        """
        try:
            with pq.ParquetFile(path, read_dictionary=list(encoded)) as file:
                schema, table = file.schema_arrow, file.read(columns)
        except (OSError, pa.ArrowInvalid) as error:
            raise KneeoaError(f"{path}: cannot be read as the Parquet table '{self.name}' ({error}); {rerun_hint(path)}.") from error
        if not _plain(schema).equals(self.schema.remove_metadata()):
            raise KneeoaError(f"{path}: is not a '{self.name}' table of this version; {rerun_hint(path)}.")
        self._check_empty(table, path)
        return table

    def _frame(self, table: pa.Table) -> pd.DataFrame:
        nullable = {field.type for field in self.schema if field.nullable}
        mapper = {kind: dtype for kind, dtype in _NULLABLE_INTEGERS.items() if kind in nullable}
        frame: pd.DataFrame = table.to_pandas(types_mapper=mapper.get)
        return frame

    def concat(self, paths: list[str] | list[Path], columns: Sequence[str] | None = None, categorical: bool = False) -> pd.DataFrame:
        """Read several files of this table as one; the key must stay unique over all of them.

        Args:
            paths: of the files.
            columns: those that are wanted beside the key's; None: all.
            categorical: columns of strings come as pandas' categories, in ascending order: quicker
                to read, compare and sort where rows are many and values few.
        """
        names = [name for name in self.schema.names if columns is None or name in {*self.key, *columns}]
        if not paths:
            return pd.DataFrame({name: [] for name in names})
        encoded = [name for name in names if categorical and self.schema.field(name).type == pa.string()]
        parts = [self._read(path, names, encoded) for path in paths]
        frame = self._frame(pa.concat_tables(parts).unify_dictionaries())
        for name in encoded:
            frame[name] = frame[name].cat.reorder_categories(sorted(frame[name].cat.categories))
        if self.key and frame.duplicated(list(self.key)).any():
            for path, part in zip(paths, parts, strict=True):
                self._check_key(self._frame(part), str(path))
            self._check_key(frame, f"{paths[0]} ... {paths[-1]}")
        return frame

    def _check(self, table: pa.Table, path: str | Path) -> None:
        self._check_empty(table, path)
        if self.key:
            self._check_key(table.select(list(self.key)).to_pandas(), path)

    def _check_empty(self, table: pa.Table, path: str | Path) -> None:
        for field in table.schema:
            if not field.nullable and table.column(field.name).null_count:
                raise KneeoaError(f"{path}: column '{field.name}' of table '{self.name}' has empty values; none is allowed.")

    def _check_key(self, frame: pd.DataFrame, path: str | Path) -> None:
        if not self.key:
            return
        repeated = frame.duplicated(list(self.key), keep=False)
        if repeated.any():
            first = frame.loc[repeated, list(self.key)].iloc[0].to_dict()
            raise KneeoaError(f"{path}: table '{self.name}' has {int(repeated.sum())} rows that share a key, first {first}.")


def _plain(schema: pa.Schema) -> pa.Schema:
    """A schema without metadata, its dictionaries as what they hold."""
    fields = [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema]
    return pa.schema(fields)


def required(name: str, kind: pa.DataType) -> pa.Field:
    """A column that is never null."""
    return pa.field(name, kind, nullable=False)


def fold() -> pa.Field:
    """The column of the cross-validation fold that a run leaves out, null where there is none."""
    return optional("fold", pa.int32())


def optional(name: str, kind: pa.DataType) -> pa.Field:
    """A column that may be null."""
    return pa.field(name, kind, nullable=True)
