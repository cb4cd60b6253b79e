"""Splits: disjoint, stratified, stable, and about the analysed cases alone."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kneeoa.atomic_io import sha256_file
from kneeoa.config.cohorts import Split
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.splits.make import make_splits
from kneeoa.tables.cohort import CASES, SPLITS
from tests.unit.splits.cohort_tables import LEVELS, Tables


def run(tables: Tables, split: Split | None = None, **changes: Any) -> pd.DataFrame:
    out = tables.root / "splits.parquet"
    options = {"name": "main", "role": "develop", "levels": LEVELS, "views": ("sag_dess",)} | tables.write() | changes
    make_splits(split=split or Split(), out_splits=out, **options)
    return SPLITS.read(out)


def many(root: Path, count: int, seed: int = 0, both: float = 0.4) -> Tables:
    rng = np.random.default_rng(seed)
    tables = Tables(root)
    for number in rng.permutation(count):
        for side in ("R", "L") if rng.random() < both else ("R",):
            tables.add(f"{9000000 + number}", side, int(rng.choice(5, p=(0.35, 0.15, 0.25, 0.17, 0.08))))
    return tables


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    count=st.integers(8, 90), seed=st.integers(0, 50), val=st.sampled_from([0.0, 0.1, 0.15, 0.3]), test=st.sampled_from([0.1, 0.25, 0.4])
)
def test_subjects_are_disjoint_and_every_stratum_has_its_share(tmp_path: Path, count: int, seed: int, val: float, test: float) -> None:
    tables = many(tmp_path, count, seed)
    splits = run(tables, Split(val=val, test=test, seed=seed))
    assert len(splits) == len(tables.cases)
    assert (splits.groupby("subject")["split"].nunique() == 1).all()
    worst: dict[str, int] = {}
    for row in tables.labels:
        if row["level"] == "kl":
            subject = row["case_id"].split("-")[0]
            worst[subject] = max(worst.get(subject, 0), row["value"][0])
    split_of = dict(zip(splits["subject"], splits["split"], strict=True))
    shares = {"val": Fraction(str(val)), "test": Fraction(str(test))}
    for name, share in shares.items():
        assert abs(sum(split == name for split in split_of.values()) - count * share) < 1
        for grade in range(5):
            members = [subject for subject, stratum in worst.items() if stratum == grade]
            assert abs(sum(split_of[subject] == name for subject in members) - len(members) * share) < 1


def test_the_seed_and_nothing_else_decides(tmp_path: Path) -> None:
    tables = many(tmp_path, 60)
    first = run(tables, Split(seed=3))
    bytes_ = sha256_file(tmp_path / "splits.parquet")
    for rows in (tables.cases, tables.labels, tables.volumes):
        rows.reverse()
    run(tables, Split(seed=3))
    assert sha256_file(tmp_path / "splits.parquet") == bytes_
    other = run(tables, Split(seed=4))
    assert (first.set_index("case_id")["split"] != other.set_index("case_id")["split"]).any()
    assert first["case_id"].is_monotonic_increasing


def test_one_more_subject_moves_few_of_the_others(tmp_path: Path) -> None:
    tables = many(tmp_path, 200)
    before = run(tables).set_index("case_id")["split"]
    tables.add("9999999", "R", 2)
    after = run(tables).set_index("case_id")["split"]
    assert (after.drop("9999999-R-00m") != before).mean() < 0.05


def test_no_split_follows_the_order_of_names_or_grades(tmp_path: Path) -> None:
    # Paper A's test knees are sorted by grade; neither their names nor their order may decide.
    tables = Tables(tmp_path)
    for number in range(300):
        tables.add(f"{number:03d}", "R", number // 60)
    splits = run(tables, Split(val=0.2, test=0.3))
    places = splits.assign(place=splits["subject"].astype(int)).groupby("split")["place"].mean()
    assert places.between(125, 175).all()


def test_only_cases_with_every_view_a_label_and_no_exclusion_are_analysed(tmp_path: Path) -> None:
    tables = many(tmp_path, 20, both=0)
    for row in list(tables.volumes):
        tables.volumes.append(row | {"view": "pa", "row": row["row"] + 100})
    kept = {row["case_id"] for row in tables.cases}
    one_view = tables.add("1", "R", 2)
    tables.add("2", "R", None, views=("sag_dess", "pa"))
    tables.exclude(tables.add("3", "R", 2, views=("sag_dess", "pa")), "masks", "mask-misaligned")
    masked = tables.add("4", "R", 2, views=("sag_dess", "pa"))
    tables.exclude(masked, "masks", "mask-misaligned", scope="mask")
    assert set(run(tables, views=("sag_dess", "pa"))["case_id"]) == kept | {masked}
    assert set(run(tables)["case_id"]) == kept | {masked, one_view}


def test_the_sources_own_split_is_kept_and_validation_carved_out_of_training(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for number in range(100):
        tables.add(f"{number:03d}", "R", number % 5, given="train" if number < 80 else "test")
    splits = run(tables, Split(method="given", val=0.25))
    split_of = dict(zip(splits["subject"], splits["split"], strict=True))
    assert {subject for subject, split in split_of.items() if split == "test"} == {f"{number:03d}" for number in range(80, 100)}
    for grade in range(5):
        dealt = [split_of[f"{number:03d}"] for number in range(80) if number % 5 == grade]
        assert (dealt.count("val"), dealt.count("train")) == (4, 12)


def test_the_sources_own_validation_set_is_kept(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for number in range(30):
        tables.add(f"{number:02d}", "R", number % 5, given=("train", "val", "test")[number % 3])
    splits = run(tables, Split(method="given", val=0.25))
    assert splits["split"].tolist() == [("train", "val", "test")[int(subject) % 3] for subject in splits["subject"]]


def test_a_source_that_splits_a_subject_or_says_nothing_is_refused(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    tables.add("1", "R", 0, given="train")
    tables.add("1", "L", 0, given="test")
    with pytest.raises(KneeoaError, match="puts subject 1 into test and train"):
        run(tables, Split(method="given"))
    tables = Tables(tmp_path)
    tables.add("1", "R", 0)
    with pytest.raises(KneeoaError, match="puts subject 1 into none"):
        run(tables, Split(method="given"))


def test_an_external_cohort_is_all_test(tmp_path: Path) -> None:
    assert set(run(many(tmp_path, 10), role="external")["split"]) == {"test"}


def test_the_level_to_balance_can_be_chosen_and_must_exist(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for number in range(40):
        tables.add(f"{number:03d}", "R", number % 2 * 4)
    splits = run(tables, Split(stratify="oa", val=0.1, test=0.5)).merge(pd.DataFrame(tables.labels).query("level == 'oa'"), on="case_id")
    assert splits.groupby("split")["value"].apply(lambda values: sum(value[0] for value in values)).to_dict() == {
        "test": 10,
        "train": 8,
        "val": 2,
    }
    with pytest.raises(KneeoaError, match="'stratify' is 'grade', which is not a level"):
        run(tables, Split(stratify="grade"))


def test_findings_are_balanced_by_their_number(tmp_path: Path) -> None:
    signs = (Level(name="signs", kind="multilabel", classes=("a", "b", "c")),)
    tables = Tables(tmp_path)
    for number in range(40):
        tables.add(f"{number:03d}", "R", 0)
    tables.labels = [
        row | {"level": "signs", "value": [int(number % 4 > place) for place in range(3)]}
        for number, row in enumerate(row for row in tables.labels if row["level"] == "kl")
    ]
    splits = run(tables, Split(val=0, test=0.5), levels=signs)
    assert [sum(splits.loc[splits["split"] == "test", "subject"].astype(int) % 4 == count) for count in range(4)] == [5, 5, 5, 5]


@pytest.mark.parametrize("reason", ["nothing", "no training"])
def test_a_cohort_that_cannot_be_divided_is_one_clear_sentence(tmp_path: Path, reason: str) -> None:
    tables = Tables(tmp_path)
    if reason == "nothing":
        tables.add("1", "R", None)
        with pytest.raises(KneeoaError, match="no case with a volume in every view"):
            run(tables)
    else:
        tables.add("1", "R", 1)
        with pytest.raises(KneeoaError, match="none of them is left for training"):
            run(tables, Split(val=0.1, test=0.6))


def test_ids_that_are_in_another_cohort_too_must_be_declared(tmp_path: Path) -> None:
    mine, other = many(tmp_path, 20), Tables(tmp_path / "other")
    other.root.mkdir()
    for number in (3, 7, 100):
        other.add(f"{9000000 + number}", "R", 1)
    written = other.write()["cases"]
    table = CASES.read(written)
    CASES.write(written, table.assign(cohort="clinic"))
    with pytest.raises(KneeoaError, match=r"2 ids are both in cohort 'main' and in cohort 'clinic' \(9000003, 9000007\): say 'same_people"):
        run(mine, others=[written])
    CASES.write(written, table[table["subject"] == "9000100"].assign(cohort="clinic"))
    assert len(run(mine, others=[written])) == len(mine.cases)


def test_of_an_unlabelled_cohort_nobody_is_analysed(tmp_path: Path) -> None:
    tables = Tables(tmp_path)
    for number in range(5):
        tables.add(f"{number}", "R", None)
    with pytest.raises(KneeoaError, match="has no case with a volume in every view and a label"):
        run(tables, role="external")
    assert len(run(tables, role="unlabelled")) == 0


def test_a_class_that_a_split_lacks_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tables = Tables(tmp_path)
    for number in range(40):
        tables.add(f"{number:02d}", "R", 0 if number < 39 else 4)
    splits = run(tables)
    rare = splits.loc[splits["case_id"] == "39-R-00m", "split"].iloc[0]
    lacking = sorted({"train", "val", "test"} - {rare})
    for level, kind in (("kl", "4"), ("oa", "yes")):
        for split in lacking:
            assert f"main: {split} has no case of {kind} of level '{level}'" in caplog.text
    assert f"main: {rare} has no case" not in caplog.text


def test_a_finding_that_a_split_lacks_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tables = Tables(tmp_path)
    for number in range(40):
        case_id = tables.add(f"{number:02d}", "R", None)
        value = [1, int(number == 7), 0, None]
        tables.labels.append(
            {
                "cohort": "main",
                "case_id": case_id,
                "level": "signs",
                "source": "reader",
                "value": value,
                "readings": 1,
                "disagreement": False,
            }
        )
    signs = Level(name="signs", kind="multilabel", classes=("spurs", "cysts", "nobody has it", "unread"))
    run(tables, levels=(signs,))
    lines = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(lines) == 2
    assert all("has no case of cysts of level 'signs'" in line for line in lines)


def test_a_cohort_of_every_class_in_every_split_is_not_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run(many(tmp_path, 200))
    assert "has no case of" not in caplog.text
