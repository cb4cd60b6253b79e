"""Read Snakemake's records of the files that it made. Snakemake itself is not imported.

The records lie below ``.snakemake/metadata``, one a file, as JSON under the file's name in base64
(a long name is several folders, the upper ones marked with @).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError

RECORDS = Path(".snakemake") / "metadata"
"""Folder of the records, below the one that Snakemake runs in."""
NAME_LIMIT = 255
"""Longest name of a file on usual file systems: Snakemake cuts longer names of its records."""


def record_path(memory: Path, output: str) -> Path:
    """Path of an output's record in ``memory``."""
    name = urlsafe_b64encode(output.encode()).decode()
    pieces = [name[start : start + NAME_LIMIT - 1] for start in range(0, len(name), NAME_LIMIT - 1)]
    return memory.joinpath(*(f"@{piece}" for piece in pieces[:-1]), pieces[-1])


def read_records(memory: Path, below: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the outputs whose names begin with ``below``, each with its record.

    Raises:
        KneeoaError: a record cannot be read.
    """
    for path in sorted(file for file in memory.rglob("*") if file.is_file()):
        output = _decoded(path.relative_to(memory))
        if output and output.startswith(below):
            yield output, _read(path)


def _decoded(path: Path) -> str:
    text = "".join(part.removeprefix("@") for part in path.parts)
    try:
        return urlsafe_b64decode(text).decode("utf-8")
    except ValueError:  # not a record
        return ""


def _read(path: Path) -> dict[str, Any]:
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be read as a record of Snakemake ({error}); remove it and run the workflow again.") from error
    return record
