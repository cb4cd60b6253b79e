"""Planted faults of a manifest: codes as spreadsheets write them, words in their place, rows that
nothing names, findings row by row. Families of them, each with the one right end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kneeoa.config.hierarchy import Level

STATUS = Level(name="status", kind="multiclass", classes=("normal", "abnormal", "arthroplasty"))
KL = Level(name="kl", kind="ordinal", classes=("KL 0", "KL 1", "KL 2", "KL 3", "KL 4"))
SIGNS = Level(name="signs", kind="multilabel", classes=("skull", "ribs", "femur"))


@dataclass(frozen=True)
class PlantedManifest:
    """A table with a column map, and what the tables of the cohort must hold.

    ``labels`` are by subject; a subject that has none is in ``excluded`` with its reason, rows
    without a case under ``-``. ``people``: (sex, age, site, split) by subject.
    """

    family: str
    name: str
    rows: Sequence[str]
    """Lines of ``t.csv``, the header first."""
    manifest: Mapping[str, Any]
    columns: Any
    level: Level
    labels: Mapping[str, Sequence[int | None]]
    excluded: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, tuple[str | None, float | None, str | None, str | None]] = field(default_factory=dict)
    cohort: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.family}: {self.name}"


SPELLINGS = ("{}", "{}.0", "{}.00", "0{}", "+{}", "{}e0", " {} ", "{}: word", "{}.0: word", '"{},0"')
"""Spellings of one code, by hand and by programs."""


def _coded() -> Iterator[PlantedManifest]:
    """A code means what ``values`` say, however it is written, and no other class."""
    for spelling in SPELLINGS:
        for key in ("{}", "{}.0", "{}: word"):
            rows = [f"{code}{code},{spelling.format(code)},{code}.png" for code in (0, 1, 2, 3, 8, 9)]
            columns = {"columns": ["code"], "values": {key.format(code): code - 1 for code in (1, 2, 3)}, "missing": ["8"]}
            yield PlantedManifest(
                "codes", f"{spelling!r} by {key!r}", ["id,code,file", *rows], {}, columns, STATUS,
                {"11": [0], "22": [1], "33": [2]}, {"00": "invalid-label", "88": "missing-label", "99": "invalid-label"},
            )  # fmt: skip


def _grades() -> Iterator[PlantedManifest]:
    """Grades without ``values``, with one between two, and with cells that are none."""
    for spelling in SPELLINGS:
        rows = [f"g{grade},{spelling.format(grade)},{grade}.png" for grade in range(6)]
        for columns in ("kl", {"columns": ["kl"], "values": {"1.9": 1}}, {"columns": ["kl"], "values": {"1.9": 1, "9": None}}):
            extra = [] if columns == "kl" else ["most,1.90,most.png"]
            yield PlantedManifest(
                "grades", f"{spelling!r}, {columns}", ["id,kl,file", *rows, *extra], {}, columns, KL,
                {f"g{grade}": [grade] for grade in range(5)} | ({"most": [1]} if extra else {}), {"g5": "invalid-label"},
            )  # fmt: skip
    for cell in ("1.9", "2-3", "2/3", "II", "KL-2", "?", "-", "#N/A", "1e400", "-1", "true"):
        rows = ["id,kl,file", f"odd,{cell},a.png", "b,1,b.png"]
        yield PlantedManifest("grades", f"the cell {cell!r}", rows, {}, "kl", KL, {"b": [1]}, {"odd": "invalid-label"})


def _answers() -> Iterator[PlantedManifest]:
    """Yes and no, as words or as the numbers that some formats make of them; no word among
    codes.
    """
    for yes, no in (("True", "False"), ("TRUE", "FALSE"), ("true", "false")):
        columns = {"columns": ["code"], "values": {yes: 1, no: 0}}
        for one, nought in (("True", "False"), ("TRUE", "FALSE"), ("1", "0"), ("1.0", "0.0")):
            rows = ["id,code,file", f"a,{one},a.png", f"b,{nought},b.png", "c,2,c.png", "d,,d.png"]
            yield PlantedManifest(
                "answers", f"{one} by {yes}", rows, {}, columns, STATUS, {"a": [1], "b": [0]}, {"c": "invalid-label", "d": "missing-label"}
            )
    for word in ("TRUE", "true", "yes"):
        rows = ["id,code,file", f"a,{word},a.png", "b,2,b.png"]
        columns = {"columns": ["code"], "values": {"1": 0, "2": 1}}
        yield PlantedManifest("answers", f"{word} among codes", rows, {}, columns, STATUS, {"b": [1]}, {"a": "invalid-label"})


def _words() -> Iterator[PlantedManifest]:
    """The level's own words, in any case; other words are no label."""
    for change in (str.lower, str.upper, str.title):
        rows = [f"{number},{change(name)},{number}.png" for number, name in enumerate(STATUS.classes)]
        for columns in ("word", {"columns": ["word"], "values": {name: place for place, name in enumerate(STATUS.classes)}}):
            yield PlantedManifest(
                "words", f"{change.__name__} by {columns}", ["id,word,file", *rows, "x,odd,x.png"], {}, columns, STATUS,
                {str(place): [place] for place in range(3)}, {"x": "invalid-label"},
            )  # fmt: skip
    partial = {"columns": ["word"], "values": {"normal": 0, "abnormal": 1}}
    rows = ["id,word,file", "a,normal,a.png", "b,arthroplasty,b.png", "c,2,c.png"]
    yield PlantedManifest(
        "words", "outside the values", rows, {}, partial, STATUS, {"a": [0]}, {"b": "invalid-label", "c": "invalid-label"}
    )


