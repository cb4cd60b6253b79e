"""Any table by a column map; the maps of docs/data.md are read here as they stand there."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from kneeoa.cohorts.manifest import read
from kneeoa.cohorts.registry import readers
from kneeoa.cohorts.source import Knee, Source
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from tests.unit.cohorts.documented import blocks, documented, touch
from tests.unit.counted_calls import calls


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
    sections = [Cohort.model_validate(section) for block in blocks() for section in block.values()]
    assert {section.reader for section in sections} == set(readers())


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
        ("1,R,C:\\data\\1.nii,2", ("outside-root", "case")),
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


def test_an_array_is_an_image_and_no_mask(tmp_path: Path) -> None:
    touch(tmp_path, "1.npy", "1m.npy")
    (only,) = loaded(tmp_path, "id,side,file,seg,kl\n1,R,1.npy,1m.npy,2\n", {"mask": "seg"}, tissues={"femur": [1]}).knees.values()
    assert [(file.role, file.format) for file in only.files] == [("image", "npy")]
    assert reasons(only) == [("unknown-format", "mask")]
    assert "save the mask as NIfTI" in only.reasons[0].detail


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
    reading = loaded(tmp_path, text, {"project": "reader"}, reading_project=[37, 15]).knees["1-R-00m"].readings["kl"]
    assert (reading.value, reading.count, reading.disagreement, reading.votes) == ((3,), 2, True, ("15:2", "37:3"))
    unknown = loaded(tmp_path, text).knees["1-R-00m"].readings["kl"]
    assert (unknown.value, unknown.count, unknown.disagreement) == ((2,), 2, True)


@pytest.mark.parametrize(
    ("text", "manifest", "message"),
    [
        ("id,side,kl\n", {}, "lacks the column 'file'"),
        ("id,side,file,kl,fold\n1,R,a,2,seven\n", {"split": "fold"}, r"line 2: column 'fold' is 'seven'; expected train, val, test"),
        ("id,side,file,kl,fold\n1,R,a,2,test\n1,R,a,2,train\n", {"split": "fold"}, "line 3: 1-R-00m is put into train, by an earlier line"),
        ("id,side,file,kl,r,c\n1,R,a,2,5,x\n", {"row": "r", "column": "c"}, "line 2: the landmark's column is 'x'"),
    ],
)
def test_a_malformed_manifest_is_one_clear_sentence(tmp_path: Path, text: str, manifest: dict[str, Any], message: str) -> None:
    touch(tmp_path, "a")
    with pytest.raises(KneeoaError, match=message):
        loaded(tmp_path, text, manifest)


@pytest.mark.parametrize("age", ["90+", ">89", "63,5", "63 y", "063Y", "#N/A", "unknown", "1e999"])
def test_an_odd_age_is_empty_and_counted_once_a_column(tmp_path: Path, caplog: pytest.LogCaptureFixture, age: str) -> None:
    rows = f"id;side;file;kl;age\n1;R;;2;{age}\n1;L;;2;{age}\n2;R;;1;50\n3;R;;1;NA\n"
    knees = loaded(tmp_path, rows, {"age": "age"}).knees
    assert {case: knee.age for case, knee in knees.items()} == {"1-R-00m": None, "1-L-00m": None, "2-R-00m": 50.0, "3-R-00m": None}
    assert [record.getMessage() for record in caplog.records] == [
        "t.csv: 2 cells of column 'age' are no age, the first in line 2; they count as empty; expected a number"
    ]


def test_an_odd_sex_is_empty_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = "id,side,file,kl,s\n1,R,,2,W\n2,R,,2,1.0\n3,R,,1,2\n4,R,,1,3.0\n5,R,,1,\n6,R,,1,female\n"
    knees = loaded(tmp_path, rows, {"sex": "s", "values": {"sex": {"1": "M", "2": "F"}}}).knees
    assert [knee.sex for knee in knees.values()] == [None, "M", "F", None, None, "F"]
    assert [record.getMessage().split(";")[0] for record in caplog.records] == [
        "t.csv: 2 cells of column 's' are no sex, the first in line 2"
    ]


def test_codes_of_side_visit_view_site_and_split_are_compared_as_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "b.png")
    values = {"side": {"1": "R", "2": "L"}, "visit": {"0": "00m", "24": "24m"}, "view": {"1": "pa"}, "split": {"1": "train", "2": "test"}}
    manifest = {"visit": "when", "view": "which", "site": "centre", "split": "part", "values": values}
    rows = "id,side,when,which,centre,part,file,kl\n1,1.0,0.0,1.0,3.0,1.0,a.png,2\n2,2: Left,24.0,1,3,2.0,b.png,1\n"
    source = loaded(tmp_path, rows, manifest, views=["pa"], visits=["00m", "24m"])
    assert source.loose == []
    assert {case: (knee.site, knee.given_split, [file.view for file in knee.files]) for case, knee in source.knees.items()} == {
        "1-R-00m": ("3", "train", ["pa"]),
        "2-L-24m": ("3", "test", ["pa"]),
    }


def test_rows_of_visits_and_views_that_nothing_names_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cells = ["1,baseline,pa", "2,24 months,pa", "3,24 months,PA", "4,36,pa", "5,2019-03-12,pa", "6,Baseline,lateral", "7,00M,pa"]
    manifest = {"side": None, "path": None, "visit": "when", "view": "which", "values": {"visit": {"Baseline": "00m", "36": "36m"}}}
    text = "id,when,which,kl\n" + "".join(f"{row},1\n" for row in cells)
    source = loaded(tmp_path, text, manifest, views=["pa"], visits=["00m", "24m"])
    assert sorted(source.knees) == ["1-X-00m", "7-X-00m"]
    details = [
        "t.csv, line 3: the first of 3 rows that are of a visit that neither 'visits' nor 'manifest.values.visit' names: "
        "'24 months' (2), a date (1).",
        "t.csv, line 7: the row is of a view that neither 'views' nor 'manifest.values.view' names: 'lateral' (1).",
    ]
    assert [(reason.reason, reason.detail) for reason in source.loose] == list(zip(("unknown-visit", "unknown-view"), details, strict=True))
    assert [record.getMessage() for record in caplog.records] == details


@pytest.mark.parametrize("name", ["a.nii", "x/a.nii"])
def test_an_absolute_path_below_the_root_is_one_of_the_root(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    touch(root, name)
    (tmp_path / "link").symlink_to(root)
    (root / "t.csv").write_text(f"{HEADER}1,R,{root}/{name},2\n2,R,{tmp_path}/link/../root/./{name},2\n")
    for place in (root, tmp_path / "link"):
        knees = read(cohort({"folder": "elsewhere"}), place).knees
        assert [file.path for file in knees["1-R-00m"].files] == [name]


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (["52652e51", "a3f91c02", "1e5"], ["1e5-R-00m", "52652e51-R-00m", "a3f91c02-R-00m"]),
        (["9E06", "9e6"], []),
        (["9.0E+06", "a3f91c02"], ["a3f91c02-R-00m"]),
    ],
)
def test_ids_are_damaged_where_the_whole_column_looks_so(tmp_path: Path, ids: list[str], names: list[str]) -> None:
    source = loaded(tmp_path, HEADER + "".join(f"{name},R,,2\n" for name in ids))
    assert sorted(source.knees) == names
    assert [reason.reason for reason in source.loose] == ["unknown-knee"] * (len(ids) - len(names))


SIGNS = {"separator": ";", "columns": ["sign"], "values": {"skull": 0, "ribs": 1, "femur": 2, "normal": None}}
ONE_A_ROW = "id,side,file,sign,who\n1,R,,skull,15\n1,R,,femur,15\n2,R,,ribs,15\n2,R,,ribs,15\n3,R,,skull,15\n3,R,,NA,15\n"


@pytest.mark.parametrize("project", [{}, {"project": "who"}])
def test_one_row_a_finding_is_a_union_or_no_label(tmp_path: Path, project: dict[str, str]) -> None:
    def values(**more: Any) -> dict[str, tuple[int | None, ...]]:
        labels = {"signs": SIGNS | {key: text for key, text in more.items() if key == "findings"}}
        rules = {key: rule for key, rule in more.items() if key != "findings"}
        knees = loaded(tmp_path, ONE_A_ROW, project, labels=labels, **rules).knees
        return {case: knee.readings["signs"].value for case, knee in knees.items()}

    others: dict[str, tuple[int | None, ...]] = {"2-R-00m": (0, 1, 0), "3-R-00m": (1, 0, 0)}
    assert values(findings="union") == {"1-R-00m": (1, 0, 1)} | others
    assert values() == values(findings="refuse") == {"1-R-00m": (None, None, None)} | others
    assert values(readings="first") == {"1-R-00m": (1, 0, 0)} | others


def test_projects_that_list_other_findings_are_readings_of_their_own(tmp_path: Path) -> None:
    rows = "id,side,file,sign,who\n1,R,,skull,15A\n1,R,,ribs;femur,15B\n"
    (knee,) = loaded(tmp_path, rows, {"project": "who"}, labels={"signs": SIGNS}, reading_project="15B").knees.values()
    assert (knee.readings["signs"].value, knee.readings["signs"].disagreement) == ((0, 1, 1), True)


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
