"""A folder of grades, with the source's splits or without."""

from pathlib import Path

import pytest

from kneeoa.cohorts.grades_folder import read
from kneeoa.cohorts.grades_folder_paths import attribution, grade_of, picture_name, words_are_grades
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
    touch(tmp_path, "0Normal/NormalG0 (1).png", "0Normal/NormalG0 (2).png", "1Doubtful/DoubtfulG1 (1).png", "0Normal/NORMAL_1.png")
    touch(tmp_path, "1Doubtful/SevereG4 (1).png", "1Doubtful/Severe 12.png", "0Normal/NORMAL.png", "0Normal/9000101L_flip.png")
    source = read(COHORT, tmp_path)
    assert {case: knee.readings["kl"].value for case, knee in source.knees.items()} == {
        "NormalG0-1-X-00m": (0,),
        "NormalG0-2-X-00m": (0,),
        "DoubtfulG1-1-X-00m": (1,),
        "0Normal-NORMAL-1-X-00m": (0,),
    }
    assert [reason.reason for reason in source.loose] == ["unknown-file"] * 4
    assert "4 pictures name no person" in caplog.text
    assert "4 pictures name no side" in caplog.text


def test_a_person_without_a_side_is_read_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    touch(tmp_path, "train/0/9001108.png", "train/0/KL0_9001109_left.jpg", "train/4/9001110L (2).png", "test/1/knee 9001111.TIFF")
    source = read(COHORT, tmp_path)
    assert source.loose == []
    assert {case: (knee.subject, knee.files[0].format) for case, knee in source.knees.items()} == {
        "9001108-X-00m": ("9001108", "png"),
        "9001109-L-00m": ("9001109", "jpeg"),
        "9001110-L-00m": ("9001110", "png"),
        "knee-9001111-X-00m": ("knee-9001111", "tiff"),
    }
    assert "2 pictures name no side" in caplog.text
    assert "name no person" not in caplog.text


def test_counters_of_several_folders_are_several_people_and_numbers_of_people_are_not(tmp_path: Path) -> None:
    touch(tmp_path, "0/1.png", "1/1.png", "0/img_00012.jpg", "3/img_00012.jpg", "0/9000001.png", "2/9000001_2.png")
    source = read(COHORT, tmp_path)
    assert sorted(case for case, knee in source.knees.items() if knee.files) == [
        "0-1-X-00m", "0-img-00012-X-00m", "1-1-X-00m", "3-img-00012-X-00m",
    ]  # fmt: skip
    (reason,) = source.knees["9000001-X-00m"].reasons
    assert reason.reason == "duplicate-image"
    assert "one person, whose names give no side" in reason.detail


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
    names = ("0", "4", "2Mild", "2_minimal", "3-Moderate", "0normal", "KL2", "KL_3", "kl grade IV", "Grade 1", "KL-0")
    assert [grade_of(name) for name in names] == [0, 4, 2, 2, 3, 0, 2, 3, 4, 1, 0]
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


@pytest.mark.parametrize(
    ("name", "subject", "side"),
    [
        ("9001104R.png", "9001104", "R"),
        ("9001104_L.png", "9001104", "L"),
        ("9001104RIGHT.jpeg", "9001104", "R"),
        ("9001104R_2.png", "9001104", "R"),
        ("9001104l (1).bmp", "9001104", "L"),
        ("9001104R_png.rf.3f2a9c01.jpg", "9001104", "R"),
        ("P-7R.png", "P-7", "R"),
        ("right_9001104.tif", "9001104", "R"),
        ("OAI_9001104_12m_LEFT.png", "OAI-9001104", "L"),
        ("9001104_V03_AP.png", "9001104", None),
        ("LKNEE 12.png", "12", "L"),
        ("grade3_site-A_0012_R.jpg", "site-A-0012", "R"),
        ("left (3).png", "3", "L"),
        ("knee_L_12.png", "knee-12", "L"),
        ("12left.png", "12", "L"),
        ("IMG-20190312-WA0012.jpg", "train-3-IMG-20190312-WA0012", None),
        ("3f9c2a1b-77aa-4c1d-9e21-0a1b2c3d4e5f.png", "train-3-3f9c2a1b-77aa-4c1d-9e21-0a1b2c3d4e5f", None),
        ("1.2.840.113619.2.5.7.dcm", "1.2.840.113619.2.5.7", None),
        ("\u60a3\u8005 12.png", "train-3-\u60a3\u8005-12", None),
    ],
)
def test_names_of_pictures(name: str, subject: str, side: str | None) -> None:
    picture = picture_name(f"train/3/{name}")
    assert (picture.subject, picture.side) == (subject, side)
    assert attribution(Path("somewhere"), COHORT)(name, f"train/3/{name}") == subject


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("9001104R.txt", "no picture"),
        ("9001104R.gif", "no picture"),
        ("9001104L_flip.png", "altered"),
        ("9001104R_mask.png", "altered"),
        ("rot90_9001104R.png", "altered"),
        ("L0012.png", "may be a side"),
        ("left12.png", "may be a side"),
        ("9001104_L_R.png", "may be a side"),
        ("visit_L_12.png", "may be a side"),
        ("series_12L.png", "may be a side"),
        ("\u5de6\u819d 12.png", "may be a side"),
        ("notes.png", "gives no person"),
        ("NORMAL.png", "gives no person"),
    ],
)
def test_names_that_are_not_read(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        picture_name(f"3/{name}")
    assert attribution(Path("somewhere"), COHORT)(name, f"3/{name}") is None