def _people() -> Iterator[PlantedManifest]:
    """Sex, age, site and split of a person: read rightly, or empty."""
    codes = {"sex": {"1": "M", "2": "F"}, "split": {"1": "train", "2": "test"}, "site": {"7": "Oulu"}}
    for spelling in SPELLINGS:
        one, two, seven, eight = (spelling.format(code) for code in (1, 2, 7, 8))
        rows = ["id,kl,file,sex,age,site,split", f"a,1,a.png,{one},61,{seven},{one}", f"b,2,b.png,{two},62.0,{seven},{two}"]
        manifest = {key: key for key in ("sex", "age", "site", "split")} | {"values": codes}
        people = {"a": ("M", 61.0, "Oulu", "train"), "b": ("F", 62.0, "Oulu", "test")}
        yield PlantedManifest("people", f"{spelling!r}", rows, manifest, "kl", KL, {"a": [1], "b": [2]}, people=people)
        rows = ["id,kl,file,sex", f"a,1,a.png,{eight}", f"b,2,b.png,{two}"]
        people = {"a": (None, None, None, None), "b": ("F", None, None, None)}
        manifest = {"sex": "sex", "values": codes}
        yield PlantedManifest("people", f"an unmapped sex {eight!r}", rows, manifest, "kl", KL, {"a": [1], "b": [2]}, people=people)
    for age in ("90+", ">89", "<18", "63 y", "063Y", "#N/A", "#VALUE!", "sixty", "inf", "6.3.1970"):
        rows = ["id,kl,file,age", f"a,1,a.png,{age}", "b,2,b.png,50"]
        people = {"a": (None, None, None, None), "b": (None, 50.0, None, None)}
        yield PlantedManifest("people", f"the age {age!r}", rows, {"age": "age"}, "kl", KL, {"a": [1], "b": [2]}, people=people)
    for word, split in (("valid", "val"), ("Dev", "val"), ("VALIDATION", "val"), ("Training", "train"), ("testing", "test")):
        rows = ["id,kl,file,split", f"a,1,a.png,{word}"]
        people = {"a": (None, None, None, split)}
        yield PlantedManifest("people", f"the split {word!r}", rows, {"split": "split"}, "kl", KL, {"a": [1]}, people=people)


