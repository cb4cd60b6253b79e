"""A folder of grades, with the source's splits or without."""

from pathlib import Path

import pytest

from kneeoa.cohorts.grades_folder import read
from kneeoa.cohorts.grades_folder_paths import grade_of, knee_of, words_are_grades
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


def test_words_of_grades_and_splits_in_names_of_folders(tmp_path: Path) -> None:
    places = ("Train/0Normal/9000001L.png", "valid/1_doubtful/9000002r.png", "dev/2Mild/9000003_left.png", "TEST/4Severe/9000004l.png")
    touch(tmp_path, *places, "Train/5Normal/9000005L.png", "3 months/9000006L.png", "\u00b2/9000007L.png")
    source = read(COHORT, tmp_path)
    assert {case: (knee.readings["kl"].value, knee.given_split) for case, knee in source.knees.items()} == {
        "9000001-L-00m": ((0,), "train"),
        "9000002-R-00m": ((1,), "val"),
        "9000003-L-00m": ((2,), "val"),
        "9000004-L-00m": ((4,), "test"),
    }
    assert sorted((reason.reason, reason.detail.split(":")[0]) for reason in source.loose) == [
        ("unknown-folder", "3 months/"),
        ("unknown-folder", "Train/5Normal/"),
        ("unknown-folder", "\u00b2/"),
    ]


def test_numbered_pictures_are_a_person_each_and_words_no_knee(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "0Normal/NormalG0 (1).png", "0Normal/NormalG0 (2).png", "1Doubtful/DoubtfulG1 (1).png")
    touch(tmp_path, "1Doubtful/SevereG4 (1).png", "0Normal/NORMAL.png", "0Normal/NORMAL_1.png", "0Normal/9000101L_flip.png")
    source = read(COHORT, tmp_path)
    assert {case: knee.readings["kl"].value for case, knee in source.knees.items()} == {
        "NormalG0-1-X-00m": (0,),
        "NormalG0-2-X-00m": (0,),
        "DoubtfulG1-1-X-00m": (1,),
    }
    assert [reason.reason for reason in source.loose] == ["unknown-file"] * 4
    assert "3 pictures name no person" in caplog.text


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


def test_grades_of_folders() -> None:
    names = ("0", "4", "2Mild", "2_minimal", "3-Moderate", "0normal", "KL2", "KL_3", "kl grade IV", "Grade 1")
    assert [grade_of(name) for name in names] == [0, 4, 2, 2, 3, 0, 2, 3, 4, 1]
    for name in ("", "Normal", "2Severe", "2nd", "KL5", "II", "KL 23", "KL2b", "2 months", "\u00b2", "1.5", "2Mild2"):
        assert grade_of(name) is None


def test_words_alone_are_grades_where_all_five_are_there(tmp_path: Path) -> None:
    words = ("Normal", "Doubtful", "Mild", "Moderate", "SEVERE")
    touch(tmp_path, *(f"train/{word}/900000{number}L.png" for number, word in enumerate(words)), "test/normal/9000009L.png")
    source = read(COHORT, tmp_path)
    assert [knee.readings["kl"].value for knee in source.knees.values()] == [(0,), (1,), (2,), (3,), (0,), (4,)]
    assert source.loose == []
    for three in (("Normal", "Moderate", "Severe"), ("Healthy", "Doubtful", "Mild", "Minimal", "Severe")):
        assert not words_are_grades(three)


def test_names() -> None:
    assert [knee_of(name) for name in ("9001104R.png", "9001104_L.png", "P-7R.png", "9001104.png", "9001104R.txt")] == [
        ("9001104", "R"),
        ("9001104", "L"),
        None,
        None,
        None,
    ]
