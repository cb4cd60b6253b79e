"""Read tables of text: CSV and its relatives, whatever wrote them. Standard library only, as
manifests are read at parse too.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kneeoa.errors import KneeoaError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".psv": "|"}
"""Delimiters by suffix; for others (``.txt``), or where the header does not have it, the header
decides.
"""
_POSSIBLE = "\t|;,"
_SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?[,; \t]*(?=[\r\n])', re.IGNORECASE)
"""The line above the header in which Excel writes the delimiter, and reads it."""
_HEAD = 65536
"""Letters in which the header and the line below it are looked for."""


@dataclass(frozen=True)
class Table:
    """A table's cells as text, without surrounding blanks; ``rows`` are (line in the file, cells),
    blank lines left out.
    """

    path: Path
    header: list[str]
    rows: list[tuple[int, list[str]]]
    _index: dict[str, int] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        for position, name in enumerate(self.header):
            self._index.setdefault(name.casefold(), position)

    def has(self, name: str) -> bool:
        """Whether there is a column of that name, in whatever case."""
        return name.casefold() in self._index

    def column(self, name: str) -> int:
        """The place of a column: by its exact name, else in another case.

        Raises:
            KneeoaError: there is no such column, or two.
        """
        if name in self.header:
            if self.header.count(name) > 1:
                raise KneeoaError(f"{self.path}: the column '{name}' stands {self.header.count(name)} times in the header; keep one.")
            return self.header.index(name)
        if not self.has(name):
            near = difflib.get_close_matches(name, self.header, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else "."
            raise KneeoaError(f"{self.path}: lacks the column '{name}'{hint} Its first line has {self.header[:12]}.")
        twins = [column for column in self.header if column.casefold() == name.casefold()]
        if len(twins) > 1:
            raise KneeoaError(f"{self.path}: the columns {twins} differ in case alone, and '{name}' could be either; keep one.")
        return self._index[name.casefold()]

    def select(self, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """(line, cells of ``columns`` in that order) of each row.

        Raises:
            KneeoaError: a column is missing.
        """
        places = [self.column(name) for name in columns]
        for line, cells in self.rows:
            yield line, [cells[place] for place in places]


def read_text(path: Path, delimiter: str | None = None) -> Table:
    """Read a delimited text file: UTF-8 (a byte-order mark or none), UTF-16 with its mark, or
    Latin-1; any line ends; quoted newlines.

    Args:
        path: the file.
        delimiter: between cells. Default: the suffix's, else the one of tab, ``|``,
            ``;`` and ``,`` that the header has most.

    Raises:
        KneeoaError: the file cannot be read, is empty or binary, or a row has more or fewer cells
            than the header.
    """
    text = _decode(path)
    separator = _SEPARATOR_LINE.match(text)
    if separator is not None:
        delimiter = separator[1]
    elif delimiter is None:
        delimiter = _delimiter(text, DELIMITERS.get(path.suffix.lower(), ""))
    above = 0 if separator is None else 1
    try:
        return _parse(path, text, delimiter, csv.QUOTE_MINIMAL, above)
    except csv.Error as error:
        # In tables delimited by tabs and bars, quotes are seldom meant as such: a cell that begins
        # with one is free text.
        if delimiter not in "\t|":
            raise KneeoaError(f"{path}: line {error.args[1]} cannot be read: {error.args[0]}; is a quote not closed?") from error
        return _parse(path, text, delimiter, csv.QUOTE_NONE, above)


def _delimiter(text: str, usual: str) -> str:
    """The suffix's delimiter where the header has it, else the most frequent one of the header.

    A comma may be part of a column's name (``Size (cm, rounded)``): of what the header and the line
    below it have equally often, the most frequent is the delimiter.
    """
    first, *below = (re.sub(r'"[^"]*"', "", line) for line in re.split(r"\r\n|[\r\n]", text[:_HEAD])[:2])
    if not usual or usual not in first:
        return max(_POSSIBLE, key=first.count)
    if usual != "," or not below:
        return usual
    even = [mark for mark in (usual, *_POSSIBLE) if 0 < first.count(mark) == below[0].count(mark)]
    return max(even, key=first.count, default=usual)


def _parse(path: Path, text: str, delimiter: str, quoting: Literal[0, 3], above: int = 0) -> Table:
    """The table, or ``csv.Error`` with the line where the text stops being one; ``above``: lines
    before the header.
    """
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True, quoting=quoting)
    try:
        for _ in range(above):
            next(lines)
        header = [cell.strip() for cell in next(lines, [])]
        if not any(header):
            raise KneeoaError(f"{path}: has no header line; expected the names of its columns.")
        return Table(path, header, list(_rows(path, lines, header)))
    except csv.Error as error:
        raise csv.Error(str(error), lines.line_num) from error


def _rows(path: Path, lines: Iterable[list[str]], header: list[str]) -> Iterator[tuple[int, list[str]]]:
    width = len(header)
    last = lines.line_num  # type: ignore[attr-defined]
    for cells in lines:
        line, last = last + 1, lines.line_num  # type: ignore[attr-defined]
        if len(cells) != width:
            if not any(map(str.strip, cells)):
                continue
            if len(cells) < width or any(map(str.strip, cells[width:])):
                raise KneeoaError(
                    f"{path}: line {line} has {len(cells)} values where the header has {width}; is the file cut, or a cell not in quotes?"
                )
        stripped = [cell.strip() for cell in cells[:width]]
        if any(stripped):
            yield line, stripped


def _decode(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise KneeoaError(f"{path}: cannot be read ({error.strerror}).") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    if b"\0" in raw[:65536]:
        raise KneeoaError(f"{path}: is not text; expected a table with names of columns in its first line.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # a letter in free text; every byte has a meaning in it
