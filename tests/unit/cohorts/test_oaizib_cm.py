"""Paper A's layout."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from kneeoa.cohorts.build import build_cohort
from kneeoa.cohorts.oaizib_cm import read
from kneeoa.cohorts.oaizib_cm_paths import file_name, subject_of
from kneeoa.cohorts.raw_digests import raw_digests
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import CASES

LEVELS = (Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4")),)
COHORT = Cohort(reader="oaizib_cm", root="somewhere", tissues={"femoral_cartilage": (2,)})


def table(path: Path, rows: Sequence[tuple[object, ...]], header: tuple[str, ...] = ("CMT-ID", "KLGrade")) -> None:
    book = Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    book.save(path)


def tree(root: Path, train: list[tuple[object, object]], test: list[tuple[object, object]], files: tuple[str, ...] = ()) -> None:
    table(root / "subInfo_train.xlsx", train)
    table(root / "subInfo_test.xlsx", test)
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_tables_and_files_meet_by_number(tmp_path: Path) -> None:
    files = ("imagesTr/oaizib_001_0000.nii.gz", "labelsTr/oaizib_001.nii.gz", "imagesTs/oaizib_405_0000.nii.gz", "imagesTs/readme.txt")
    tree(tmp_path, [(1, 0), (2, 3.0), ("oaizib_003", "NA")], [(405, 4)], files)
    knees = read(COHORT, tmp_path).knees
    assert sorted(knees) == ["001-R-00m", "002-R-00m", "003-R-00m", "405-R-00m"]
    assert [knee.given_split for _, knee in sorted(knees.items())] == ["train", "train", "train", "test"]
    assert {case: knee.readings["kl"].value for case, knee in knees.items() if knee.readings} == {
        "001-R-00m": (0,),
        "002-R-00m": (3,),
        "405-R-00m": (4,),
    }
    assert [(file.role, file.path) for file in sorted(knees["001-R-00m"].files, key=lambda file: file.role)] == [
        ("image", "imagesTr/oaizib_001_0000.nii.gz"),
        ("mask", "labelsTr/oaizib_001.nii.gz"),
    ]
    assert knees["002-R-00m"].files == []


def test_files_without_a_row_are_knees_too_and_doubles_are_refused(tmp_path: Path) -> None:
    tree(
        tmp_path, [(1, 0)], [(2, 5)], ("a/oaizib_001_0000.nii.gz", "b/oaizib_001_0000.nii.gz", "oaizib_007_0000.nii.gz", "b/oaizib_007.nii")
    )
    knees = read(COHORT, tmp_path).knees
    assert [reason.reason for reason in knees["001-R-00m"].reasons] == ["duplicate-image"]
    assert [reason.reason for reason in knees["002-R-00m"].reasons] == ["invalid-label"]
    assert [file.role for file in knees["007-R-00m"].files] == ["image", "mask"]
    assert knees["007-R-00m"].given_split is None


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([(1, 0), (1, 1)], "CMT-ID 1 stands twice"),
        ([(405, 0)], "CMT-ID 405 stands twice"),
        ([("first", 0)], "line 2 has the CMT-ID 'first'"),
    ],
)
def test_a_knee_stands_in_one_table_once(tmp_path: Path, train: list[tuple[object, object]], message: str) -> None:
    tree(tmp_path, train, [(405, 4)])
    with pytest.raises(KneeoaError, match=message):
        read(COHORT, tmp_path)


def test_missing_damaged_and_foreign_tables_are_said_so(tmp_path: Path) -> None:
    tree(tmp_path, [(1, 0)], [(405, 4)])
    table(tmp_path / "subInfo_train.xlsx", [(1, 0)], ("ID", "Grade"))
    with pytest.raises(KneeoaError, match="expected the columns CMT-ID and KLGrade"):
        read(COHORT, tmp_path)
    (tmp_path / "subInfo_train.xlsx").write_bytes(b"")
    with pytest.raises(KneeoaError, match="cannot be read as an Excel workbook"):
        read(COHORT, tmp_path)
    (tmp_path / "subInfo_train.xlsx").unlink()
    with pytest.raises(KneeoaError, match=r"expected one subInfo_train\.xlsx"):
        read(COHORT, tmp_path)


def test_file_names() -> None:
    assert file_name("oaizib_012_0000.nii.gz") == ("012", "image")
    assert file_name("oaizib_012.nii.gz") == ("012", "mask")
    assert [subject_of(name) for name in ("oaizib_1.nii", "oaizib_x.nii", "imagesTr")] == ["001", None, None]


RELEASED = ("SubjectID", "CMT-ID", "Path", "MRBarCode", "KneeSide", "KLGrade", "Gender", "Age", "BMI")


def people(root: Path, train: list[tuple[object, ...]], test: list[tuple[object, ...]]) -> None:
    """Tables with the release's own columns, and an image and a mask of each row."""
    for split, rows in (("train", train), ("test", test)):
        table(root / f"subInfo_{split}.xlsx", rows, RELEASED)
        for row in rows:
            for name in (f"oaizib_{int(str(row[1])):03d}_0000.nii.gz", f"oaizib_{int(str(row[1])):03d}.nii.gz"):
                (root / name).write_bytes(b"")


