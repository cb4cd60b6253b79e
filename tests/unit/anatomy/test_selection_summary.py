"""Shares of chosen locations over subjects and seeds: people are the clusters, seeds a factor, and
what carries no claim or has no value says why.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.anatomy.selection_summary import summarise_selections
from kneeoa.config.statistics import Statistics
from kneeoa.tables.cohort import LABELS
from kneeoa.tables.selections import SELECTION_SHARES, SELECTION_SUMMARY
from tests.unit.training.tiny_study import KL, label_row

STATISTICS = Statistics(resamples=300, seed=3)


def row(subject: str, visit: str, seed: int, share: float | None, **values: Any) -> dict[str, Any]:
    identity = {"study": "s", "arm": "a", "seed": seed, "cohort": "most", "case_id": f"{subject}-R-{visit}", "subject": subject}
    numbers = {"locations": 576, "chosen": 32, "placed": 32, "tissue": "joint", "share": share}
    nulls = dict.fromkeys(("chance", "null_mean", "others_mean"), None if share is None else 0.1)
    return identity | {"level": "kl", "map": "map-1"} | numbers | nulls | values


def summarised(folder: Path, rows: list[dict[str, Any]], grades: dict[str, int] | None = None) -> pd.DataFrame:
    SELECTION_SHARES.write(folder / "shares.parquet", rows)
    LABELS.write(folder / "labels.parquet", [label_row("most", case, "kl", [grade]) for case, grade in (grades or {}).items()])
    arguments: dict[str, Any] = {"shares": [folder / "shares.parquet"], "labels": [folder / "labels.parquet"], "level": KL}
    summarise_selections(**arguments, statistics=STATISTICS, out=folder / "summary.parquet")
    return SELECTION_SUMMARY.read(folder / "summary.parquet")


def test_people_weigh_alike_however_many_visits_and_seeds_they_have(tmp_path: Path) -> None:
    rows = [row("one", visit, seed, 0.4 + 0.1 * seed) for visit in ("00m", "12m", "24m") for seed in (1, 2)]
    rows += [row("two", "00m", seed, 0.1) for seed in (1, 2)]
    table = summarised(tmp_path, rows)
    mean = table[table["seed"].isna()].iloc[0]
    assert mean["share"] == pytest.approx((0.55 + 0.1) / 2)
    assert mean["difference"] == pytest.approx((0.45 + 0.0) / 2)
    assert (mean["cases"], mean["subjects"], mean["seeds"]) == (4, 2, 2)
    by_seed = table.dropna(subset="seed").set_index("seed")["difference"]
    assert by_seed.to_dict() == pytest.approx({1: 0.2, 2: 0.25})
    assert set(table["seeds"]) == {1, 2}


def test_intervals_hold_a_mean_that_is_there_and_are_of_people(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    people = rng.normal(0.3, 0.1, 60)
    rows = [row(f"p{number:02d}", visit, 1, float(share)) for number, share in enumerate(people) for visit in ("00m", "12m", "24m")]
    once = [each for each in rows if each["case_id"].endswith("00m")]
    table, single = summarised(tmp_path, rows), summarised(tmp_path, once)
    assert table[["difference", "low", "high"]].equals(single[["difference", "low", "high"]])  # repeated visits add no certainty
    assert 0 < table["low"].iloc[0] < 0.2 < table["high"].iloc[0]
    assert table["high"].iloc[0] - table["low"].iloc[0] == pytest.approx(2 * 1.96 * people.std() / np.sqrt(60), rel=0.25)


def test_grades_have_rows_grade_zero_among_them(tmp_path: Path) -> None:
    rows = [row(f"p{number}", "00m", 1, 0.1 * (number % 5)) for number in range(20)]
    grades = {each["case_id"]: int(each["case_id"][1 : each["case_id"].index("-")]) % 5 for each in rows[:-1]}
    table = summarised(tmp_path, rows, grades).set_index("grade")
    assert table["cases"].to_dict() == {pd.NA: 20, 0: 4, 1: 4, 2: 4, 3: 4, 4: 3}  # one case has no grade
    assert table.loc[0, "difference"] == pytest.approx(-0.1)
    assert table.loc[4, "share"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("chosen", "locations", "claim"), [(32, 128, True), (33, 128, False), (49, 49, False), (1, 4, True), (2, 4, False)]
)
def test_more_than_a_quarter_carries_no_claim(tmp_path: Path, chosen: int, locations: int, claim: bool) -> None:
    rows = [row(f"p{number}", "00m", 1, 0.2, chosen=chosen, placed=chosen, locations=locations) for number in range(3)]
    one = summarised(tmp_path, rows).iloc[0]
    assert one["claim"] == claim
    assert (f"no claim: {chosen} of {locations} locations are chosen" in one["note"]) != claim


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ({"placed": 0}, "undefined: no chosen location has a place in the image"),
        ({}, "undefined: the tissue is in no mask"),
    ],
)
def test_what_has_no_value_says_why(tmp_path: Path, values: dict[str, Any], note: str) -> None:
    one = summarised(tmp_path, [row(f"p{number}", "00m", 1, None, **values) for number in range(3)]).iloc[0]
    assert one[["share", "difference", "low", "high", "others_difference"]].isna().all()
    assert note in one["note"]
    assert one["cases"] == 0


def test_cases_without_the_tissue_and_class_tokens_are_counted(tmp_path: Path) -> None:
    rows = [row("one", "00m", 1, 0.3), row("two", "00m", 1, None), row("three", "00m", 1, 0.3, placed=31)]
    one = summarised(tmp_path, rows).iloc[0]
    assert "1 of 3 selections without a value" in one["note"]
    assert "class tokens, which have no place, are left out" in one["note"]
    assert (one["cases"], one["subjects"]) == (2, 2)


def test_no_selection_at_all_is_an_empty_table(tmp_path: Path) -> None:
    assert summarised(tmp_path, []).empty
