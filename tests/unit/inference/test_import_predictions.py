"""Tables made elsewhere become prediction tables, or one clear sentence."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.atomic_io import sha256_file
from kneeoa.config.analysis import Imports
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.inference.import_predictions import import_predictions
from kneeoa.tables.runs import PREDICTIONS

LEVELS = (
    Level(name="any", kind="binary", classes=("healthy", "ill")),
    Level(name="oa", kind="multiclass", classes=("none", "early", "late"), parent="any", parent_class=(0, 1, 1)),
    Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3"), parent="oa", parent_class=(0, 0, 1, 2)),
)
KL = {"truth": "grade", "probabilities": ["p0", "p1", "p2", "p3"]}
ANY = {"truth": "ill", "probabilities": ["p_ill"]}


def table(**changes: Any) -> pd.DataFrame:
    columns = {
        "id": ["007", "12", "b"],
        "person": ["x", "x", "y"],
        "grade": [0, 2, 3],
        "ill": [0, 1, 1],
        "p_ill": [0.25, 0.8, 1.2e-08],
        "p0": [0.5, 0.1, 0.0],
        "p1": [0.3, 0.2, 0.1],
        "p2": [0.1, 0.3, 0.2],
        "p3": [0.1, 0.4, 0.7],
    }
    return pd.DataFrame(columns | changes)


def load(tmp_path: Path, frame: pd.DataFrame, levels: dict[str, Any], file: str = "arm.csv", **more: Any) -> pd.DataFrame:
    if file.endswith(".csv"):
        frame.to_csv(tmp_path / file, index=False)
    else:
        frame.to_parquet(tmp_path / file)
    arm = {"backbone": "net", "mode": "dual", "file": file, "levels": levels}
    imports = Imports.model_validate({"folder": "f", "case_id": "id", "cohort": "clinic", "arms": {"net-dual": arm}} | more)
    import_predictions(imports, "net-dual", LEVELS, "study", tmp_path, tmp_path / "out.parquet")
    return PREDICTIONS.read(tmp_path / "out.parquet")


@pytest.mark.parametrize("file", ["arm.csv", "arm.parquet"])
def test_own_rows_carry_the_columns_as_they_are(tmp_path: Path, file: str) -> None:
    imported = load(tmp_path, table(), {"any": ANY}, file, subject="person")
    assert imported.case_id.tolist() == ["007", "12", "b"]
    assert imported.subject.tolist() == ["x", "x", "y"]
    assert [list(p) for p in imported.probabilities] == [[0.75, 0.25], [1 - 0.8, 0.8], [1 - 1.2e-08, 1.2e-08]]
    assert [list(t) for t in imported.truth] == [[0], [1], [1]]
    assert set(zip(imported.level, imported["head"], strict=True)) == {("any", "any")}
    assert imported.seed.isna().all()
    assert imported.logits.isna().all()
    first = imported.iloc[0]
    assert (first.study, first.arm, first.cohort, first.split, first.visit) == ("study", "net-dual", "clinic", "test", "00m")
    assert (first.label_source, first.calibrated) == ("import", False)


def test_coarser_levels_are_derived_all_the_way_up(tmp_path: Path) -> None:
    imported = load(tmp_path, table(), {"any": ANY, "kl": KL})
    rows = {key: part.set_index("case_id") for key, part in imported.groupby(["level", "head"])}
    assert set(rows) == {("any", "any"), ("kl", "kl"), ("oa", "kl"), ("any", "kl")}
    assert rows["oa", "kl"].probabilities["12"] == pytest.approx([0.3, 0.3, 0.4])
    assert rows["any", "kl"].probabilities["12"] == pytest.approx([0.3, 0.7])
    assert [int(t[0]) for t in rows["oa", "kl"].truth] == [0, 1, 2]
    assert [int(t[0]) for t in rows["any", "kl"].truth] == [0, 1, 1]
    assert imported[imported.level == "any"].subject.tolist() == imported[imported.level == "any"].case_id.tolist()


@pytest.mark.parametrize("excess", [5e-8, 0.01], ids=["single precision", "two decimals"])
def test_a_coarser_sum_that_the_tables_rounding_carries_past_one_is_one(tmp_path: Path, excess: float) -> None:
    frame = table(p0=[0.5, 0.1, 0.0], p1=[0.3, 0.2, 0.0], p2=[0.1, 0.3, 0.3], p3=[0.1, 0.4, 0.7 + excess])
    imported = load(tmp_path, frame, {"kl": KL})
    rows = {key: part.set_index("case_id").probabilities for key, part in imported.groupby(["level", "head"])}
    assert list(rows["any", "kl"]["b"]) == [0.0, 1.0]
    assert list(rows["kl", "kl"]["b"]) == [0.0, 0.0, 0.3, 0.7 + excess], "what was imported stays as it is"
    assert list(rows["any", "kl"]["12"]) == [0.3, 0.7], "the tables' own decimals, not 0.1 + 0.2 in double"


def test_an_empty_label_stays_unread(tmp_path: Path) -> None:
    imported = load(tmp_path, table(grade=[0, None, 3]), {"kl": KL})
    truth = imported[imported.level == "any"].set_index("case_id").truth
    assert truth["007"][0] == 0
    assert truth["b"][0] == 1
    assert np.isnan(truth["12"][0])


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for _ in range(2):
        load(tmp_path, table(), {"kl": KL})
        digests.append(sha256_file(tmp_path / "out.parquet"))
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("frame", "levels", "message"),
    [
        (table().drop(columns="p2"), {"kl": KL}, r"lacks the columns \['p2'\]"),
        (table().drop(columns="id"), {"kl": KL}, r"lacks the columns \['id'\]"),
        (table(grade=[0, 2.5, 3]), {"kl": KL}, r"'grade' holds '2.5' in data row 2.*0 to 3"),
        (table(grade=[0, 2, 4]), {"kl": KL}, r"'grade' holds '4' in data row 3"),
        (table(grade=["0", "two", "3"]), {"kl": KL}, r"'grade' holds 'two' in data row 2"),
        (table(p_ill=[0.1, 1.5, 0.2]), {"any": ANY}, r"'p_ill' holds '1.5' in data row 2"),
        (table(p_ill=[0.1, 0.3, None]), {"any": ANY}, r"'p_ill' holds 'nan' in data row 3"),
        (table(p0=[0.5, 0.1, 0.9]), {"kl": KL}, r"sum to 1.9 in data row 3"),
        (
            table(p0=[0.46, 0.1, 0.0]),
            {"kl": KL},
            r"sum to 0\.96 in data row 1; they must sum to 1, and the table's precision explains 0\.02 at most",
        ),
        (table(p_ill=[0.1, 1.00001, 0.2]), {"any": ANY}, r"'p_ill' holds '1.00001' in data row 2"),
        (table(id=["a", "b", "a"]), {"kl": KL}, r"ids \['a'\].*more than once"),
        (table(id=["a", None, "c"]), {"kl": KL}, r"'id' is empty in data row 2"),
        (table(ill=[0, 0, 1]), {"any": ANY, "kl": KL}, r"'any' label contradicts the 'kl' label of 1 cases.*'12'"),
        (table(), {"kl": KL | {"probabilities": ["p0", "p1"]}}, r"4 classes, but 2 probability columns"),
        (table(), {"tkr": KL}, r"maps the level 'tkr'"),
        (table(), {}, r"maps no level"),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(tmp_path: Path, frame: pd.DataFrame, levels: dict[str, Any], message: str) -> None:
    with pytest.raises(KneeoaError, match=message):
        load(tmp_path, frame, levels)
    assert not (tmp_path / "out.parquet").exists()


def test_missing_files_and_unknown_arms_are_named(tmp_path: Path) -> None:
    arm = {"backbone": "net", "mode": "dual", "file": "none.csv", "levels": {"kl": KL}}
    imports = Imports.model_validate({"folder": "f", "case_id": "id", "cohort": "clinic", "arms": {"net-dual": arm}})
    with pytest.raises(KneeoaError, match=r"none\.csv: the file .* does not exist"):
        import_predictions(imports, "net-dual", LEVELS, "study", tmp_path, tmp_path / "out.parquet")
    with pytest.raises(KneeoaError, match=r"'other' is not among"):
        import_predictions(imports, "other", LEVELS, "study", tmp_path, tmp_path / "out.parquet")
    (tmp_path / "none.parquet").write_text("not parquet")
    broken = imports.model_copy(update={"arms": {"net-dual": imports.arms["net-dual"].model_copy(update={"file": "none.parquet"})}})
    with pytest.raises(KneeoaError, match="cannot be read"):
        import_predictions(broken, "net-dual", LEVELS, "study", tmp_path, tmp_path / "out.parquet")


SIGNS = Level(name="signs", kind="multilabel", classes=("osteophytes", "narrowing"))


def load_signs(tmp_path: Path, frame: pd.DataFrame, columns: dict[str, Any]) -> pd.DataFrame:
    frame.to_csv(tmp_path / "arm.csv", index=False)
    arm = {"backbone": "net", "mode": "dual", "file": "arm.csv", "levels": {"signs": columns}}
    imports = Imports.model_validate({"folder": "f", "case_id": "id", "cohort": "clinic", "arms": {"net-dual": arm}})
    import_predictions(imports, "net-dual", (SIGNS,), "study", tmp_path, tmp_path / "out.parquet")
    return PREDICTIONS.read(tmp_path / "out.parquet")


def test_a_multilabel_level_has_a_truth_column_for_each_finding(tmp_path: Path) -> None:
    columns = {"truth": ["grade", "ill"], "probabilities": ["p0", "p1"]}
    rows = load_signs(tmp_path, table(grade=[0, 1, None]), columns)
    assert [[None if np.isnan(value) else int(value) for value in truth] for truth in rows.truth] == [[0, 0], [1, 1], [None, 1]]
    assert [list(values) for values in rows.probabilities] == [[0.5, 0.3], [0.1, 0.2], [0.0, 0.1]], "they need not sum to 1"
    with pytest.raises(KneeoaError, match=r"'grade' holds '2.*' in data row 2; a finding of level 'signs' is 0 or 1"):
        load_signs(tmp_path, table(), columns)
    with pytest.raises(KneeoaError, match="truth column for each of its 2 findings, but 'truth' names 1"):
        load_signs(tmp_path, table(), columns | {"truth": "ill"})


@pytest.mark.parametrize(
    ("ids", "rows"),
    [(["a", None, "c"], "row 2"), ([None, "b", None], "rows 1 and 3"), (["a", " ", "nan"], "rows 2 and 3"), (["a", "None", "c"], "row 2")],
)
@pytest.mark.parametrize("file", ["arm.csv", "arm.parquet"])
@pytest.mark.parametrize("column", ["id", "person"])
def test_absent_ids_are_refused_by_their_rows(tmp_path: Path, ids: list[str | None], rows: str, file: str, column: str) -> None:
    with pytest.raises(KneeoaError, match=rf"column '{column}' is empty in data {rows}; every case needs it"):
        load(tmp_path, table(**{column: ids}), {"any": ANY}, file, subject="person")


def test_ids_lose_the_spaces_around_them_and_a_fraction_of_zero(tmp_path: Path) -> None:
    assert load(tmp_path, table(id=[" 007", "12 ", "b"]), {"any": ANY}).case_id.tolist() == ["007", "12", "b"]
    assert load(tmp_path, table(id=[7.0, 12.0, 13.0]), {"any": ANY}, "arm.parquet").case_id.tolist() == ["7", "12", "13"]


def test_ids_that_look_like_knees_of_a_person_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    account = tmp_path / "account.json"
    arm = {"backbone": "net", "mode": "dual", "file": "arm.csv", "levels": {"any": ANY}}
    table(id=["0001R", "0001L", "0002R"]).to_csv(tmp_path / "arm.csv", index=False)
    for subject, doubts in ((None, 1), ("id", 1), ("person", 0)):
        imports = Imports.model_validate({"folder": "f", "case_id": "id", "subject": subject, "cohort": "clinic", "arms": {"net": arm}})
        caplog.clear()
        import_predictions(imports, "net", LEVELS, "study", tmp_path, tmp_path / "out.parquet", account)
        sentences = json.loads(account.read_text())["doubts"]
        assert len(sentences) == doubts == len(caplog.messages)
        assert [("imports.subject" in sentence) for sentence in sentences] == [subject is None] * doubts
        assert "0001R" not in caplog.text


def test_validation_and_test_cases_are_told_apart_by_a_column(tmp_path: Path) -> None:
    rows = load(tmp_path, table(set=["Validation", "test", "train"]), {"any": ANY}, split_column="set")
    assert dict(zip(rows.case_id, rows.split, strict=True)) == {"007": "val", "12": "test"}
    with pytest.raises(KneeoaError, match=r"column 'set' holds 'external' in data row 3; it is val or test"):
        load(tmp_path, table(set=["val", "test", "external"]), {"any": ANY}, split_column="set")
    with pytest.raises(KneeoaError, match="marks no case as test"):
        load(tmp_path, table(set=["val", "val", "val"]), {"any": ANY}, split_column="set")
