"""OAI as the archive delivers it: ``image03.txt``, one archive a series, bilateral radiographs,
findings, SAS tables, landmarks.
"""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kneeoa.cohorts.landmarks import add_landmarks
from kneeoa.cohorts.oai import read
from kneeoa.cohorts.source import File
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from tests.unit.cohorts.oai_tree import image, series, write_tree

PA = "Bilateral PA Fixed Flexion Knee"
HEADER = ["src_subject_id", "interview_date", "image03_id", "image_description", "comments_misc", "image_file"]
DESCRIPTIONS = ["Subject ID how it's defined in lab/project", "Date of interview", "Id", "Image description", "Comments", "Data file"]


def archive_index(root: Path, *rows: tuple[str, str, str]) -> None:
    """Write ``image03.txt`` from (participant, description, path of the archive in its bucket)."""
    lines = [HEADER, DESCRIPTIONS, *([who, "01/01/2004", "7", what, "", f"s3://bucket/submission_1/{where}"] for who, what, where in rows)]
    root.mkdir(parents=True, exist_ok=True)
    (root / "image03.txt").write_text("\n".join("\t".join(f'"{cell}"' for cell in line) for line in lines) + "\n")


def cohort(**changes: Any) -> Cohort:
    return Cohort.model_validate({"reader": "oai", "root": "somewhere", "views": ["sag_dess", "pa"]} | changes)


def touch(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def kxr(root: Path, *rows: str, header: str = "ID|SIDE|READPRJ|V00XRKL|V00XRJSM|V00XRJSL|V00XROSFM|V00XROSTM") -> None:
    (root / "kxr_sq_bu00.txt").write_text("".join(f"{row}\r\n" for row in [header, *rows]))


@pytest.mark.parametrize("prefix", ["", "image03/", "results/"])
def test_an_archive_is_found_by_the_path_below_its_bucket(tmp_path: Path, prefix: str) -> None:
    where = "00m/0.C.2/9000001/20040101/10000001.tar.gz"
    archive_index(tmp_path, ("9000001", "SAG_3D_DESS_LEFT", where), ("9000001", "COR_IW_TSE_LEFT", "00m/0.C.2/9000001/20040101/2.tar.gz"))
    kxr(tmp_path, "9000001|2: Left|15|3|0|0|0|0")
    touch(tmp_path / prefix / where)
    source = read(cohort(views=["sag_dess"]), tmp_path)
    assert source.loose == []
    assert source.knees["9000001-L-00m"].files == [File("sag_dess", "image", prefix + where, "dicom-archive")]


def archive_readings(root: Path, *rows: tuple[str, str, str, str, str]) -> None:
    """Write ``kxrsq01.txt`` from (participant, visit, side, project, grade)."""
    head, text = ("src_subject_id", "visit", "side", "readprj", "xrkl"), ("Subject ID", "Visit name", "Side", "Project", "Grade")
    (root / "kxrsq01.txt").write_text("".join("\t".join(f'"{cell}"' for cell in line) + "\n" for line in (head, text, *rows)))


def test_the_archives_own_table_has_the_readings_of_all_visits(tmp_path: Path) -> None:
    places = {visit: f"{visit}/{number}.E.1/9000001/20040101/1.tar.gz" for visit, number in (("00m", 0), ("24m", 3))}
    archive_index(tmp_path, *(("9000001", PA, place) for place in places.values()))
    for place in places.values():
        touch(tmp_path / place)
    rows = [("9000001", "00m", "1", "15", "2"), ("9000001", "V00", "2.0", "15.0", "1.0"), ("9000001", "24m", "1: Right", "63A", "3")]
    archive_readings(tmp_path, *rows)
    source = read(cohort(views=["pa"], visits=["00m", "24m"]), tmp_path)
    assert source.loose == []
    grades = {case: knee.readings["kl"].value for case, knee in source.knees.items() if knee.readings}
    assert grades == {"9000001-R-00m": (2,), "9000001-L-00m": (1,), "9000001-R-24m": (3,)}
    assert source.knees["9000001-R-24m"].files == [File("pa", "image", places["24m"], "dicom-archive", "both")]
    with pytest.raises(
        KneeoaError, match=r"kxrsq01\.txt: has no row of visit 48m; the column 'visit' has .*'00m' \(1\), 'V00' \(1\), '24m' \(1\)"
    ):
        read(cohort(views=["pa"], visits=["48m"]), tmp_path)


def test_an_unpacked_archive_and_one_that_is_not_there(tmp_path: Path) -> None:
    names = ("9000001", "9000002")
    archive_index(tmp_path, *((name, "SAG_3D_DESS_RIGHT", f"00m/0.C.2/{name}/20040101/1.tar.gz") for name in names))
    kxr(tmp_path)
    touch(tmp_path / "0.C.2/9000001/20040101/1/001")
    knees = read(cohort(views=["sag_dess"]), tmp_path).knees
    assert knees["9000001-R-00m"].files == [File("sag_dess", "image", "0.C.2/9000001/20040101/1", "dicom")]
    assert [reason.reason for reason in knees["9000002-R-00m"].reasons] == ["missing-file"]


def test_a_bilateral_radiograph_is_an_image_of_both_knees(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("9000001", "LEFT", "1"), series("9000001", "X", "2").replace("SAG_3D_DESS_X", f"{PA} ")], [])
    image(tmp_path, "9000001", "1")
    image(tmp_path, "9000001", "2")
    knees = read(cohort(), tmp_path).knees
    film = File("pa", "image", "00m/0.C.2/9000001/20040101/2/001", "dicom-file", "both")
    assert knees["9000001-R-00m"].files == [film]
    assert knees["9000001-L-00m"].files[1:] == [film]


