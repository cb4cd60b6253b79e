"""Tables made elsewhere become prediction tables, or one clear sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.analysis import Imports
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.files import sha256_file
from kneeoa.imports import import_predictions
from kneeoa.tables.predictions import PREDICTIONS

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
    found = load(tmp_path, table(), {"any": ANY}, file, subject="person")
    assert found.case_id.tolist() == ["007", "12", "b"]
    assert found.subject.tolist() == ["x", "x", "y"]
    assert [list(p) for p in found.probabilities] == [[0.75, 0.25], [1 - 0.8, 0.8], [1 - 1.2e-08, 1.2e-08]]
    assert [list(t) for t in found.truth] == [[0], [1], [1]]
    assert set(zip(found.level, found["head"], strict=True)) == {("any", "any")}
    assert found.seed.isna().all()
    assert found.logits.isna().all()
    first = found.iloc[0]
    assert (first.study, first.arm, first.cohort, first.split, first.visit) == ("study", "net-dual", "clinic", "test", "00m")
    assert (first.label_source, first.calibrated) == ("import", False)


def test_coarser_levels_are_derived_all_the_way_up(tmp_path: Path) -> None:
    found = load(tmp_path, table(), {"any": ANY, "kl": KL})
    rows = {key: part.set_index("case_id") for key, part in found.groupby(["level", "head"])}
    assert set(rows) == {("any", "any"), ("kl", "kl"), ("oa", "kl"), ("any", "kl")}
    assert rows["oa", "kl"].probabilities["12"] == pytest.approx([0.3, 0.3, 0.4])
    assert rows["any", "kl"].probabilities["12"] == pytest.approx([0.3, 0.7])
    assert [int(t[0]) for t in rows["oa", "kl"].truth] == [0, 1, 2]
    assert [int(t[0]) for t in rows["any", "kl"].truth] == [0, 1, 1]
    assert found[found.level == "any"].subject.tolist() == found[found.level == "any"].case_id.tolist()


@pytest.mark.parametrize("excess", [5e-8, 0.01], ids=["single precision", "two decimals"])
def test_a_coarser_sum_that_the_tables_rounding_carries_past_one_is_one(tmp_path: Path, excess: float) -> None:
    frame = table(p0=[0.5, 0.1, 0.0], p1=[0.3, 0.2, 0.0], p2=[0.1, 0.3, 0.3], p3=[0.1, 0.4, 0.7 + excess])
    found = load(tmp_path, frame, {"kl": KL})
    rows = {key: part.set_index("case_id").probabilities for key, part in found.groupby(["level", "head"])}
    assert list(rows["any", "kl"]["b"]) == [0.0, 1.0]
    assert list(rows["kl", "kl"]["b"]) == [0.0, 0.0, 0.3, 0.7 + excess], "what was imported stays as it is"
    assert list(rows["any", "kl"]["12"]) == [0.3, 0.7], "the tables' own decimals, not 0.1 + 0.2 in double"


def test_an_empty_label_stays_unread(tmp_path: Path) -> None:
    found = load(tmp_path, table(grade=[0, None, 3]), {"kl": KL})
    truth = found[found.level == "any"].set_index("case_id").truth
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
