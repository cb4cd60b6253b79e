"""Tables as people have them: encodings, line ends, workbooks, Parquet, SAS; and one sentence for
each that is malformed.
"""

import math
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from openpyxl import Workbook

from kneeoa.cohorts import cells
from kneeoa.cohorts.table_files import read_table
from kneeoa.cohorts.text_tables import read_text
from kneeoa.errors import KneeoaError
from tests.unit.counted_calls import calls

_SHIPPED = "openfisca_survey_manager/tests/data_files/help.sas7bdat"
_HINT = "no package here ships a SAS file: python -m pip install --no-deps --target .venv/samples openfisca-survey-manager"


def shipped_sas_file() -> Path:
    """A file that SAS wrote, from the package openfisca-survey-manager: 453 people, 88 numeric
    columns (the HELP trial's teaching set).
    """
    for folder in (Path(sys.prefix) / "samples", *map(Path, sys.path)):
        if (folder / _SHIPPED).is_file():
            return folder / _SHIPPED
    pytest.skip(_HINT)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"id,note\r\n1,a\r\n\r\n2,b\r\n\r\n", "t.csv"),
        (b"\xef\xbb\xbfid,note\n1,a\n2,b\n , \n", "t.csv"),
        (b"id;note\n1;a\n2;b", "t.csv"),
        (b"id\tnote\r1\ta\r2\tb\r", "t.tsv"),
        (b"id|note\n1 | a\n 2|b\n", "t.txt"),
        ("id,note\n1,a\n2,b\n".encode("utf-16"), "t.csv"),
        (b"id,note,\n1,a,\n2,b,,,\n", "t.csv"),
        (b'"id","note"\n"1", "a"\n"2","b"\n', "t.csv"),
        (b"sep=;\r\nid;note\r\n1;a\r\n2;b\r\n", "t.csv"),
        (b'\xef\xbb\xbf"sep=,"\nid,note\n1,a\n2,b\n', "t.txt"),
        (b"SEP=|,,\rid|note\r1|a\r2|b\r", "t.csv"),
        ("sep=\t\nid\tnote\n1\ta\n2\tb\n".encode("utf-16"), "t.csv"),
        (b"id;note;size (cm, rounded)\n1;a;170\n2;b;171\n", "t.csv"),
        (b"id;note;size (cm, rounded)\n1;a;170,5\n2;b;171,5\n", "t.csv"),
        (b"id,note,terms\n1,a,x;y;z\n2,b,\n", "t.csv"),
        (b'id,note,"p;q;r;s"\n1,a,x\n2,b,\n', "t.csv"),
    ],
    ids=[
        "crlf-blank-lines",
        "bom",
        "semicolon",
        "old-mac-tabs",
        "pipe",
        "utf-16",
        "trailing-commas",
        "quotes",
        "sep",
        "sep-quoted",
        "sep-bars",
        "sep-tabs",
        "comma-in-a-name",
        "comma-in-a-name-and-a-number",
        "semicolons-in-a-cell",
        "semicolons-in-a-name",
    ],
)
def test_the_same_table_however_it_was_written(tmp_path: Path, raw: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(raw)
    rows = [values for _, values in read_text(tmp_path / name).select(("ID", "Note"))]
    assert rows == [["1", "a"], ["2", "b"]]


def test_letters_and_newlines_in_cells_keep_their_line_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes('id,note\n1,"two\nlines"\n2,Müller\n'.encode("latin-1"))
    assert list(read_text(path).select(("id", "note"))) == [(2, ["1", "two\nlines"]), (4, ["2", "Müller"])]
    path.write_bytes("id,note\n2,Müller\n".encode())
    assert list(read_text(path).select(("note",))) == [(2, ["Müller"])]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "has no header line"),
        (b"\n\n1,2\n", "has no header line"),
        (b"id,note\n1,a\n2\n", r"line 3 has 1 values where the header has 2"),
        (b"id,note\n1,a,b\n", r"line 2 has 3 values where the header has 2"),
        (b'id,note\n1,"a\n2,b\n3,c\n', r"line 4 cannot be read: unexpected end of data; is a quote not closed"),
        (b"id,note\n1,\0\n", "is not text"),
        (b"name,note\n1,a\n", r"lacks the column 'id'"),
        (b"id,ID,note\n1,1,a\n", r"lacks the column 'Id'|differ in case alone"),
        (b"note,note,id\n1,1,a\n", r"the column 'note' stands 2 times"),
    ],
)
def test_a_malformed_text_is_one_clear_sentence(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(raw)
    with pytest.raises(KneeoaError, match=message) as caught:
        list(read_text(path).select(("Id" if b"ID" in raw else "id", "note")))
    assert str(path) in str(caught.value)


def test_quotes_between_bars_are_letters(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text('id|note\n1|"open\n2|b\n3|"said" so\n')
    rows = [values for _, values in read_text(tmp_path / "t.txt").rows]
    assert rows == [["1", '"open'], ["2", "b"], ["3", '"said" so']]


def test_a_line_that_names_the_delimiter_counts_as_a_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\nid;note\n1;a\n")
    assert read_text(tmp_path / "t.csv").rows == [(3, ["1", "a"])]


def test_a_near_miss_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("subject_id,side\n1,L\n")
    with pytest.raises(KneeoaError, match=r"lacks the column 'subjct_id'; did you mean 'subject_id'\?"):
        read_text(tmp_path / "t.csv").column("subjct_id")


def test_workbooks_and_parquet_give_the_cells_of_the_text(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "people"
    for row in (["ID", "Grade", "Born"], [9001104, 3.0, None], [None, None, None], ["9001105", "2", 1.5]):
        book.active.append(row)
    book.create_sheet("other").append(["x"])
    book.save(tmp_path / "t.xlsx")
    frame = pd.DataFrame({"ID": pd.array([9001104, 9001105], dtype="Int64"), "Grade": [3.0, 2.0], "Born": [math.nan, 1.5]})
    frame.to_parquet(tmp_path / "t.parquet")
    expected = [["9001104", "3", ""], ["9001105", "2", "1.5"]]
    for name in ("t.xlsx", "t.parquet"):
        assert [values for _, values in read_table(tmp_path / name).select(("id", "grade", "born"))] == expected
    assert [line for line, _ in read_table(tmp_path / "t.xlsx").rows] == [2, 4]
    assert read_table(tmp_path / "t.xlsx", sheet="other").header == ["x"]
    with pytest.raises(KneeoaError, match=r"has no sheet 'third'; it has \['people', 'other'\]"):
        read_table(tmp_path / "t.xlsx", sheet="third")


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet", ".sas7bdat"])
def test_a_damaged_or_missing_file_is_one_clear_sentence(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    with pytest.raises(KneeoaError, match="the table is not there"):
        read_table(path)
    for raw in (b"", b"PK\x03\x04 not really", b"\0" * 2000):
        path.write_bytes(raw)
        with pytest.raises(KneeoaError, match="cannot be read as"):
            read_table(path)


def test_a_file_that_sas_wrote(tmp_path: Path) -> None:
    path = shipped_sas_file()
    table = read_table(path)
    assert (len(table.rows), len(table.header)) == (453, 88)
    other = pd.read_sas(path, encoding="infer")
    for name in ("ID", "AGE", "FEMALE", "PCS1", "I11"):
        place = table.column(name.lower())
        numbers = [float(values[place]) if values[place] else math.nan for _, values in table.rows]
        assert numbers == pytest.approx(other[name].tolist(), nan_ok=True)
    assert table.rows[0][1][table.column("ID")] == "1", "whole numbers carry no point, or no id would be found again"
    (tmp_path / "cut.sas7bdat").write_bytes(path.read_bytes()[:70000])
    with pytest.raises(KneeoaError, match="cannot be read as a SAS table"):
        read_table(tmp_path / "cut.sas7bdat")


def test_sas_values_become_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"id": ["9001104", "9001105"], "side": [1.0, 2.0], "V00XRKL": [3.0, None], "note": [b"M\xfc", math.nan]}
    answer = (columns, SimpleNamespace(column_names=list(columns)))
    monkeypatch.setattr("pyreadstat.read_sas7bdat", lambda *arguments, **options: answer)
    (tmp_path / "t.sas7bdat").touch()
    rows = [values for _, values in read_table(tmp_path / "t.sas7bdat").rows]
    assert rows == [["9001104", "1", "3", "Mü"], ["9001105", "2", "", ""]]


@pytest.mark.parametrize("text", ["", " ", ".", ".A", ".: Missing Form/Incomplete Workbook", "NA", "nan", "<NA>", "None"])
def test_missing_cells(text: str) -> None:
    assert cells.is_missing(text)
    assert cells.code(text) is None
    assert cells.integer(text) is None
    assert cells.identifier(text) is None


def test_codes_numbers_and_names() -> None:
    assert [cells.integer(text) for text in ("1: Right", "3.0", " 2 ", "0: No", "2,0")] == [1, 3, 2, 0, 2]
    assert [cells.identifier(text) for text in ("9001104", "9001104.0", " A-7 ", "007")] == ["9001104", "9001104", "A-7", "007"]
    assert not cells.is_missing(".5")
    for wrong in ("two", "1.5", "inf", "1,5", "1,000", "1_0"):
        with pytest.raises(ValueError, match="not a"):
            cells.integer(wrong)


def test_codes_are_looked_up_by_text_and_as_numbers() -> None:
    sexes = {"1": "M", "2: Female": "F"}
    assert [cells.look_up_cell(text, sexes) for text in ("1", "1.0", "01", "1: Male", "2", "2.0", "2: female")] == [*"MMMM", *"FFF"]
    for text in ("0", "3", "1.5", "2: other", "M", ""):
        with pytest.raises(KeyError):
            cells.look_up_cell(text, sexes)
    answers = {"True": 1, "false": 0}
    assert [cells.look_up_cell(text, answers) for text in ("TRUE", "1", "1.0", "False", "0")] == [1, 1, 1, 0, 0]
    for text, meanings in (("2", answers), ("true", {"1": 0, "2": 1}), ("1", {"no": 0, "yes": 1})):
        with pytest.raises(KeyError):
            cells.look_up_cell(text, meanings)
    assert [cells.is_among(text, ("8", "P")) for text in ("8", "8.0", "p", "88", "")] == [True, True, True, False, False]
    assert [cells.plain(text) for text in ("1.0", "1", "1.5", "C", "007.0")] == ["1", "1", "1.5", "C", "007"]
    assert [cells.project(text) for text in ("15", "15.0", "63A", "15: central", ".", None)] == [15, 15, "63A", 15, None, None]
    assert [cells.split(text) for text in ("valid", "Dev", "VALIDATION", "Train", "holdout")] == ["val", "val", "val", "train", None]


def test_a_pseudonym_is_a_number_only_where_its_whole_column_looks_so() -> None:
    assert cells.identifier("52652e51") == "52652e51"
    with pytest.raises(ValueError, match="lost its digits"):
        cells.identifier("52652e51", lost=True)
    assert cells.identifier("a3f", lost=True) == "a3f"
    assert cells.lost_digits(["52652e51", "", "9E06"])
    assert not cells.lost_digits(["52652e51", "a3f91c02"])
    assert not cells.lost_digits(["", "NA"])


@pytest.mark.parametrize(
    ("text", "message"), [("9.0E+06", "lost its digits"), ("a/b", "cannot name"), ("..", "cannot name"), ("x\ny", "cannot name")]
)
def test_what_cannot_name_a_subject(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cells.identifier(text)


def wide(path: Path, knees: int) -> Path:
    header = "|".join(["ID", "SIDE", *(f"V00X{number}" for number in range(58))])
    path.write_text(header + "\n" + "".join(f"{9000000 + n}|1: Right|{'|'.join(['2: Mild'] * 58)}\r\n" for n in range(knees)))
    return path


def test_a_wide_table_of_thousands_of_knees_costs_no_more_a_knee_than_a_short_one(tmp_path: Path) -> None:
    short, long = wide(tmp_path / "short.txt", 200), wide(tmp_path / "long.txt", 2000)
    assert len(read_text(long).rows) == 2000
    assert calls(lambda: read_text(long)) <= 10 * calls(lambda: read_text(short))
