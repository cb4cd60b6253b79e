"""Tables of runs have a column for the fold of a cross-validation, empty while there are none."""

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.layout import run_key
from kneeoa.tables.geometry import AXIS, GEOMETRY
from kneeoa.tables.runs import HISTORY, PREDICTIONS, embeddings
from kneeoa.tables.saliency import DELETION, OVERLAP, SALIENCY
from kneeoa.tables.statistics import METRICS

OF_RUNS = (AXIS, DELETION, embeddings(4), GEOMETRY, HISTORY, METRICS, OVERLAP, PREDICTIONS, SALIENCY)
ROW = {"arm": "a", "seed": 1, "epoch": 1, "split": "train", "level": "oa", "measure": "loss", "value": 0.5}


@pytest.mark.parametrize("table", OF_RUNS, ids=lambda table: table.name)
def test_tables_of_runs_have_the_column_in_their_key(table) -> None:
    field = table.schema.field("fold")
    assert field.nullable
    assert field.type == pa.int32()
    assert "fold" in table.key


@pytest.mark.parametrize("rows", [[ROW], pd.DataFrame([ROW])], ids=["dictionaries", "frame"])
def test_rows_without_a_fold_have_an_empty_one(tmp_path, rows) -> None:
    HISTORY.write(tmp_path / "h.parquet", rows)
    assert pq.read_table(tmp_path / "h.parquet")["fold"].null_count == 1
    assert HISTORY.read(tmp_path / "h.parquet")["fold"].isna().all()


def test_folds_of_one_seed_are_rows_of_their_own(tmp_path) -> None:
    HISTORY.write(tmp_path / "h.parquet", [ROW | {"fold": fold} for fold in (1, 2)])
    assert HISTORY.read(tmp_path / "h.parquet")["fold"].tolist() == [1, 2]
    with pytest.raises(KneeoaError, match="share a key"):
        HISTORY.write(tmp_path / "h.parquet", [ROW | {"fold": 1}] * 2)


def test_other_columns_are_still_missed(tmp_path) -> None:
    with pytest.raises(KneeoaError, match=r"lacks the columns \['value'\]"):
        HISTORY.write(tmp_path / "h.parquet", pd.DataFrame([ROW]).drop(columns="value"))


def test_paths_are_as_they_were_without_folds() -> None:
    assert (run_key(3), run_key(3, 2)) == ("3", "3-fold-2")
