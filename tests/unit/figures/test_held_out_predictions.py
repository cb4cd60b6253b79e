"""Reading only what a figure draws gives the rows that reading everything gives, and finds the same
faults.
"""

from pathlib import Path

import pyarrow as pa
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.figures.held_out_predictions import scan_rows
from kneeoa.tables.schema import TableSchema, optional, required

TABLE = TableSchema(
    "things",
    pa.schema(
        [
            required("name", pa.string()),
            optional("seed", pa.int32()),
            required("kind", pa.string()),
            required("value", pa.float64()),
        ]
    ),
    key=("name", "seed"),
)


def _write(path: Path, rows: list[tuple[str, int | None, str, float]]) -> Path:
    TABLE.write(path, [dict(zip(("name", "seed", "kind", "value"), row, strict=True)) for row in rows])
    return path


def test_rows_are_those_of_the_whole_tables(tmp_path: Path) -> None:
    one = _write(tmp_path / "one.parquet", [("a", 1, "x", 0.5), ("b", None, "y", 1.5), ("c", None, "x", 2.5)])
    two = _write(tmp_path / "two.parquet", [("a", 2, "x", 3.5), ("b", 2, "y", 4.5)])
    scanned = scan_rows(TABLE, [one, two], {"kind": "x"}, ["value"])
    assert list(scanned.columns) == ["name", "seed", "value"]
    assert scanned[["name", "value"]].to_numpy().tolist() == [["a", 0.5], ["c", 2.5], ["a", 3.5]]
    assert scanned["seed"].isna().tolist() == [False, True, False]
    assert scan_rows(TABLE, [one], {"kind": "absent"}, ["value"]).empty
    assert list(scan_rows(TABLE, [], {"kind": "x"}, ["value"]).columns) == ["name", "seed", "value"]


def test_another_table_a_broken_file_and_a_repeated_key_are_told(tmp_path: Path) -> None:
    one = _write(tmp_path / "one.parquet", [("a", 1, "x", 0.5)])
    with pytest.raises(KneeoaError, match="1 rows whose key another row has"):
        scan_rows(TABLE, [one, one], {"kind": "x"}, ["value"])
    other = TableSchema("others", pa.schema([required("name", pa.string())]), key=("name",))
    with pytest.raises(KneeoaError, match="is not a 'others' table of this version"):
        scan_rows(other, [one], {}, [])
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no table")
    with pytest.raises(KneeoaError, match="cannot be read as the Parquet table 'things'"):
        scan_rows(TABLE, [broken], {"kind": "x"}, ["value"])
