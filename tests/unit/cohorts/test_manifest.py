"""Any table by a column map; the maps of docs/data.md are read here as they stand there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from openpyxl import Workbook
from pydantic import ValidationError

from kneeoa.cohorts.manifest import read
from kneeoa.cohorts.registry import readers
from kneeoa.cohorts.source import Knee, Source
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from tests.unit.counted_calls import calls

_DOCS = Path(__file__).parents[3] / "docs" / "data.md"


def documented(name: str, reader: str = "manifest") -> Cohort:
    """The cohort of that name and reader, out of the YAML blocks of docs/data.md."""
    blocks = [yaml.safe_load(text)["cohorts"] for text in re.findall(r"```yaml\n(.*?)```", _DOCS.read_text(), re.S)]
    return Cohort.model_validate(next(block[name] for block in blocks if block.get(name, {}).get("reader") == reader))


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")


def cohort(manifest: dict[str, Any], **changes: Any) -> Cohort:
    section = {"table": "t.csv", "subject": "id", "side": "side", "path": "file"} | manifest
    given = {"reader": "manifest", "root": "somewhere", "labels": {"kl": "kl"}, "manifest": section}
    return Cohort.model_validate(given | changes)


def loaded(root: Path, text: str, manifest: dict[str, Any] | None = None, **changes: Any) -> Source:
    (root / "t.csv").write_text(text)
    return read(cohort(manifest or {}, **changes), root)


def reasons(knee: Knee) -> list[tuple[str, str]]:
    return [(reason.reason, reason.scope) for reason in knee.reasons]


def test_every_documented_cohort_is_a_valid_section_of_a_known_reader() -> None:
    blocks = [yaml.safe_load(text)["cohorts"] for text in re.findall(r"```yaml\n(.*?)```", _DOCS.read_text(), re.S)]
    found = [Cohort.model_validate(section) for block in blocks for section in block.values()]
    assert {section.reader for section in found} == set(readers())


def test_the_documented_clinic(tmp_path: Path) -> None:
    rows = [
        "person,knee,month,image,segmentation,fold,sex,age,hospital,kl_grade,free text",
        "101,1: Right,0,101_R.nii.gz,101_R_seg.nii.gz,development,Female,61.5,North,2,",
        '101,2: Left,24,101_L_series,,development,F,61.5,North,,"a\nb"',
        "102.0,left,0,102.zip,,holdout,male,,South,4,",
        "103,left,36,103.nii.gz,,holdout,male,,South,4,",
    ]
    (tmp_path / "knees.csv").write_text("\n".join(rows) + "\n\n")
    touch(tmp_path / "nifti", "101_R.nii.gz", "101_R_seg.nii.gz", "101_L_series/001", "102.zip")
    knees = read(documented("clinic"), tmp_path).knees
    assert sorted(knees) == ["101-L-24m", "101-R-00m", "102-L-00m"]
    right, left, other = knees["101-R-00m"], knees["101-L-24m"], knees["102-L-00m"]
    assert [(file.role, file.path, file.format) for file in right.files] == [
        ("image", "nifti/101_R.nii.gz", "nifti"),
        ("mask", "nifti/101_R_seg.nii.gz", "nifti"),
    ]
    assert (right.sex, right.age, right.site, right.given_split) == ("F", 61.5, "North", "train")
    assert [(file.path, file.format) for file in left.files] == [("nifti/101_L_series", "dicom")]
    assert left.readings == {}
    assert (other.sex, other.age, other.given_split) == ("M", None, "test")
    assert other.files[0].format == "dicom-archive"
    assert right.readings["kl"].value == (2,)


def test_the_documented_most_table_gives_two_knees_a_row_and_visit(tmp_path: Path) -> None:
    rows = ["MOSTID,SITE,SEX,V0AGE,V0XRKLR,V0XRKLL,V2XRKLR,V2XRKLL,V0PAFILE,V2PAFILE", "MB00001,1,1,55,0,3,1,4,v0/1.dcm,v2/1.dcm"]
    rows.append("MB00002,2,0,60,2,8,9,.,v0/2,")
    (tmp_path / "most_xray.csv").write_text("\r\n".join(rows))
    touch(tmp_path, "v0/1.dcm", "v2/1.dcm", "v0/2")
    knees = read(documented("most"), tmp_path).knees
    assert len(knees) == 8
    assert {case: knee.readings["kl"].value for case, knee in knees.items() if knee.readings} == {
        "MB00001-R-00m": (0,),
        "MB00001-L-00m": (3,),
        "MB00001-R-30m": (1,),
        "MB00001-L-30m": (4,),
        "MB00002-R-00m": (2,),
    }
    for side in "LR":
        (file,) = knees[f"MB00001-{side}-30m"].files
        assert (file.path, file.format, file.shows, file.view) == ("v2/1.dcm", "dicom-file", "both", "pa")
        assert knees[f"MB00002-{side}-00m"].files[0].format == "dicom-file"
        assert knees[f"MB00002-{side}-30m"].files == []
    assert (knees["MB00001-L-00m"].sex, knees["MB00002-L-00m"].sex, knees["MB00002-L-00m"].age) == ("F", "M", 60.0)


def test_the_documented_impc_table_joins_two_views_of_a_specimen(tmp_path: Path) -> None:
    rows = [
        "specimen_id,view,file,terms,sex,centre",
        "WT-7,Dorso Ventral,7_dv.png,abnormal ribs|abnormal skull shape,female,HMGU",
        "WT-7,Lateral Orientation,7_lat.png,abnormal ribs|abnormal skull shape,female,HMGU",
        "WT-8,Dorso Ventral,8_dv.png,no abnormal phenotype detected,male,HMGU",
        "WT-9,Lateral Orientation,9_lat.png,NA,male,JAX",
        "WT-9,Skull Lateral,9_skull.png,NA,male,JAX",
        "WT-9,,9_what.png,NA,male,JAX",
    ]
    (tmp_path / "specimens.csv").write_text("\n".join(rows))
    touch(tmp_path, "7_dv.png", "7_lat.png", "8_dv.png", "9_lat.png", "9_skull.png", "9_what.png")
    knees = read(documented("impc"), tmp_path).knees
    assert sorted(knees) == ["WT-7-X-00m", "WT-8-X-00m", "WT-9-X-00m"]
    seven = knees["WT-7-X-00m"]
    assert seven.side is None
    assert [(file.view, file.path) for file in seven.files] == [("dorsoventral", "7_dv.png"), ("lateral", "7_lat.png")]
    reading = seven.readings["abnormality"]
    assert (reading.value, reading.count, reading.disagreement) == ((1, 0, 1, 0, 0), 1, False)
    assert knees["WT-8-X-00m"].readings["abnormality"].value == (0,) * 5
    assert knees["WT-9-X-00m"].readings == {}
    assert reasons(knees["WT-9-X-00m"]) == [("unknown-view", "case")]


HEADER = "id,side,file,kl\n"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,R,../other/1.nii,2", ("outside-root", "case")),
        ("1,R,/data/1.nii,2", ("outside-root", "case")),
        ("1,R,a/../../1.nii,2", ("outside-root", "case")),
        ("1,R,gone.nii,2", ("missing-file", "case")),
        ("1,R,1.gif,2", ("unknown-format", "case")),
        ("1,R,1.nii,mild", ("invalid-label", "case")),
    ],
)
def test_a_row_that_cannot_be_used_is_a_reason_with_its_line(tmp_path: Path, row: str, reason: tuple[str, str]) -> None:
    touch(tmp_path, "1.nii", "1.gif", "2.nii")
    knees = loaded(tmp_path, f"{HEADER}2,L,2.nii,1\n{row}\n").knees
    assert reasons(knees["1-R-00m"]) == [reason]
    assert "t.csv, line 3" in knees["1-R-00m"].reasons[0].detail
    assert reasons(knees["2-L-00m"]) == []


@pytest.mark.parametrize("row", ["1,both,1.nii,2", ",R,1.nii,2", "9.0E+06,R,1.nii,2", "a/b,R,1.nii,2", "1,,1.nii,2", "1,3: Both,1.nii,2"])
def test_a_row_that_names_no_knee_is_told_of(tmp_path: Path, row: str) -> None:
    source = loaded(tmp_path, f"{HEADER}{row}\n")
    assert source.knees == {}
    assert [reason.reason for reason in source.loose] == ["unknown-knee"]
    assert "line 2" in source.loose[0].detail


def test_two_files_of_a_knee_are_refused_and_one_file_named_twice_is_one(tmp_path: Path) -> None:
    touch(tmp_path, "a.nii", "b.nii", "c.nii")
    knees = loaded(tmp_path, f"{HEADER}1,R,a.nii,2\n1,R,b.nii,2\n2,R,c.nii,1\n2,R,./c.nii,1\n").knees
    assert reasons(knees["1-R-00m"]) == [("duplicate-image", "case")]
    assert [file.path for file in knees["2-R-00m"].files] == ["c.nii"]


def test_readings_of_projects_and_contradictions_without_them(tmp_path: Path) -> None:
    text = "id,side,file,kl,reader\n1,R,,2,15\n1,R,,3,37\n1,R,,3,37\n"
    known = loaded(tmp_path, text, {"project": "reader"}, reading_project=[37, 15]).knees["1-R-00m"].readings["kl"]
    assert (known.value, known.count, known.disagreement, known.votes) == ((3,), 2, True, ("15:2", "37:3"))
    unknown = loaded(tmp_path, text).knees["1-R-00m"].readings["kl"]
    assert (unknown.value, unknown.count, unknown.disagreement) == ((2,), 2, True)


@pytest.mark.parametrize(
    ("text", "manifest", "message"),
    [
        ("id,side,kl\n", {}, "lacks the column 'file'"),
        ("id,side,file,kl,age\n1,R,a,2,old\n", {"age": "age"}, r"line 2: column 'age' is 'old'; expected a number"),
        ("id,side,file,kl,fold\n1,R,a,2,seven\n", {"split": "fold"}, r"line 2: column 'fold' is 'seven'; expected train, val, test"),
        ("id,side,file,kl,fold\n1,R,a,2,test\n1,R,a,2,train\n", {"split": "fold"}, "line 3: 1-R-00m is put into train, by an earlier line"),
        ("id,side,file,kl,r,c\n1,R,a,2,5,x\n", {"row": "r", "column": "c"}, "line 2: the landmark's column is 'x'"),
    ],
)
def test_a_malformed_manifest_is_one_clear_sentence(tmp_path: Path, text: str, manifest: dict[str, Any], message: str) -> None:
    touch(tmp_path, "a")
    with pytest.raises(KneeoaError, match=message):
        loaded(tmp_path, text, manifest)


def test_a_manifest_elsewhere_as_a_workbook_with_landmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Workbook()
    for row in (["id", "side", "file", "kl", "r", "c"], [7, "L", "7.png", 1, 10.5, 20], [8, "L", "8.png", None, None, None]):
        book.active.append(row)
    (tmp_path / "tables").mkdir()
    book.save(tmp_path / "tables" / "t.xlsx")
    monkeypatch.setenv("TABLES", str(tmp_path / "tables"))
    root = tmp_path / "root"
    touch(root, "7.png", "8.png")
    knees = read(cohort({"table": "$TABLES/t.xlsx", "row": "r", "column": "c"}), root).knees
    assert knees["7-L-00m"].files[0].centre == (10.5, 20.0)
    assert knees["8-L-00m"].files[0].centre is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"manifest": {"path": "f{side}"}}, "'sides' must say what stands for it"),
        ({"manifest": {"sides": {"R": "r"}}}, "'side' .a column. and 'sides'"),
        ({"manifest": {"row": "r"}}, "landmarks need both"),
        ({"manifest": {"values": {"side": {"1": "right"}}}}, "'values.side' gives 'right'; allowed are L, R"),
        ({"manifest": {"folder": "../x"}}, "must lie below the root"),
        ({"labels": {"kl": "{visit}KL"}}, "'manifest.visits' must say"),
        ({"visits": ["00m", "12m"]}, "'visits' must name exactly one"),
        ({"manifest": {"visits": {"00m": "V0"}}, "visits": ["12m"]}, "'manifest.visits' lacks '12m'"),
        ({"visits": ["24-m"]}, "'visits' names '24-m'"),
        ({"reader": "oai"}, "reader 'manifest' needs the section"),
        ({"series": {"pa": "(BILATERAL"}}, "not a regular expression"),
    ],
)
def test_a_contradictory_map_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        cohort(change.get("manifest", {}), **{key: value for key, value in change.items() if key != "manifest"})


def wide(subjects: int) -> str:
    """A table of so many subjects, two knees each."""
    rows = ["id,side,file,kl"]
    for number in range(subjects):
        rows += [f"{number},R,files,{number % 5}", f"{number},L,files,{number % 5}"]
    return "\n".join(rows)


def test_a_table_of_thousands_of_knees_costs_no_more_a_knee_than_a_short_one(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    assert len(loaded(tmp_path, wide(2000)).knees) == 4000
    assert calls(lambda: loaded(tmp_path, wide(2000))) <= 10 * calls(lambda: loaded(tmp_path, wide(200)))
