"""Tables are validated on both sides of the file and written atomically, byte for byte the same."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.tables.schema import TableSchema, optional, required

PEOPLE = TableSchema(
    "people",
    pa.schema([required("name", pa.string()), optional("seed", pa.int32()), required("scores", pa.list_(pa.float64()))]),
    key=("name", "seed"),
)
ROWS = pd.DataFrame({"name": ["a", "b"], "seed": pd.array([1, None], dtype="Int32"), "scores": [[0.5], [0.25, 0.75]]})


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    PEOPLE.write(tmp_path / "people.parquet", ROWS)
    back = PEOPLE.read(tmp_path / "people.parquet")
    assert back["name"].tolist() == ["a", "b"]
    assert back["seed"].isna().tolist() == [False, True]
    assert [list(x) for x in back["scores"]] == [[0.5], [0.25, 0.75]]
    assert [path.name for path in tmp_path.iterdir()] == ["people.parquet"]


def test_equal_rows_are_equal_bytes_whatever_the_column_order(tmp_path: Path) -> None:
    PEOPLE.write(tmp_path / "1.parquet", ROWS)
    PEOPLE.write(tmp_path / "2.parquet", ROWS[["scores", "seed", "name"]])
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="seed"), "lacks the columns ['seed']"),
        (lambda f: f.assign(more=1), "unknown columns ['more']"),
        (lambda f: f.assign(name=[None, "b"]), "name: string not null"),
        (lambda f: pd.concat([f, f]), "share a key"),
        (lambda f: f.assign(seed=["x", "y"]), "wrong type"),
    ],
)
def test_a_wrong_table_is_refused_and_leaves_no_file(tmp_path: Path, change, words: str) -> None:
    with pytest.raises(KneeoaError, match=words.replace("[", r"\[").replace("]", r"\]")):
        PEOPLE.write(tmp_path / "people.parquet", change(ROWS))
    assert list(tmp_path.iterdir()) == []


def test_another_table_is_not_taken_for_this_one(tmp_path: Path) -> None:
    other = TableSchema("other", pa.schema([required("name", pa.string())]), key=())
    other.write(tmp_path / "other.parquet", pd.DataFrame({"name": ["a"]}))
    with pytest.raises(KneeoaError, match="not a 'people' table"):
        PEOPLE.read(tmp_path / "other.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(KneeoaError, match="cannot be read"):
        PEOPLE.read(tmp_path / "broken.parquet")


def test_concat_keeps_the_key_unique_over_files(tmp_path: Path) -> None:
    PEOPLE.write(tmp_path / "1.parquet", ROWS)
    with pytest.raises(KneeoaError, match="share a key"):
        PEOPLE.concat([tmp_path / "1.parquet", tmp_path / "1.parquet"])


def test_concat_reads_the_columns_wanted_beside_the_key(tmp_path: Path) -> None:
    PEOPLE.write(tmp_path / "1.parquet", ROWS)
    wanted = [name for name in PEOPLE.schema.names if name in PEOPLE.key]
    assert list(PEOPLE.concat([tmp_path / "1.parquet"], []).columns) == wanted
    assert list(PEOPLE.concat([], []).columns) == wanted
    assert list(PEOPLE.concat([tmp_path / "1.parquet"]).columns) == PEOPLE.schema.names


def test_categories_hold_the_same_strings_in_ascending_order(tmp_path: Path) -> None:
    for number, names in enumerate((["c", "a"], ["d", "b"])):
        PEOPLE.write(tmp_path / f"{number}.parquet", ROWS.assign(name=names))
    paths = [tmp_path / "0.parquet", tmp_path / "1.parquet"]
    plain, coded = PEOPLE.concat(paths), PEOPLE.concat(paths, categorical=True)
    assert coded["name"].cat.categories.tolist() == ["a", "b", "c", "d"]
    pd.testing.assert_frame_equal(coded.astype({"name": plain["name"].dtype}), plain)
    with pytest.raises(KneeoaError, match="share a key"):
        PEOPLE.concat([paths[0], paths[0]], categorical=True)
