"""Planted faults of OAI's tables: the index of images and the readings, as releases and
spreadsheets leave them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.ingestion.stages import CONTENTS, READINGS, barcode, folder

A, B, C = "9300001", "9300002", "9300003"
"""Three people with a right knee each; their grades are 0, 2 and 4."""
GRADES = {A: 0, B: 2, C: 4}


@dataclass(frozen=True)
class Lines:
    """The tables as lines, before they are written."""

    contents: list[str]
    readings: list[str]
    contents_end: str = "\n"
    readings_end: str = "\r\n"
    encoding: str = "utf-8"
    bom: bytes = b""

    def write(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for name, lines, end in (
            ("contents.csv", self.contents, self.contents_end),
            ("kxr_sq_bu00.txt", self.readings, self.readings_end),
        ):
            (root / name).write_bytes(self.bom + "".join(line + end for line in lines).encode(self.encoding))


def sound() -> Lines:
    """Tables of the three."""
    contents = [
        f"{folder(participant)},{participant},20050101,{barcode(participant)},OAI^MR^RIGHT,SAG_3D_DESS_RIGHT" for participant in GRADES
    ]
    readings = [f"{participant}|1: Right|15|0.8|016600000001|{grade}" for participant, grade in GRADES.items()]
    return Lines([CONTENTS, *contents], [READINGS, *readings])


@dataclass(frozen=True)
class PlantedTable:
    """A fault of a table, and its end.

    ``grades``: what the labels table must hold of the three (those that are left out have none);
    None where the stage must stop with a sentence. ``reasons`` are the reasons of exclusion, by
    case (``R`` knees by their subject) or ``-`` for rows that name no knee.
    """

    name: str
    bend: Callable[[Lines], Lines]
    grades: dict[str, int] | None
    reasons: dict[str, str]

    def __str__(self) -> str:
        return f"table: {self.name}"


def _contents(edit: Callable[[list[str]], list[str]]) -> Callable[[Lines], Lines]:
    return lambda lines: Lines(edit(lines.contents), lines.readings)


def _readings(edit: Callable[[list[str]], list[str]]) -> Callable[[Lines], Lines]:
    return lambda lines: Lines(lines.contents, edit(lines.readings))


def _reading(number: int, **cells: str) -> Callable[[Lines], Lines]:
    """Other cells in the reading of one of the three."""

    def edit(rows: list[str]) -> list[str]:
        names, values = rows[0].split("|"), rows[number].split("|")
        for name, cell in cells.items():
            values[names.index(name)] = cell
        return [*rows[:number], "|".join(values), *rows[number + 1 :]]

    return _readings(edit)


def _add(*rows: str) -> Callable[[Lines], Lines]:
    return _readings(lambda lines: [*lines, *rows])


def _written(**how: str | bytes) -> Callable[[Lines], Lines]:
    return lambda lines: Lines(lines.contents, lines.readings, **how)


def _read(
    name: str, bend: Callable[[Lines], Lines], without: str = "", reasons: dict[str, str] | None = None, **grades: int
) -> PlantedTable:
    expected = {participant: grade for participant, grade in GRADES.items() if participant != without}
    return PlantedTable(name, bend, expected | {participant[1:]: grade for participant, grade in grades.items()}, reasons or {})


def _stops(name: str, bend: Callable[[Lines], Lines]) -> PlantedTable:
    return PlantedTable(name, bend, None, {})


_SECOND = f"{B}|1: Right|37|0.8|016600000001|3"

CASES: list[PlantedTable] = [
    _read("as they should be", _written()),
    _read("CRLF everywhere", _written(contents_end="\r\n")),
    _read("LF everywhere", _written(readings_end="\n")),
    _read("a byte-order mark", _written(bom=b"\xef\xbb\xbf")),
    _read("UTF-16", _written(bom=b"\xff\xfe", encoding="utf-16-le")),
    _read("blank lines between rows", _readings(lambda rows: [line for row in rows for line in (row, "", "||||| ")])),
    _read("column names in small letters", _readings(lambda rows: [rows[0].lower(), *rows[1:]])),
    _read("columns in another order", _readings(lambda rows: ["|".join(reversed(row.split("|"))) for row in rows])),
    _read("more columns", _readings(lambda rows: [f"{row}|{'V00XRJSM' if number == 0 else '1: a'}" for number, row in enumerate(rows)])),
    _read("a Latin-1 letter", _written(encoding="latin-1")),
    _read("a description that ends in a blank", _contents(lambda rows: [row.replace("DESS_RIGHT", "DESS_RIGHT ") for row in rows])),
    _read(
        "a description in small letters", _contents(lambda rows: [row.replace("SAG_3D_DESS_RIGHT", "Sag_3D_Dess_Right") for row in rows])
    ),
    _read("folders with backslashes", _contents(lambda rows: [rows[0], *(row.replace("/", "\\") for row in rows[1:])])),
    _read("a series that was not asked for", _contents(lambda rows: [*rows, f"{folder(A)}9,{A},20050101,1,OAI^MR,COR_IW_TSE_RIGHT"])),
    _read("the same series listed twice", _contents(lambda rows: [*rows, rows[1]])),
    _read("grade as '2: Grade 2'", _reading(2, V00XRKL="2: Grade 2")),
    _read("grade as 2.0", _reading(2, V00XRKL="2.0")),
    _read("side as 1", _reading(2, SIDE="1")),
    _read("grade as 2.00 and side as 1.0", _reading(2, V00XRKL="2.00", SIDE="1.0")),
    _read("participant as a float", _reading(2, ID=f"{B}.0")),
    _read(
        "side as 2.0 beside 1.0",
        lambda lines: _add(f"{B}.0|2.0|15.0|0|0|1.0")(lines),
        reasons={f"{B}-L": "missing-image"},
        **{f"_{B}-L": 1},
    ),
    _read("a project with letters", _reading(2, READPRJ="63A")),
    _read("another project with letters", _add(f"{B}|1: Right|63A|0.8|016600000001|3")),
    _read("an empty project", _reading(2, READPRJ=".")),
    _read("grade missing as '.'", _reading(2, V00XRKL="."), B, {B: "missing-label"}),
    _read("grade missing in words", _reading(2, V00XRKL=".: Missing Form/Incomplete Workbook"), B, {B: "missing-label"}),
    _read("grade missing as .A", _reading(2, V00XRKL=".A"), B, {B: "missing-label"}),
    _read("grade empty", _reading(2, V00XRKL=""), B, {B: "missing-label"}),
    _read("grade 5", _reading(2, V00XRKL="5"), B, {B: "invalid-label"}),
    _read("grade -1", _reading(2, V00XRKL="-1"), B, {B: "invalid-label"}),
    _read("grade 8: not a grade", _reading(2, V00XRKL="8: prosthesis"), B, {B: "invalid-label"}),
    _read("grade 2.5", _reading(2, V00XRKL="2.5"), B, {B: "invalid-label"}),
    _read("grade in words", _reading(2, V00XRKL="doubtful"), B, {B: "invalid-label"}),
    _read("grade not a number", _reading(2, V00XRKL="nan"), B, {B: "invalid-label missing-label"}),
    _read("grade infinite", _reading(2, V00XRKL="inf"), B, {B: "invalid-label"}),
    _read("unknown side", _reading(2, SIDE="3: Both"), B, {B: "missing-label", "-": "unknown-knee"}),
    _read("side missing", _reading(2, SIDE="."), B, {B: "missing-label", "-": "unknown-knee"}),
    _read("participant of six digits", _reading(2, ID="930000"), B, {B: "missing-label", "-": "unknown-knee"}),
    _read("participant in words", _reading(2, ID="Subject B"), B, {B: "missing-label", "-": "unknown-knee"}),
    _read(
        "left by the grades, right by the images",
        _reading(2, SIDE="2: Left"),
        B,
        {B: "missing-label", f"{B}-L": "missing-image"},
        **{f"_{B}-L": 2},
    ),
    _read(
        "right by the grades, left by the images",
        _contents(lambda rows: [*rows[:2], rows[2].replace("RIGHT", "LEFT"), rows[3]]),
        "",
        {B: "missing-image", f"{B}-L": "missing-label missing-file"},
    ),
    _read("no row of grades for a knee", _readings(lambda rows: [*rows[:2], rows[3]]), B, {B: "missing-label"}),
    _read("no row of images for a knee", _contents(lambda rows: [*rows[:2], rows[3]]), "", {B: "missing-image"}),
    _read("the same reading twice", _add(f"{B}|1: Right|15|0.8|016600000001|2")),
    _read("another project reads another grade", _add(_SECOND)),
    _read("another project comes first", _readings(lambda rows: [rows[0], _SECOND, *rows[1:]])),
    _read("the preferred project has no grade", lambda lines: _add(_SECOND)(_reading(2, V00XRKL=".")(lines)), **{f"_{B}": 3}),
    _read("one project reads a grade that is none", _add(f"{B}|1: Right|37|0.8|016600000001|9"), B, {B: "invalid-label"}),
    _read(
        "another participant's folder for one knee",
        _contents(lambda rows: [*rows, rows[2].replace(folder(B), folder(A))]),
        "",
        {B: "duplicate-image"},
    ),
    _read(
        "a participant of six digits in the index",
        _contents(lambda rows: [*rows, "0.C.2/93/20050101/1,93,20050101,1,x,SAG_3D_DESS_RIGHT"]),
        "",
        {"-": "unknown-series"},
    ),
    _read(
        "a folder that tells no visit",
        _contents(lambda rows: [*rows, f"somewhere/{A},{A},20050101,1,x,SAG_3D_DESS_LEFT"]),
        "",
        {"-": "unknown-series"},
    ),
    _read(
        "a folder that points outside",
        _contents(lambda rows: [*rows, f"0.C.2/../../../../etc,{A},20050101,1,x,SAG_3D_DESS_LEFT"]),
        "",
        {f"{A}-L": "missing-file missing-label"},
    ),
    _stops("a short row", _readings(lambda rows: [*rows[:2], "|".join(rows[2].split("|")[:4]), rows[3]])),
    _stops("a long row", _readings(lambda rows: [*rows[:2], f"{rows[2]}|9|9", rows[3]])),
    _stops("cut in the middle of a row", _readings(lambda rows: [*rows[:3], rows[3][:12]])),
    _stops("no column of grades", _readings(lambda rows: [row.rsplit("|", 1)[0] for row in rows])),
    _stops("no header", _readings(lambda rows: rows[1:])),
    _stops("commas for bars", _readings(lambda rows: [row.replace("|", ",") for row in rows])),
    _stops("empty readings", _readings(lambda rows: [])),
    _stops("empty index", _contents(lambda rows: [])),
    _stops("an index without participants", _contents(lambda rows: [row.split(",", 1)[0] for row in rows])),
    _stops("binary readings", _readings(lambda rows: ["\0\1\2" * 40])),
]
