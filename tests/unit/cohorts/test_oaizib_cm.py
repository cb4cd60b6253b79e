"""Paper A's layout."""

from pathlib import Path

import pytest
from openpyxl import Workbook

from kneeoa.cohorts.oaizib_cm import read
from kneeoa.cohorts.oaizib_cm_paths import file_name, subject_of
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

COHORT = Cohort(reader="oaizib_cm", root="somewhere", tissues={"femoral_cartilage": (2,)})


def table(path: Path, rows: list[tuple[object, object]], header: tuple[str, ...] = ("CMT-ID", "KLGrade")) -> None:
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
