"""A folder of grades, with the source's splits or without."""

from pathlib import Path

import pytest

from kneeoa.cohorts.grades_folder import read
from kneeoa.cohorts.grades_folder_paths import knee_of
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

COHORT = Cohort(reader="grades_folder", root="somewhere", views=("pa",))


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def test_folders_tell_grade_and_split(tmp_path: Path) -> None:
    touch(tmp_path, "train/0/9000001L.png", "train/4/9000001R.png", "val/2/9000002_R.png", "test/3/9000003L.PNG", "readme.txt")
    source = read(COHORT, tmp_path)
    assert source.loose == []
    assert {case: (knee.readings["kl"].value, knee.given_split) for case, knee in source.knees.items()} == {
        "9000001-L-00m": ((0,), "train"),
        "9000001-R-00m": ((4,), "train"),
        "9000002-R-00m": ((2,), "val"),
        "9000003-L-00m": ((3,), "test"),
    }
    (file,) = source.knees["9000003-L-00m"].files
    assert (file.path, file.format, file.shows, file.view) == ("test/3/9000003L.PNG", "png", "knee", "pa")


def test_plain_grades_have_no_split_and_strangers_are_told_of(tmp_path: Path) -> None:
    touch(tmp_path, "1/9000001L.png", "2/notes.png", "2/9000002R.gif", "auto_test/0/9000003R.png")
    source = read(COHORT, tmp_path)
    assert [(case, knee.given_split) for case, knee in source.knees.items()] == [("9000001-L-00m", None)]
    assert sorted(reason.reason for reason in source.loose) == ["unknown-file", "unknown-file", "unknown-folder"]


def test_pictures_of_any_format_are_read(tmp_path: Path) -> None:
    touch(tmp_path, "0/9000001L.jpg", "1/9000002R.JPEG", "2/9000003L.tif", "3/9000004R.TIFF", "4/9000005L.bmp")
    source = read(COHORT, tmp_path)
    assert source.loose == []
    assert [knee.files[0].format for knee in source.knees.values()] == ["jpeg", "jpeg", "tiff", "tiff", "bmp"]


def test_one_knee_in_two_folders_is_refused_and_its_grades_disagree(tmp_path: Path) -> None:
    touch(tmp_path, "1/9000001L.png", "3/9000001L.png")
    knee = read(COHORT, tmp_path).knees["9000001-L-00m"]
    assert [reason.reason for reason in knee.reasons] == ["duplicate-image"]
    assert knee.files == []
    assert knee.readings["kl"].disagreement


def test_another_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    touch(tmp_path, "images/9000001L.png")
    with pytest.raises(KneeoaError, match="has no folder of a grade"):
        read(COHORT, tmp_path)
    with pytest.raises(KneeoaError, match="offers one view at one visit"):
        read(COHORT.model_copy(update={"views": ("pa", "lateral")}), tmp_path)


def test_names() -> None:
    assert [knee_of(name) for name in ("9001104R.png", "9001104_L.png", "P-7R.png", "9001104.png", "9001104R.txt")] == [
        ("9001104", "R"),
        ("9001104", "L"),
        None,
        None,
        None,
    ]
