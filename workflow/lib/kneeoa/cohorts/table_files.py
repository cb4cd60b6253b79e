"""Read any table file as text cells: text, Excel workbooks, Parquet and SAS files, in one shape for
all readers.
"""

from __future__ import annotations

import datetime
import logging
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kneeoa.cohorts.text_tables import Table, read_text
from kneeoa.errors import KneeoaError

_LOG = logging.getLogger(__name__)


def read_table(path: Path, *, delimiter: str | None = None, sheet: str | None = None) -> Table:
    """Read a table by its suffix: ``.xlsx``, ``.parquet``, ``.sas7bdat``, else text. Cells are
    text: whole numbers without a point.

    Args:
        path: the file.
        delimiter: of a text file; see :func:`~kneeoa.cohorts.text_tables.read_text`.
        sheet: of a workbook; default the first.

    Raises:
        KneeoaError: the file is not there, is damaged, or is not such a table.
    """
    if not path.is_file():
        raise KneeoaError(f"{path}: the table is not there; check its name below the cohort's root.")
    suffix = path.suffix.lower()
    if suffix in (".xlsx", ".xlsm"):
        return _excel(path, sheet)
    if suffix in (".parquet", ".pq"):
        return _parquet(path)
    if suffix == ".sas7bdat":
        return _sas(path)
    return read_text(path, delimiter)


def _excel(path: Path, sheet: str | None) -> Table:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
        names = book.sheetnames
        cells = [] if sheet is not None and sheet not in names else list(book[sheet or names[0]].iter_rows(values_only=True))
        book.close()
    except Exception as error:  # a damaged workbook fails in zip, XML or openpyxl itself
        raise KneeoaError(f"{path}: cannot be read as an Excel workbook ({error}).") from error
    if sheet is not None and sheet not in names:
        raise KneeoaError(f"{path}: has no sheet '{sheet}'; it has {names}.")
    header = [_text(cell) for cell in cells[0]] if cells else []
    return _table(path, header, enumerate(cells[1:], start=2))


def _parquet(path: Path) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        columns = [column.to_pylist() for column in table.columns]
    except (OSError, pa.ArrowException) as error:
        raise KneeoaError(f"{path}: cannot be read as a Parquet table ({error}).") from error
    return _table(path, list(table.column_names), enumerate(zip(*columns, strict=True), start=1))


def _sas(path: Path) -> Table:
    import pyreadstat

    try:
        # Special missing values (.A to .Z) come as empty numbers; dates are not asked for, so they
        # stay plain numbers.
        columns, meta = pyreadstat.read_sas7bdat(str(path), output_format="dict", disable_datetime_conversion=True)
    except Exception as error:  # pyreadstat raises its own errors, and others for damaged bytes
        raise KneeoaError(f"{path}: cannot be read as a SAS table ({type(error).__name__}: {error}); is it damaged or cut?") from error
    values = [columns[name] for name in meta.column_names]
    return _table(path, list(meta.column_names), enumerate(zip(*values, strict=True), start=1))


def _table(path: Path, header: list[str], rows: Iterable[tuple[int, Iterable[Any]]]) -> Table:
    if not any(header):
        raise KneeoaError(f"{path}: has no header line; expected the names of its columns.")
    lines = ((line, [_text(cell) for cell in cells]) for line, cells in rows)
    return Table(path, header, [(line, cells) for line, cells in lines if any(cells)])


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, bytes):
        return value.decode("latin-1").strip()
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value).strip()
