"""Record of code digests that give the same results, as `accept` proved, so that a refactoring need
not train anew.

The record is JSON, ``{script: {new digest: old digest}}``, tracked with the code. A digest in it is
replaced by the oldest one that it was proved equal to, which finished results have recorded, so
they stay finished.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from kneeoa.atomic_io import write_json
from kneeoa.errors import KneeoaError

Record = Mapping[str, Mapping[str, str]]


class Change(NamedTuple):
    """A script's code before and after an edit, as digests."""

    script: str
    old: str
    new: str


def read(file: Path) -> dict[str, dict[str, str]]:
    """Read the record; empty where there is none yet.

    Raises:
        KneeoaError: the file is no record, or its entries lead in a circle.
    """
    if not file.exists():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        record = {str(script): {str(new): str(old) for new, old in pairs.items()} for script, pairs in content.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise KneeoaError(f"{file}: is no record of accepted codes ({error}); take the tracked file back (git checkout).") from error
    for script, pairs in record.items():
        for new in pairs:
            if resolve(record, script, new) in pairs:
                raise KneeoaError(f"{file}: the codes of '{script}' lead in a circle at {new}; take the tracked file back (git checkout).")
    return record


def resolve(record: Record, script: str, digest: str) -> str:
    """The oldest digest that ``digest`` was proved equal to; itself where nothing was proved."""
    pairs = record.get(script, {})
    for _ in range(len(pairs)):
        if digest not in pairs:
            break
        digest = pairs[digest]
    return digest


def add(record: Record, changes: Iterable[Change]) -> dict[str, dict[str, str]]:
    """Add changes that were proved to change no result to a copy of the record."""
    grown = {script: dict(pairs) for script, pairs in record.items()}
    for change in changes:
        if resolve(grown, change.script, change.new) != resolve(grown, change.script, change.old):
            grown.setdefault(change.script, {})[change.new] = resolve(grown, change.script, change.old)
    return grown


def write(file: Path, record: Record) -> None:
    """Write the record, to be tracked with the code."""
    write_json(file, record)
