"""OAI's layout: what is read, which reading counts, and what becomes of what cannot be used."""

from pathlib import Path

import pytest

from kneeoa.cohorts.oai import read
from kneeoa.cohorts.oai_paths import mask_name, subject_of, visit_of
from kneeoa.cohorts.source import Knee
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from tests.unit.cohorts.oai_tree import image, reading, series, write_tree


def cohort(**changes: object) -> Cohort:
    return Cohort.model_validate({"reader": "oai", "root": "somewhere", "tissues": {"femoral_cartilage": [2]}} | changes)


def reasons(knee: Knee) -> list[tuple[str, str]]:
    return [(reason.reason, reason.scope) for reason in knee.reasons]


def test_series_of_the_view_are_found_with_side_and_format(tmp_path: Path) -> None:
    contents = [
        series("9000001", "LEFT", "10000001", blank=" "),
        series("9000002", "RIGHT", "01660000001"),
        series("9000002", "RIGHT", "10000005", name="COR_IW_TSE"),
    ]
    write_tree(tmp_path, contents, [reading("9000001", "2: Left", "3"), reading("9000002", "1", "0")])
    image(tmp_path, "9000001", "10000001")
    image(tmp_path, "9000001", "10000001", "002")
    image(tmp_path, "9000002", "01660000001", "knee.nii.gz")
    knees = read(cohort(), tmp_path).knees
    assert sorted(knees) == ["9000001-L-00m", "9000002-R-00m"]
    (left,), (right,) = knees["9000001-L-00m"].files, knees["9000002-R-00m"].files
    assert (left.path, left.format, left.role) == ("00m/0.C.2/9000001/20040101/10000001", "dicom", "image")
    assert (right.path, right.format) == ("00m/0.C.2/9000002/20040101/01660000001/knee.nii.gz", "nifti")
    assert knees["9000001-L-00m"].readings["kl"].value == (3,)


@pytest.mark.parametrize("visit", ["00m/", ""])
def test_folder_may_or_may_not_lie_below_the_visit(tmp_path: Path, visit: str) -> None:
    write_tree(tmp_path, [series("9000001", "LEFT")], [])
    image(tmp_path, "9000001", visit=visit)
    assert read(cohort(), tmp_path).knees["9000001-L-00m"].files[0].path == f"{visit}0.C.2/9000001/20040101/10000000"


def test_other_visits_are_left_out_and_later_ones_have_their_own_table(tmp_path: Path) -> None:
    late = series("9000002", "LEFT").replace("0.C.2", "3.C.2")
    write_tree(tmp_path, [series("9000001", "LEFT"), late], [])
    image(tmp_path, "9000001")
    assert sorted(read(cohort(), tmp_path).knees) == ["9000001-L-00m"]
    (tmp_path / "kxr_sq_bu03.txt").write_text("id|side|readprj|v03xrkl\n9000002|2|15|4\n")
    folder = tmp_path / "24m/3.C.2/9000002/20040101/10000000"
    folder.mkdir(parents=True)
    (folder / "001").write_bytes(b"x")
    knee = read(cohort(visits=["24m"]), tmp_path).knees["9000002-L-24m"]
    assert knee.readings["kl"].value == (4,)
    assert len(knee.files) == 1


@pytest.mark.parametrize(
    ("rows", "project", "value", "count", "disagreement"),
    [
        ([("2", 37), ("3", 15)], 37, 2, 2, True),
        ([("2", 37), ("3", 15)], None, 3, 2, True),
        ([("2", 37), ("3", 15)], 42, 3, 2, True),
        ([("2: Definite", 37), ("2", 15)], 15, 2, 2, False),
        ([(".: Missing Form/Incomplete Workbook", 15), ("4", 37)], 15, 4, 1, False),
        ([("1", 15), ("2", 15)], 15, 1, 2, True),
    ],
)
def test_of_several_readings_the_preferred_project_counts(
    tmp_path: Path, rows: list[tuple[str, int]], project: int | None, value: int, count: int, disagreement: bool
) -> None:
    write_tree(tmp_path, [], [reading("9000001", "1: Right", grade, number) for grade, number in rows])
    kl = read(cohort(reading_project=project), tmp_path).knees["9000001-R-00m"].readings["kl"]
    assert (kl.value, kl.count, kl.disagreement) == ((value,), count, disagreement)


@pytest.mark.parametrize("missing", [".", "", ".: Missing Form/Incomplete Workbook", ".A"])
def test_a_missing_grade_is_no_reading(tmp_path: Path, missing: str) -> None:
    write_tree(tmp_path, [], [reading("9000001", "1", missing)])
    assert read(cohort(), tmp_path).knees["9000001-R-00m"].readings == {}