def _visits() -> Iterator[PlantedManifest]:
    """Rows of visits and views: the cohort's, others that ``values`` name, and rows that nothing
    names, which are counted.
    """
    codes = {"visit": {"0": "00m", "24": "24m", "36": "36m"}}
    for spelling in SPELLINGS:
        cells = [spelling.format(code) for code in (0, 24, 36, 48)]
        rows = ["id,kl,file,when", *(f"p{number},{number},{number}.png,{cell}" for number, cell in enumerate(cells))]
        yield PlantedManifest(
            "visits", f"{spelling!r}", rows, {"visit": "when", "values": codes}, "kl", KL, {"p0": [0], "p1": [1]}, {"-": "unknown-visit"},
            cohort={"visits": ["00m", "24m"]},
        )  # fmt: skip
    for cell in ("month 24", "24 m", "2019-03-12", "V03"):
        rows = ["id,kl,file,when", "a,1,a.png,00m", f"b,2,b.png,{cell}"]
        yield PlantedManifest("visits", f"{cell!r}", rows, {"visit": "when"}, "kl", KL, {"a": [1]}, {"-": "unknown-visit"})
    for cell in ("AP", "lateral", "PA05"):
        rows = ["id,kl,file,which", "a,1,a.png,PA", f"b,2,b.png,{cell}"]
        yield PlantedManifest("visits", f"view {cell!r}", rows, {"view": "which"}, "kl", KL, {"a": [1]}, {"-": "unknown-view"})


def _findings() -> Iterator[PlantedManifest]:
    """One row a finding: their union where the study says so, else no label."""
    listed = {"separator": ";", "columns": ["sign"], "values": {"skull": 0, "ribs": 1, "femur": 2, "normal": None}}
    wide = {"columns": ["skull", "ribs", "femur"]}
    rows = ["id,sign,file", "a,skull,a.png", "a,femur,a.png", "b,ribs,b.png", "b,ribs,b.png", "c,normal,c.png", "d,skull;ribs,d.png"]
    one = {"b": [0, 1, 0], "c": [0, 0, 0], "d": [1, 1, 0]}
    table = ["id,skull,ribs,femur,file", "a,1,,,a.png", "a,,0,1,a.png", "b,0,1,0,b.png", "b,0,1,0,b.png"]
    for order in (1, -1):
        for head, lines, columns, others in ((rows[0], rows[1:], listed, one), (table[0], table[1:], wide, {"b": [0, 1, 0]})):
            turned = [head, *lines[::order]]
            union = {"a": [1, 0, 1]} | others
            yield PlantedManifest("findings", f"union {order} {head}", turned, {}, columns | {"findings": "union"}, SIGNS, union)
            yield PlantedManifest(
                "findings", f"refuse {order} {head}", turned, {}, columns, SIGNS,
                others | {"a": [None, None, None]}, {"a": "readings-disagree"},
            )  # fmt: skip


def _ids() -> Iterator[PlantedManifest]:
    """Pseudonyms that look like numbers, and numbers that lost their digits."""
    for name in ("52652e51", "1e5", "7E3", "12e00"):
        rows = ["id,kl,file", f"{name},1,a.png", "a3f91c02,2,b.png"]
        yield PlantedManifest("ids", name, rows, {}, "kl", KL, {name: [1], "a3f91c02": [2]})
    for name in ("9.0E+06", "9E+06", "5.2652e+55"):
        rows = ["id,kl,file", f"{name},1,a.png", "a3f91c02,2,b.png"]
        yield PlantedManifest("ids", name, rows, {}, "kl", KL, {"a3f91c02": [2]}, {"-": "unknown-knee"})


def _layouts() -> Iterator[PlantedManifest]:
    """Ways of writing the text."""
    body = ["a;1;a.png", "b;2;b.png"]
    for name, rows in (
        ("sep=;", ["sep=;", "id;kl;file", *body]),
        ("sep=; in quotes", ['"sep=;"', "id;kl;file", *body]),
        ("sep=,", ["sep=,", *(line.replace(";", ",") for line in ("id;kl;file", *body))]),
        ("a comma in a name", ["id;kl;file;size (cm, rounded)", *(f"{line};170" for line in body)]),
        ("a comma in a name and in numbers", ["id;kl;file;size (cm, rounded)", *(f"{line};170,5" for line in body)]),
        ("semicolons in cells", ["id,kl,file,terms", "a,1,a.png,x;y;z", "b,2,b.png,"]),
    ):
        yield PlantedManifest("layouts", name, rows, {}, "kl", KL, {"a": [1], "b": [2]})


CASES: list[PlantedManifest] = [
    *_coded(), *_grades(), *_answers(), *_words(), *_people(), *_visits(), *_findings(), *_ids(), *_layouts(),
]  # fmt: skip
