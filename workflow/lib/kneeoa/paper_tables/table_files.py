"""Write a table of the paper as CSV and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kneeoa.paper_tables import registry
from kneeoa.paper_tables.csv_file import write_csv
from kneeoa.paper_tables.latex import write_latex
from kneeoa.presentation.arm_names import ArmNames
from kneeoa.presentation.arms import Factors


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