@pytest.mark.parametrize(
    "names",
    [
        ["001.json"], ["readme.txt"], ["README"], ["Thumbs.db"], ["DICOMDIR"], ["001.jpg"], ["preview.PNG"], ["MD5SUMS"], [".DS_Store"],
        ["desktop.ini", "VERSION", "index.html"],
    ],
)  # fmt: skip
def test_what_lies_beside_a_radiograph_is_no_other_one(tmp_path: Path, names: list[str]) -> None:
    write_tree(tmp_path, [series("9000001", "X", "2").replace("SAG_3D_DESS_X", PA)], [])
    for name in ("001", *names):
        image(tmp_path, "9000001", "2", name)
    knees = read(cohort(views=["pa"]), tmp_path).knees
    film = File("pa", "image", "00m/0.C.2/9000001/20040101/2/001", "dicom-file", "both")
    assert [knees[f"9000001-{side}-00m"].files for side in "LR"] == [[film]] * 2


def test_of_several_files_the_volumes_stage_finds_the_radiograph(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("9000001", "X", "2").replace("SAG_3D_DESS_X", PA)], [])
    for name in ("001", "002"):
        image(tmp_path, "9000001", "2", name)
    files = read(cohort(views=["pa"]), tmp_path).knees["9000001-R-00m"].files
    assert files == [File("pa", "image", "00m/0.C.2/9000001/20040101/2", "dicom", "both")]


def test_previews_beside_slices_are_no_images_and_alone_they_are(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("9000001", "LEFT"), series("9000002", "LEFT"), series("9000003", "LEFT")], [])
    for subject, names in (("9000001", ["001", "002", "001.png"]), ("9000002", ["001.png"]), ("9000003", ["00000001/001"])):
        for name in names:
            image(tmp_path, subject, file=name)
    knees = read(cohort(views=["sag_dess"]), tmp_path).knees
    files = [[(file.path.rpartition("/")[2], file.format) for file in knees[f"900000{n}-L-00m"].files] for n in (1, 2, 3)]
    assert files == [[("10000000", "dicom")], [("001.png", "png")], [("10000000", "dicom")]]


def test_another_series_is_one_line_of_configuration(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("9000001", "LEFT", name="COR_T1_3D_FLASH")], [])
    image(tmp_path, "9000001")
    configured = cohort(views=["cor_flash"], series={"cor_flash": "COR_T1_3D_FLASH_(?P<side>LEFT|RIGHT)"})
    assert read(configured, tmp_path).knees["9000001-L-00m"].files[0].view == "cor_flash"


