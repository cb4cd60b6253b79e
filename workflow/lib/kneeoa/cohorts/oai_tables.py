"""OAI's text tables: pipe-delimited clinical tables with coded values, and the comma-separated index of images."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from kneeoa.errors import KneeoaError

Row = dict[str, str]


def read_clinical(path: Path, required: tuple[str, ...]) -> list[Row]:
    """Rows of a pipe-delimited table; column names in upper case, values as text without surrounding blanks.

    Raises:
        KneeoaError: the file cannot be read, lacks a required column, or has a row of another length.
    """
    return _read(path, "|", required)


def read_contents(path: Path) -> list[Row]:
    """Rows of a ``contents.csv`` with at least Folder, ParticipantID and SeriesDescription; values without surrounding blanks.

    Raises:
        KneeoaError: as :func:`read_clinical`.
    """
    return _read(path, ",", ("Folder", "ParticipantID", "SeriesDescription"))


def code(text: str | None) -> str | None:
    """The code of a coded value: ``1`` of ``1: Right``; None for a missing one (empty, ``.``, ``.: Missing ...``, ``.A``)."""
    value = (text or "").split(":", 1)[0].strip()
    return None if not value or value.startswith(".") else value


def integer(text: str | None) -> int | None:
    """The code as an integer, None where missing.

    Raises:
        ValueError: the code is not a whole number.
    """
    value = code(text)
    if value is None:
        return None
    number = float(value)
    if number != int(number):
        raise ValueError(f"'{text}' is not a whole number")
    return int(number)


def _read(path: Path, delimiter: str, required: tuple[str, ...]) -> list[Row]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise KneeoaError(f"{path}: cannot be read ({error.strerror}).") from error
    # Releases are ASCII with, rarely, a Latin-1 letter in free text; a byte-order mark comes from spreadsheets.
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [_name(cell, delimiter) for cell in next(lines, [])]
    missing = [name for name in required if name not in header]
    if missing:
        raise KneeoaError(f"{path}: lacks the columns {missing}; its first line has {header[:8]} (separator '{delimiter}').")
    rows = []
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise KneeoaError(f"{path}: line {lines.line_num} has {len(cells)} values where the header has {len(header)}; is the file cut?")
        rows.append({name: cell.strip() for name, cell in zip(header, cells, strict=True)})
    return rows


def _name(cell: str, delimiter: str) -> str:
    return cell.strip().upper() if delimiter == "|" else cell.strip()
