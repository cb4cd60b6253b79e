"""Call a table's module by the table's name, importing it then."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from kneeoa.paper_tables.arm_names import ArmNames
    from kneeoa.paper_tables.latex import Tabular
    from kneeoa.tables.schema import TableSchema


def code_module(name: str) -> str:
    """Dotted name of the module that writes a table."""
    return f"kneeoa.paper_tables.{name}"


def write(name: str, **arguments: Any) -> None:
    """Write a table: its module's ``write`` with these arguments."""
    importlib.import_module(code_module(name)).write(**arguments)


def schema(name: str) -> TableSchema | None:
    """The columns of a table's CSV file: its module's ``SCHEMA``; None where they depend on the
    study.
    """
    columns: TableSchema | None = importlib.import_module(code_module(name)).SCHEMA
    return columns


def tabulars(name: str, rows: pd.DataFrame, names: ArmNames, labels: Mapping[str, str] | None) -> list[Tabular]:
    """The printed form of a table's rows: its module's ``tabulars``."""
    printed: list[Tabular] = importlib.import_module(code_module(name)).tabulars(rows, names, labels)
    return printed