def test_findings_of_the_same_table_are_levels_of_their_own(tmp_path: Path) -> None:
    write_tree(tmp_path, [], [])
    kxr(tmp_path, "9000001|1|15|3: Moderate|2|0|0|1", "9000001|1|37|2|2|0|0|0", "9000002|1|15|.|.|.|.|.", "9000003|1|15|2|7|x|0|0")
    labels = {"kl": "XRKL", "jsm": "v00xrjsm", "signs": {"columns": ["XRJSM", "XRJSL", ["XROSFM", "XROSTM"]], "at_least": 1}}
    knees = read(cohort(labels=labels, reading_project=[37, 15]), tmp_path).knees
    first = knees["9000001-R-00m"].readings
    assert {level: reading.value for level, reading in first.items()} == {"kl": (2,), "jsm": (2,), "signs": (1, 0, 0)}
    assert [(level, reading.disagreement) for level, reading in first.items()] == [("kl", True), ("jsm", False), ("signs", True)]
    assert first["signs"].votes == ("15:1,0,1", "37:1,0,0")
    assert knees["9000002-R-00m"].readings == {}
    third = knees["9000003-R-00m"]
    assert [(reason.reason, reason.level) for reason in third.reasons] == [("invalid-label", "signs")]
    assert sorted(third.readings) == ["jsm", "kl"]
    with pytest.raises(KneeoaError, match="lacks the column 'V00XRSCFM'"):
        read(cohort(labels={"sclerosis": "XRSCFM"}), tmp_path)


def test_a_sas_table_serves_where_there_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tree(tmp_path, [], [])
    (tmp_path / "kxr_sq_bu00.txt").unlink()
    (tmp_path / "X-Ray Readings").mkdir()
    (tmp_path / "X-Ray Readings" / "KXR_SQ_BU00.SAS7BDAT").touch()
    columns = {"id": ["9000001", "9000001"], "side": [1.0, 2.0], "readprj": ["15", "15"], "v00xrkl": [4.0, math.nan]}
    answer = (columns, SimpleNamespace(column_names=list(columns)))
    monkeypatch.setattr("pyreadstat.read_sas7bdat", lambda *arguments, **options: answer)
    knees = read(cohort(), tmp_path).knees
    assert knees["9000001-R-00m"].readings["kl"].value == (4,)
    assert knees["9000001-L-00m"].readings == {}


def test_people_come_from_whichever_table_has_the_column(tmp_path: Path) -> None:
    write_tree(tmp_path, [], [])
    kxr(tmp_path, "9000001|1|15|2|0|0|0|0")
    (tmp_path / "Enrollees.txt").write_text("ID|P02SEX|V00SITE\n9000001|1: Male|D\n")
    (tmp_path / "SubjectChar00.txt").write_text("ID|V00AGE|P02SEX\n9000001|71|2: Female\n")
    knee = read(cohort(), tmp_path).knees["9000001-R-00m"]
    assert (knee.site, knee.sex, knee.age) == ("D", "M", 71.0)
    (tmp_path / "SubjectChar00.txt").write_text("ID|V00AGE\n9000001|old\n")
    assert read(cohort(), tmp_path).knees["9000001-R-00m"].age is None


def test_landmarks_reach_the_films_of_their_knees(tmp_path: Path) -> None:
    write_tree(tmp_path, [series("9000001", "X", "2").replace("SAG_3D_DESS_X", PA)], [])
    image(tmp_path, "9000001", "2")
    configured = cohort(views=["pa"], landmarks="centres.csv")
    (tmp_path / "centres.csv").write_text("subject,side,visit,row,column\n9000001,R,00m,100.5,200\n9000001,left,,101,800\n9000009,R,,1,1\n")
    source = read(configured, tmp_path)
    add_landmarks(source, configured, tmp_path)
    assert source.knees["9000001-R-00m"].files[0].centre == (100.5, 200.0)
    assert source.knees["9000001-L-00m"].files[0].centre == (101.0, 800.0)
    assert [reason.reason for reason in source.loose] == ["unused-landmark"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subject,side,row\n", "lacks the column 'column'"),
        ("subject,side,row,column\n1,up,1,1\n", "line 2: subject '1' and side 'up' name no knee"),
        ("subject,side,row,column\n1,R,,1\n", "line 2: has no row or no column"),
        ("subject,side,row,column\n1,R,x,1\n", "line 2: 'row' is 'x'; expected a number"),
        ("subject,side,row,column\n9000001,R,1,1\n9000001,R,2,1\n", "lines 2 and 3 both place 9000001-R-00m"),
    ],
)
def test_malformed_landmarks_are_one_clear_sentence(tmp_path: Path, text: str, message: str) -> None:
    write_tree(tmp_path, [series("9000001", "X", "2").replace("SAG_3D_DESS_X", PA)], [])
    image(tmp_path, "9000001", "2")
    configured = cohort(views=["pa"], landmarks="centres.csv")
    (tmp_path / "centres.csv").write_text(text)
    with pytest.raises(KneeoaError, match=message):
        add_landmarks(read(configured, tmp_path), configured, tmp_path)
