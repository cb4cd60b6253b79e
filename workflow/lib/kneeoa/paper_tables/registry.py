"""Look up what a table's module holds by the table's name; the module is imported only then.

The module of a table binds ``TABLE`` (:mod:`kneeoa.figures_and_tables`), ``SCHEMA`` (the columns of
its CSV file; None where they depend on the study), ``CSV_ORDER`` (the columns that the CSV file is
sorted by; empty: rows stay as they are), ``csv_rows`` (the rows, from the declared inputs) and
``tabulars`` (their printed form).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from kneeoa.paper_tables.latex import Tabular
    from kneeoa.presentation.arms import ArmNames
    from kneeoa.tables.schema import TableSchema

IN_FILES = ("CSV_ORDER", "csv_rows", "tabulars")
"""Names in a table's module that make its CSV and LaTeX files."""
IN_REPORT = ("SCHEMA", "tabulars")
"""Names in a table's module that make it in the report."""


def code_module(name: str) -> str:
    """Return the dotted name of a table's module."""
    return f"kneeoa.paper_tables.{name}"


def definitions(name: str, parts: tuple[str, ...]) -> list[str]:
    """Return the dotted names of definitions of a table's module, for the digest of code."""
    return [f"{code_module(name)}:{part}" for part in parts]


def csv_rows(name: str, **inputs: Any) -> pd.DataFrame:
    """Return the rows of a table's CSV file, from the files and settings that the table
    declares.
    """
    rows: pd.DataFrame = importlib.import_module(code_module(name)).csv_rows(**inputs)
    return rows


def csv_order(name: str) -> tuple[str, ...]:
    """Return the columns that a table's CSV file is sorted by; empty: rows stay as they are."""
    columns: tuple[str, ...] = importlib.import_module(code_module(name)).CSV_ORDER
    return columns


def schema(name: str) -> TableSchema | None:
    """Return the columns of a table's CSV file; None where they depend on the study."""
    columns: TableSchema | None = importlib.import_module(code_module(name)).SCHEMA
    return columns


def tabulars(name: str, rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """Return the printed form of a table's rows."""
    printed: list[Tabular] = importlib.import_module(code_module(name)).tabulars(rows, names, labels)
    return printed