@pytest.mark.parametrize("wrong", ["5", "-1", "1.5", "two"])
def test_an_impossible_grade_is_a_reason_not_a_crash(tmp_path: Path, wrong: str) -> None:
    write_tree(tmp_path, [], [reading("9000001", "1", wrong)])
    knee = read(cohort(), tmp_path).knees["9000001-R-00m"]
    assert reasons(knee) == [("invalid-label", "case")]
    assert knee.readings == {}


def test_missing_empty_and_double_images_get_their_reasons(tmp_path: Path) -> None:
    contents = [series("9000001", "LEFT"), series("9000002", "LEFT"), series("9000003", "LEFT", "1"), series("9000003", "LEFT", "2")]
    contents += [series("9000004", "LEFT"), series("9000004", "LEFT")]
    write_tree(tmp_path, contents, [])
    (tmp_path / "00m/0.C.2/9000002/20040101/10000000").mkdir(parents=True)
    for barcode in ("1", "2"):
        image(tmp_path, "9000003", barcode)
    image(tmp_path, "9000004")
    knees = read(cohort(), tmp_path).knees
    assert reasons(knees["9000001-L-00m"]) == [("missing-file", "case")]
    assert reasons(knees["9000002-L-00m"]) == [("missing-file", "case")]
    assert reasons(knees["9000003-L-00m"]) == [("duplicate-image", "case")]
    assert reasons(knees["9000004-L-00m"]) == []  # one folder listed twice is one image


def test_links_that_lead_nowhere_do_not_cost_a_series(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("9000001", "LEFT")], [])
    folder = image(tmp_path, "9000001").parent
    (folder / "itself").symlink_to(folder / "itself")
    (folder / "gone").symlink_to(folder / "nowhere")
    assert [file.format for file in read(cohort(), tmp_path).knees["9000001-L-00m"].files] == ["dicom"]


def test_masks_are_found_by_name_and_two_of_one_knee_are_refused(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("9000001", "LEFT")], [])
    image(tmp_path, "9000001")
    for name in (
        "a/9000001_L_V00.mha",
        "9000002_R_V00.nii.gz",
        "b/9000002_R_V00.nrrd",
        "9000003_R_V03.nrrd",
        "notes.txt",
        "9000004_R_V00.raw",
    ):
        path = tmp_path / "masks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    knees = read(cohort(), tmp_path).knees
    assert sorted(knees) == ["9000001-L-00m", "9000002-R-00m"]
    assert [(file.role, file.path, file.format) for file in knees["9000001-L-00m"].files if file.role == "mask"] == [
        ("mask", "masks/a/9000001_L_V00.mha", "meta")
    ]
    assert reasons(knees["9000002-R-00m"]) == [("duplicate-mask", "mask")]
    assert all(file.role == "image" for file in read(cohort(tissues={}), tmp_path).knees["9000001-L-00m"].files)


def test_people_come_from_the_enrolment_table(tmp_path: Path) -> None:
    write_tree(tmp_path, [], [reading("9000001", "1", "2")])
    (tmp_path / "enrollees.txt").write_text("id|V00SITE|P02SEX|V00AGE\n9000001|C|2: Female|61\n")
    knee = read(cohort(), tmp_path).knees["9000001-R-00m"]
    assert (knee.site, knee.sex, knee.age) == ("C", "F", 61.0)


def test_cells_that_a_spreadsheet_wrote_as_floats_are_codes(tmp_path: Path) -> None:
    write_tree(tmp_path, [], [reading("9000001.0", "1.0", "2.0"), reading("9000001.0", "2.0", "1.0")])
    (tmp_path / "enrollees.txt").write_text("id|V00SITE|P02SEX|V00AGE\n9000001.0|3.0|2.0|61.0\n")
    knees = read(cohort(), tmp_path).knees
    assert {case: knee.readings["kl"].value for case, knee in knees.items()} == {"9000001-R-00m": (2,), "9000001-L-00m": (1,)}
    knee = knees["9000001-R-00m"]
    assert (knee.site, knee.sex, knee.age) == ("3", "F", 61.0)


