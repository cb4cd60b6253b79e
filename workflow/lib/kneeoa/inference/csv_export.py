"""Export APPLIED as a CSV file: one row per case, level, head and class."""

from __future__ import annotations

from pathlib import Path

from kneeoa.atomic_io import atomic_path
from kneeoa.tables.applied import APPLIED


def write_csv(applied: Path, out: Path) -> None:
    """Write the table ``applied`` as CSV: a class and its probability a row, members joined by
    semicolons.

    Raises:
        KneeoaError: ``applied`` is not such a table.
    """
    table = APPLIED.read(applied)
    table = table.assign(members=table["members"].map(";".join)).explode(["classes", "probabilities"])
    table = table.rename(columns={"classes": "class", "probabilities": "probability"})
    with atomic_path(out) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