def person(number: int, **changes: object) -> tuple[object, ...]:
    """A row of a table."""
    cells = {"SubjectID": 9000100 + number, "CMT-ID": number, "Path": "0.C.2/x", "MRBarCode": "0166", "KneeSide": "right"}
    cells |= {"KLGrade": 2, "Gender": "F", "Age": 61, "BMI": 27.5} | changes
    return tuple(cells.values())


def test_the_tables_tell_who_each_knee_is_of(tmp_path: Path) -> None:
    train = [person(1), person(2, KneeSide="left", Gender="M", Age=70.0), person(12, SubjectID=None, Gender="", Age="NaN")]
    people(tmp_path, train, [person(3, SubjectID="9000103.0", Gender="Male", KneeSide="Right", Age="55")])
    knees = read(COHORT, tmp_path).knees
    assert {case: (knee.subject, knee.side, knee.sex, knee.age, knee.given_split, knee.filed_under) for case, knee in knees.items()} == {
        "9000101-R-00m": ("9000101", "R", "F", 61.0, "train", "001"),
        "9000102-L-00m": ("9000102", "L", "M", 70.0, "train", "002"),
        "012-R-00m": ("012", "R", None, None, "train", "012"),
        "9000103-R-00m": ("9000103", "R", "M", 55.0, "test", "003"),
    }
    assert sorted(file.path for file in knees["9000102-L-00m"].files) == ["oaizib_002.nii.gz", "oaizib_002_0000.nii.gz"]
    assert not any(knee.reasons for knee in knees.values())


@pytest.mark.parametrize(
    ("changes", "sex", "age"),
    [({"Gender": "?"}, None, 61.0), ({"Age": "90+"}, "F", None), ({"Age": "inf"}, "F", None), ({"Gender": "x", "Age": "old"}, None, None)],
)
def test_an_odd_cell_of_a_person_is_empty_and_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, changes: dict[str, object], sex: str | None, age: float | None
) -> None:
    people(tmp_path, [person(1, **changes), person(2)], [person(3)])
    knees = read(COHORT, tmp_path).knees
    assert (knees["9000101-R-00m"].sex, knees["9000101-R-00m"].age) == (sex, age)
    assert (knees["9000102-R-00m"].sex, knees["9000102-R-00m"].age) == ("F", 61.0)
    assert all(f"{column} of 1 knees" in caplog.text for column in changes)
    assert not knees["9000101-R-00m"].reasons


@pytest.mark.parametrize(
    ("changes", "words"), [({"KneeSide": "both"}, "KneeSide is 'both'"), ({"SubjectID": "9.0E+06"}, "lost its digits")]
)
def test_a_row_that_does_not_say_who_it_is_leaves_that_knee_out_alone(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    people(tmp_path, [person(1, **changes), person(2)], [person(3)])
    knees = read(COHORT, tmp_path).knees
    left_out = [knee for knee in knees.values() if knee.reasons]
    assert [(knee.filed_under, knee.reasons[0].reason) for knee in left_out] == [("001", "unknown-knee")]
    assert words in left_out[0].reasons[0].detail
    assert "CMT-ID 1" in left_out[0].reasons[0].detail


def test_two_numbers_of_one_knee(tmp_path: Path) -> None:
    people(tmp_path, [person(1), person(7, SubjectID=9000101)], [person(3)])
    knee = read(COHORT, tmp_path).knees["9000101-R-00m"]
    assert [reason.reason for reason in knee.reasons] == ["duplicate-image", "duplicate-mask"]
    people(tmp_path, [person(1)], [person(7, SubjectID=9000101)])
    with pytest.raises(KneeoaError, match="9000101-R-00m is in the tables of train and test knees"):
        read(COHORT, tmp_path)


def test_a_changed_file_reruns_the_shard_that_its_case_is_in(tmp_path: Path) -> None:
    cohort = Cohort(reader="oaizib_cm", root="somewhere", shards=7)
    people(tmp_path, [person(number) for number in range(1, 9)], [person(9)])
    out = {name: tmp_path / "out" / f"{name}.parquet" for name in ("cases", "images", "labels", "exclusions")}
    (tmp_path / "out").mkdir()
    build_cohort(cohort, "cm", tmp_path, LEVELS, **out)
    shards = dict(CASES.read(out["cases"])[["subject", "shard"]].itertuples(index=False, name=None))
    for number in range(1, 10):
        before = raw_digests(tmp_path, cohort)
        (tmp_path / f"oaizib_{number:03d}_0000.nii.gz").write_bytes(b"x" * number)
        after = raw_digests(tmp_path, cohort)
        assert {shard for shard in before if before[shard] != after[shard]} == {shards[str(9000100 + number)]}


def test_tables_saved_as_text(tmp_path: Path) -> None:
    people(tmp_path, [person(1)], [person(3)])
    for split, number in (("train", 1), ("test", 3)):
        (tmp_path / f"subInfo_{split}.xlsx").unlink()
        lines = [",".join(RELEASED), ",".join(map(str, person(number)))]
        (tmp_path / f"subInfo_{split}.csv").write_text("\n".join(lines))
    assert sorted(read(COHORT, tmp_path).knees) == ["9000101-R-00m", "9000103-R-00m"]
