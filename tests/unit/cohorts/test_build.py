"""The cohort stage: four tables, and every knee accounted for."""

from pathlib import Path

import pandas as pd
import pytest

from kneeoa.atomic_io import sha256_file
from kneeoa.cohorts.build import build_cohort
from kneeoa.cohorts.shards import shard_of
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.config.manifest import LabelColumns
from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import CASES, EXCLUSIONS, IMAGES, LABELS
from tests.unit.cohorts.oai_tree import image, reading, series, write_tree

LEVELS = (
    Level(name="oa", kind="binary", classes=("no", "yes")),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1)),
)
COHORT = Cohort(reader="oai", root="somewhere", tissues={"femoral_cartilage": (2,)}, shards=2)
SCHEMAS = {"cases": CASES, "images": IMAGES, "labels": LABELS, "exclusions": EXCLUSIONS}


def run(root: Path, out: Path, cohort: Cohort = COHORT) -> dict[str, pd.DataFrame]:
    paths = {name: out / f"{name}.parquet" for name in SCHEMAS}
    build_cohort(cohort, "main", root, LEVELS, **paths)
    return {name: schema.read(paths[name]) for name, schema in SCHEMAS.items()}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "raw"
    contents = [series("9000001", "LEFT"), series("9000001", "RIGHT", "2"), series("9000002", "LEFT"), series("9000003", "RIGHT")]
    readings = [reading("9000001", "2", "3"), reading("9000001", "1", "0"), reading("9000003", "1", "2"), reading("9000004", "1", "1")]
    write_tree(root, contents, readings)
    for subject, barcode in (("9000001", "10000000"), ("9000001", "2"), ("9000002", "10000000")):
        image(root, subject, barcode)
    (root / "masks").mkdir()
    for subject, side in (("9000001", "L"), ("9000005", "R")):
        (root / f"masks/{subject}_{side}_V00.nii.gz").write_bytes(b"m")
    return root


def test_every_knee_of_any_file_is_a_case_and_the_unusable_ones_are_excluded(tree: Path, tmp_path: Path) -> None:
    tables = run(tree, tmp_path)
    assert tables["cases"]["case_id"].tolist() == [
        "9000001-L-00m", "9000001-R-00m", "9000002-L-00m", "9000003-R-00m", "9000004-R-00m", "9000005-R-00m",
    ]  # fmt: skip
    rows = tables["exclusions"]
    assert set(rows["stage"]) == {"cohort"}
    assert sorted(zip(rows["case_id"], rows["reason"], strict=True)) == [
        ("9000002-L-00m", "missing-label"),
        ("9000003-R-00m", "missing-file"),
        ("9000004-R-00m", "missing-image"),
        ("9000005-R-00m", "missing-image"),
        ("9000005-R-00m", "missing-label"),
    ]
    # A knee without a label is decoded all the same: a label filled in later must not need another
    # decoding.
    assert set(tables["images"]["case_id"]) == {"9000001-L-00m", "9000001-R-00m", "9000002-L-00m"}
    assert set(tables["cases"]["case_id"]) == set(tables["images"]["case_id"]) | set(rows["case_id"])


def test_shards_hold_whole_subjects(tree: Path, tmp_path: Path) -> None:
    tables = run(tree, tmp_path)
    for row in tables["cases"].itertuples():
        assert row.shard == shard_of(row.subject, 2)
    shard = tables["cases"].set_index("case_id")["shard"]
    assert all(row.shard == shard[row.case_id] for row in tables["images"].itertuples())


def test_labels_have_a_row_for_each_level(tree: Path, tmp_path: Path) -> None:
    labels = run(tree, tmp_path)["labels"]
    result = {(row.case_id, row.level): list(row.value) for row in labels.itertuples()}
    assert result["9000001-L-00m", "kl"] == [3]
    assert result["9000001-L-00m", "oa"] == [1]
    assert result["9000001-R-00m", "oa"] == [0]
    assert set(labels["source"]) == {"reader"}