def test_an_odd_age_or_sex_is_empty_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_tree(tmp_path, [], [reading("9000001", side, "2") for side in "12"] + [reading("9000002", "1", "2")])
    (tmp_path / "enrollees.txt").write_text("id|P02SEX|V00AGE\n9000001|3|90+\n9000002|1|63\n")
    knees = read(cohort(), tmp_path).knees
    assert {case: (knee.sex, knee.age) for case, knee in knees.items()} == {
        "9000001-R-00m": (None, None),
        "9000001-L-00m": (None, None),
        "9000002-R-00m": ("M", 63.0),
    }
    for key, column in (("age", "V00AGE"), ("sex", "P02SEX")):
        assert f"enrollees.txt: 1 cells of column '{column}' are no {key}, the first in line 2" in caplog.text


def test_projects_with_letters_are_projects(tmp_path: Path) -> None:
    rows = ["9000001|1|63B|0.8|1|3", "9000001|1|63A|0.8|1|2"]
    write_tree(tmp_path, [], rows)
    assert read(cohort(), tmp_path).knees["9000001-R-00m"].readings["kl"].value == (2,)
    kl = read(cohort(reading_project=["63B"]), tmp_path).knees["9000001-R-00m"].readings["kl"]
    assert (kl.value, kl.votes) == ((3,), ("63B:3", "63A:2"))


def test_two_copies_of_a_table_are_one_where_they_are_equal(tmp_path: Path) -> None:
    write_tree(tmp_path, [], [reading("9000001", "1", "2")])
    table = tmp_path / "kxr_sq_bu00.txt"
    content = table.read_bytes()
    table.unlink()
    for folder in ("X-Ray Image Assessments_ASCII/Semi-Quant Scoring_ASCII", "archive"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "kXR_SQ_BU00.txt").write_bytes(content)
    assert read(cohort(), tmp_path).knees["9000001-R-00m"].readings["kl"].value == (2,)
    (tmp_path / "archive/kXR_SQ_BU00.txt").write_bytes(content.replace(b"|2\r", b"|4\r"))
    with pytest.raises(KneeoaError, match=r"two tables kxr_sq_bu00 that differ, archive/kXR_SQ_BU00.txt and X-Ray"):
        read(cohort(), tmp_path)


def test_rows_that_name_no_knee_are_kept_apart(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("12", "LEFT")], [reading("9000001", "9: Unknown", "2"), reading("x", "1", "2")])
    source = read(cohort(), tmp_path)
    assert source.knees == {}
    assert sorted(reason.reason for reason in source.loose) == ["unknown-knee", "unknown-knee", "unknown-series"]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda root: (root / "contents.csv").unlink(), "has no contents.csv"),
        (lambda root: (root / "kxr_sq_bu00.txt").unlink(), "has no kxr_sq_bu00.txt"),
        (lambda root: (root / "kxr_sq_bu00.txt").write_text("ID|SIDE\n9000001|1\n"), "lacks the column"),
        (lambda root: (root / "kxr_sq_bu00.txt").write_text("ID|SIDE|V00XRKL\n9000001|1\n"), "line 2 has 2 values"),
        (lambda root: (root / "contents.csv").write_text("a;b\n"), "lacks the column"),
    ],
)
def test_a_wrong_table_is_one_clear_sentence(tmp_path: Path, break_it, message: str) -> None:  # type: ignore[no-untyped-def]
    write_tree(tmp_path, [series("9000001", "LEFT")], [])
    break_it(tmp_path)
    with pytest.raises(KneeoaError, match=message):
        read(cohort(), tmp_path)


@pytest.mark.parametrize(
    ("change", "message"), [({"views": ["coronal"]}, "'views' names 'coronal'"), ({"visits": ["13m"]}, "'visits' names '13m'")]
)
def test_views_and_visits_are_oais(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(KneeoaError, match=message):
        read(cohort(**change), tmp_path)


def test_names_tell_subject_visit_and_format() -> None:
    assert mask_name("9001104_R_V00.nii.gz") == ("9001104", "R", "00m", "nifti")
    assert mask_name("9001104_L_V03.mhd") == ("9001104", "L", "24m", "meta")
    assert mask_name("9001104_L_V03.raw") == ("9001104", "L", "24m", None)
    assert mask_name("9001104_L_V07.mhd") is None
    assert mask_name("x9001104_R_V00.nii.gz") is None
    assert [subject_of(name) for name in ("9001104", "9001104_R_V00.raw", "20040101", "001", "0.C.2")] == [
        "9001104",
        "9001104",
        *[None] * 3,
    ]
    assert [visit_of(folder) for folder in ("0.C.2/9000001", "10.C.2/9", "00m/9.9.9/9", "9000001/x", "7.C.2/9")] == [
        "00m",
        "96m",
        "00m",
        None,
        None,
    ]
