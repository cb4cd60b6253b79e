"""The account: found = analysed + excluded, and each excluded case counts once."""

import json
from pathlib import Path
from typing import Any

import pytest

from kneeoa.config.cohorts import Split
from kneeoa.errors import KneeoaError
from kneeoa.splits.flow import count_flow
from kneeoa.splits.make import make_splits
from kneeoa.tables.cohort import EXCLUSIONS, SPLITS
from tests.unit.splits.cohort_tables import LEVELS, Tables


def tables(root: Path) -> Tables:
    made = Tables(root)
    for number in range(20):
        made.add(f"{number:02d}", "R", number % 5)
    made.add("00", "L", 2)
    made.exclude(made.add("90", "R", None), "cohort", "missing-label")
    # Two reasons at two stages, the later one first in the file: it counts at the earlier stage,
    # once.
    twice = made.add("91", "R", None, views=())
    made.exclude(twice, "volumes", "unreadable")
    made.exclude(twice, "cohort", "missing-label")
    made.exclude(made.add("92", "R", 1, views=()), "volumes", "slice-gap")
    made.exclude(made.add("92", "L", 1, views=()), "volumes", "slice-gap")
    made.exclude("03-R-00m", "masks", "mask-misaligned", scope="mask")
    made.exclude("04-R-00m", "masks", "mask-repaired", scope="repair")
    made.exclude(None, "cohort", "unknown-knee")
    return made


def run(made: Tables, *, divide: bool = True) -> dict[str, Any]:
    inputs = made.write()
    splits = made.root / "splits.parquet"
    if divide:
        make_splits(name="main", role="develop", split=Split(), levels=LEVELS, views=("sag_dess",), out_splits=splits, **inputs)
    count_flow(
        name="main", levels=LEVELS, cases=inputs["cases"], labels=inputs["labels"], splits=splits, exclusions=inputs["exclusions"],
        out_exclusions=made.root / "all.parquet", out_flow=made.root / "flow.json",
    )  # fmt: skip
    return dict(json.loads((made.root / "flow.json").read_text()))


def test_the_numbers_add_up(tmp_path: Path) -> None:
    flow = run(tables(tmp_path))
    assert flow["cohort"] == "main"
    assert flow["found"] == {"cases": 25, "subjects": 23}
    assert flow["excluded"] == [
        {"stage": "cohort", "reason": "missing-label", "cases": 2, "subjects": 2},
        {"stage": "volumes", "reason": "slice-gap", "cases": 2, "subjects": 1},
    ]
    assert flow["analysed"] == {"cases": 21, "subjects": 20}
    assert flow["found"]["cases"] == flow["analysed"]["cases"] + sum(row["cases"] for row in flow["excluded"])
    for key in ("cases", "subjects"):
        assert sum(split[key] for split in flow["splits"].values()) == flow["analysed"][key]
    for split in flow["splits"].values():
        for level in ("oa", "kl"):
            assert sum(split["levels"][level].values()) == split["cases"]
    assert [sum(split["levels"]["kl"][grade] for split in flow["splits"].values()) for grade in "01234"] == [4, 4, 5, 4, 4]
    assert flow["masks"] == [{"reason": "mask-misaligned", "cases": 1}]
    assert flow["repaired"] == 1
    assert flow["loose"] == [{"stage": "cohort", "reason": "unknown-knee", "rows": 1}]
    assert flow["readings"] == [{"level": level, "several": 0, "disagreement": 0} for level in ("oa", "kl")]


def test_several_readings_and_those_that_differ_are_counted(tmp_path: Path) -> None:
    made = tables(tmp_path)
    for row in made.labels[:6]:
        row |= {"readings": 2, "disagreement": row["case_id"] == "01-R-00m", "all_values": "15:1; 37:2"}
    assert run(made)["readings"] == [{"level": level, "several": 3, "disagreement": 1} for level in ("oa", "kl")]


def test_all_stages_rows_are_gathered_in_their_order(tmp_path: Path) -> None:
    run(tables(tmp_path))
    rows = EXCLUSIONS.read(tmp_path / "all.parquet")
    assert rows["stage"].tolist() == ["cohort"] * 3 + ["volumes"] * 3 + ["masks"] * 2
    assert len(rows) == len(tables(tmp_path).exclusions)


def test_a_cohort_without_exclusions(tmp_path: Path) -> None:
    made = Tables(tmp_path)
    for number in range(10):
        made.add(f"{number:02d}", "R", number % 5)
    flow = run(made)
    assert flow["excluded"] == flow["masks"] == flow["loose"] == []
    assert len(EXCLUSIONS.read(tmp_path / "all.parquet")) == 0


def test_a_lost_or_a_doubly_counted_case_is_an_error(tmp_path: Path) -> None:
    made = tables(tmp_path)
    run(made)
    made.add("99", "R", 1)
    with pytest.raises(KneeoaError, match="1 cases are neither analysed nor excluded, first 99-R-00m"):
        run(made, divide=False)
    made.cases.pop()
    made.exclude("05-R-00m", "volumes", "unreadable")
    with pytest.raises(KneeoaError, match="1 cases are both analysed and excluded, first 05-R-00m"):
        run(made, divide=False)
    made.exclusions.pop()
    rows = SPLITS.read(tmp_path / "splits.parquet")
    SPLITS.write(tmp_path / "splits.parquet", rows.assign(case_id=rows["case_id"].replace("05-R-00m", "77-R-00m")))
    with pytest.raises(KneeoaError, match="neither analysed nor excluded"):
        run(made, divide=False)