def test_the_tables_do_not_depend_on_the_order_of_rows_or_the_place_of_the_tree(tree: Path, tmp_path: Path) -> None:
    run(tree, tmp_path / "first")
    lines = (tree / "contents.csv").read_text().splitlines()
    (tree / "contents.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    tree.rename(tmp_path / "moved")
    run(tmp_path / "moved", tmp_path / "second")
    for name in SCHEMAS:
        assert sha256_file(tmp_path / "first" / f"{name}.parquet") == sha256_file(tmp_path / "second" / f"{name}.parquet"), name


FEATURES = "ID|SIDE|READPRJ|V00XRKL|V00XRJSM"
JSM = Level(name="jsm", kind="ordinal", classes=("0", "1", "2", "3"))


def run_levels(root: Path, out: Path, levels: tuple[Level, ...], **changes: object) -> dict[str, pd.DataFrame]:
    paths = {name: out / f"{name}.parquet" for name in SCHEMAS}
    build_cohort(COHORT.model_copy(update={"tissues": {}, **changes}), "main", root, levels, **paths)
    return {name: schema.read(paths[name]) for name, schema in SCHEMAS.items()}


def test_a_case_without_a_coarser_level_stays_and_has_a_row(tmp_path: Path) -> None:
    """jsm comes before kl, which is the level that a case must have: a knee without jsm, or with an
    impossible one, goes on.
    """
    root = tmp_path / "raw"
    subjects = ("9000001", "9000002", "9000003", "9000004")
    rows = ["9000001|1|15|3|2", "9000002|1|15|1|.", "9000003|1|15|2|8", "9000004|1|15|.|1"]
    write_tree(root, [series(subject, "RIGHT") for subject in subjects], rows, kxr_header=FEATURES)
    for subject in subjects:
        image(root, subject)
    labels = {level: LabelColumns.model_validate(column) for level, column in (("kl", "XRKL"), ("jsm", "XRJSM"))}
    tables = run_levels(root, tmp_path, (LEVELS[0], JSM, LEVELS[1]), labels=labels)
    rows_found = sorted(tables["exclusions"][["case_id", "scope", "reason"]].itertuples(index=False, name=None))
    assert rows_found == [
        ("9000002-R-00m", "level", "missing-label"),
        ("9000003-R-00m", "level", "invalid-label"),
        ("9000004-R-00m", "case", "missing-label"),
    ]
    result = {(row.case_id, row.level): list(row.value) for row in tables["labels"].itertuples()}
    assert result["9000001-R-00m", "jsm"] == [2]
    assert ("9000003-R-00m", "jsm") not in result
    assert len(tables["images"]) == 4


def test_readings_are_kept_counted_and_under_unanimity_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "raw"
    subjects = ("9000001", "9000002")
    write_tree(
        root,
        [series(subject, "RIGHT") for subject in subjects],
        [reading("9000001", "1", "2"), reading("9000001", "1", "3", 37), reading("9000002", "1", "1"), reading("9000002", "1", "1", 37)],
    )
    for subject in subjects:
        image(root, subject)
    with caplog.at_level("INFO"):
        labels = run_levels(root, tmp_path, LEVELS)["labels"].set_index(["case_id", "level"])
    assert "main, kl: 2 knees have several readings, 1 of them disagree: 9000001-R-00m" in caplog.text
    assert labels.loc[("9000001-R-00m", "kl"), "all_values"] == "15:2; 37:3"
    assert labels.loc[("9000002-R-00m", "kl"), ["readings", "disagreement"]].tolist() == [2, False]
    tables = run_levels(root, tmp_path, LEVELS, readings="unanimous")
    (row,) = tables["exclusions"].to_dict("records")
    assert (row["case_id"], row["reason"], row["scope"]) == ("9000001-R-00m", "readings-disagree", "case")
    assert "15:2; 37:3" in row["detail"]
    assert len(tables["images"]) == 2, "which knees are decoded must not depend on labels"


def test_specimens_without_a_side_and_films_of_both_knees_reach_the_tables(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,side,file,kl\n1,L,film.png,0\n1,R,film.png,3\n2,L,two.png,1\n3,L,two.png,1\n")
    for name in ("film.png", "two.png"):
        (tmp_path / name).write_bytes(b"x")
    section = {"table": "t.csv", "subject": "id", "side": "side", "path": "file", "shows": "both"}
    given = {"reader": "manifest", "root": "r", "views": ["pa"], "labels": {"kl": "kl"}, "manifest": section}
    tables = run(tmp_path, tmp_path / "out", Cohort.model_validate(given))
    assert tables["images"][["case_id", "path", "shows"]].to_numpy().tolist() == [[f"1-{s}-00m", "film.png", "both"] for s in "LR"]
    assert tables["exclusions"]["reason"].tolist() == ["shared-file", "shared-file"]
    section = {"table": "t.csv", "subject": "id", "view": "side", "path": "file", "values": {"view": {"L": "pa", "R": "lateral"}}}
    one = Cohort.model_validate(given | {"manifest": section, "views": ["pa", "lateral"]})
    (tmp_path / "t.csv").write_text("id,side,file,kl\n1,L,film.png,3\n1,R,two.png,3\n")
    tables = run(tmp_path, tmp_path / "out", one)
    assert tables["cases"][["case_id", "subject"]].to_numpy().tolist() == [["1-X-00m", "1"]]
    assert tables["cases"]["side"].isna().all()
    assert tables["images"]["view"].tolist() == ["lateral", "pa"]


STATUS = (Level(name="status", kind="multiclass", classes=("normal", "abnormal", "arthroplasty")),)


def test_class_names_and_codes_of_cells_become_the_classes(tmp_path: Path) -> None:
    for name in "abcdef":
        (tmp_path / f"{name}.png").write_bytes(b"x")
    rows = "id,s,code,file\nA,normal,1.0,a.png\nB,Abnormal,2.0,b.png\nC,ARTHROPLASTY,3.0,c.png\nD,odd,0.0,d.png\nE,,,e.png\nF,1,4,f.png\n"
    (tmp_path / "t.csv").write_text(rows)
    section = {"table": "t.csv", "subject": "id", "path": "file"}
    given = {"reader": "manifest", "root": "r", "views": ["pa"], "manifest": section}
    coded = {"columns": ["code"], "values": {"1": 0, "2": 1, "3": 2}}
    for columns, sixth in (("s", [1]), (coded, None)):
        cohort = Cohort.model_validate(given | {"labels": {"status": columns}})
        paths = {name: tmp_path / f"{name}.parquet" for name in SCHEMAS}
        build_cohort(cohort, "main", tmp_path, STATUS, **paths)
        values = {row.case_id[0]: list(row.value) for row in LABELS.read(paths["labels"]).itertuples()}
        assert values == {"A": [0], "B": [1], "C": [2]} | ({} if sixth is None else {"F": sixth})
        excluded = {row.case_id[0]: row.reason for row in EXCLUSIONS.read(paths["exclusions"]).itertuples()}
        assert excluded == {"D": "invalid-label", "E": "missing-label"} | ({"F": "invalid-label"} if sixth is None else {})


@pytest.mark.parametrize(
    ("rows", "extra", "sentence"),
    [
        (
            ["A,rechts", "B,links", "C,rechts"],
            {"side": "what"},
            r"unknown-knee \(3 of 3\), e\.g\. t\.csv, line 2: the side is 'rechts'; .*; "
            r"what is not understood: 'rechts' \(2\), 'links' \(1\)\.$",
        ),
        (
            ["2019/0123,", "2019/0124,"],
            {},
            r"unknown-knee \(2 of 2\), e\.g\. t\.csv, line 2: the id '2019/0123' cannot name a subject.*\.$",
        ),
        (["1.2E+06,", "1.3E+06,"], {}, r"unknown-knee \(2 of 2\), e\.g\. t\.csv, line 2: the id '1\.2E\+06' has lost its digits.*\.$"),
        (
            ["A,baseline", "B,baseline", "C,month 24", ",baseline"],
            {"visit": "what"},
            r"unknown-visit \(4 of 4\), .*names: 'baseline' \(3\), 'month 24' \(1\)\.$",
        ),
        (["A,2019-03-12", "B,12.03.2019"], {"visit": "what"}, r"unknown-visit \(2 of 2\), .*names: a date \(2\)\.$"),
        (["A,AP", "B,AP"], {"view": "what"}, r"unknown-view \(2 of 2\), .*names: 'AP' \(2\)\.$"),
        (["A,", "B,"], {}, r"missing-file \(2 of 2\), e\.g\. t\.csv, line 2: 'img/0\.png' of A-X-00m is not there\.$"),
    ],
)
def test_where_every_row_is_refused_the_sentence_says_why(tmp_path: Path, rows: list[str], extra: dict[str, str], sentence: str) -> None:
    lines = [f"{row},2,img/{number}.png" for number, row in enumerate(rows)]
    (tmp_path / "t.csv").write_text("\n".join(["id,what,kl,file", *lines]))
    section = {"table": "t.csv", "subject": "id", "path": "file", **extra}
    given = {"reader": "manifest", "root": "r", "views": ["pa"], "labels": {"kl": "kl"}, "manifest": section}
    with pytest.raises(KneeoaError, match=sentence) as caught:
        run(tmp_path, tmp_path / "out", Cohort.model_validate(given))
    assert "\n" not in str(caught.value)


def test_a_cohort_without_anything_usable_is_one_clear_sentence(tmp_path: Path) -> None:
    write_tree(tmp_path / "raw", [series("9000001", "LEFT")], [])
    with pytest.raises(KneeoaError, match=r"none of the 1 knees .*missing-file.*missing-label"):
        run(tmp_path / "raw", tmp_path)
    write_tree(tmp_path / "empty", [], [])
    with pytest.raises(KneeoaError, match="has no knee at visits"):
        run(tmp_path / "empty", tmp_path)
    with pytest.raises(KneeoaError, match="does not exist"):
        run(tmp_path / "nowhere", tmp_path)
