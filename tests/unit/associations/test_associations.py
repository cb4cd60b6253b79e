"""Partial, within-person and intraclass correlation against closed forms and planted effects, and
the table of a small study.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy.stats import spearmanr

from kneeoa.associations.build import build_associations
from kneeoa.associations.measures import Resampling, intraclass, partial, within_person
from kneeoa.paper_tables.table_files import write_table
from kneeoa.presentation.arms import ArmNames
from kneeoa.tables.cohort import CASES, LABELS
from kneeoa.tables.geometry import AXIS
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.statistics import ASSOCIATIONS

HOW = Resampling(0.95, 100, 1)


def people(count: int, seed: int = 0) -> tuple[pd.Series, np.random.Generator]:
    return pd.Series([f"s{index // 2:03d}" for index in range(count)]), np.random.default_rng(seed)


def test_without_covariates_it_is_spearman_and_a_common_cause_is_taken_away() -> None:
    subjects, rng = people(200)
    age = np.repeat(rng.normal(size=100), 2)
    x, y = age + 0.5 * rng.normal(size=200), age + 0.5 * rng.normal(size=200)
    plain = partial(x, y, pd.DataFrame(index=range(200)), subjects, HOW)
    assert plain.estimate == pytest.approx(spearmanr(x, y).statistic)
    given = partial(x, y, pd.DataFrame({"age": age}), subjects, HOW)
    assert abs(given.estimate) < 0.25 < plain.low < plain.estimate < plain.high
    frame = pd.DataFrame({"x": x, "y": y, "age": age})
    assert given.estimate == pytest.approx(pingouin.partial_corr(frame, x="x", y="y", covar="age", method="spearman")["r"].iloc[0])
    assert (plain.cases, plain.subjects) == (200, 100)


def test_two_knees_of_a_person_are_not_two_people() -> None:
    subjects, rng = people(60)
    half = rng.normal(size=(30, 2))
    both = np.repeat(half, 2, axis=0)
    doubled = partial(both[:, 0], both[:, 1], pd.DataFrame(index=range(60)), subjects, HOW)
    alone = partial(both[:, 0], both[:, 1], pd.DataFrame(index=range(60)), pd.Series([str(index) for index in range(60)]), HOW)
    assert doubled.high - doubled.low > 1.2 * (alone.high - alone.low)


def test_within_person_sees_what_differs_between_knees_alone() -> None:
    subjects, rng = people(80)
    person = np.repeat(rng.normal(size=40), 2)
    inside = np.tile([1.0, -1.0], 40)
    values, grade = 5 * person + inside + 0.1 * rng.normal(size=80), -3 * person + inside + 0.1 * rng.normal(size=80)
    association = within_person(values, grade, subjects, 0.95)
    assert association.low > 0.9
    noisy = inside + 3 * rng.normal(size=80)
    row = pingouin.rm_corr(pd.DataFrame({"x": values, "y": noisy, "s": subjects}), x="x", y="y", subject="s").iloc[0]
    again = within_person(values, noisy, subjects, 0.95)
    assert (again.estimate, again.p) == pytest.approx((row["r"], row["pval"]), rel=1e-9)
    assert association.p < 1e-9
    assert association.low < association.estimate < association.high
    single = within_person(person, person, pd.Series([str(index) for index in range(80)]), 0.95)
    assert math.isnan(single.estimate)
    assert "too few: 0 people with two knees" in single.note
    assert "nobody's knees differ" in within_person(person, person, subjects, 0.95).note


def test_a_resamples_partial_correlation_is_pingouins_of_the_cases_drawn() -> None:
    from kneeoa.associations.measures import _partial
    from kneeoa.geometry.rank_measures import SortedValues

    rng = np.random.default_rng(3)
    age, sex = rng.normal(size=80).round(1), rng.integers(0, 2, size=80).astype(float)
    table = np.column_stack([age + rng.normal(size=80), (age + rng.normal(size=80)).round(), age, sex])
    weights = rng.integers(0, 3, size=(3, 80)).astype(np.float64)
    for width, given in ((2, []), (4, ["c", "d"])):
        ranks = np.stack([SortedValues(column).ranks(weights) for column in table[:, :width].T], axis=1)
        for times, value in zip(weights, _partial(ranks, weights), strict=True):
            drawn = pd.DataFrame(np.repeat(table, times.astype(int), axis=0), columns=list("abcd"))
            expected = pingouin.partial_corr(drawn, x="a", y="b", covar=given, method="spearman") if given else None
            right = spearmanr(drawn["a"], drawn["b"]).statistic if expected is None else expected["r"].iloc[0]
            assert value == pytest.approx(right, rel=1e-10)
    twice = np.stack([SortedValues(column).ranks(weights) for column in (table[:, 0], table[:, 1], age, 2 * age)], axis=1)
    once = twice[:, :3]
    assert _partial(twice, weights) == pytest.approx(_partial(once, weights), rel=1e-9)
    assert np.isnan(_partial(twice[:, [2, 1, 3]], weights)).all()


@pytest.mark.parametrize("absolute", [True, False])
def test_intraclass_is_pingouins_in_every_resample(absolute: bool) -> None:
    subjects, rng = people(60)
    ratings = rng.normal(size=(60, 1)) + 0.4 * rng.normal(size=(60, 3)) + np.array([0.0, 0.5, 1.0])
    association = intraclass(ratings, subjects.tolist(), HOW, absolute)
    from kneeoa.associations.measures import _intraclass

    assert association.estimate == pytest.approx(_intraclass(ratings, absolute, np.ones((1, 60)))[0])
    weights = rng.integers(0, 3, size=(4, 60)).astype(np.float64)
    for times, value in zip(weights, _intraclass(ratings, absolute, weights), strict=True):
        copied = np.repeat(ratings, times.astype(int), axis=0)
        again = intraclass(copied, [str(index) for index in range(len(copied))], Resampling(0.95, 1, 1), absolute)
        assert value == pytest.approx(again.estimate, rel=1e-12)
    assert association.low < association.estimate < association.high
    assert "undefined" in intraclass(np.ones((60, 2)), subjects.tolist(), HOW, absolute).note
    assert "without a rating" in intraclass(np.where(ratings > 2, np.nan, ratings), subjects.tolist(), HOW, absolute).note


def test_constant_values_and_few_people_are_undefined_and_said() -> None:
    subjects, rng = people(12)
    none = pd.DataFrame(index=range(12))
    assert "one value or grade alone" in partial(np.ones(12), rng.normal(size=12), none, subjects, HOW).note
    few = partial(rng.normal(size=12), rng.normal(size=12), none, subjects, HOW)
    assert math.isnan(few.low)
    assert "too few people (6, 10 are needed)" in few.note


def test_the_table_of_a_small_study(tmp_path: Path) -> None:
    subjects, rng = people(60)
    ids = [f"c{index:03d}" for index in range(60)]
    grade = rng.integers(0, 5, size=60)
    axis, predicted = [], []
    for seed in (0, 1):
        position = (grade + rng.normal(size=60)) * (seed + 1.0)
        for index, case in enumerate(ids):
            both = {"study": "s", "arm": "a", "seed": seed, "cohort": "c", "case_id": case, "subject": subjects[index], "split": "test"}
            axis.append(both | {"axis": "pc1", "position": position[index], "across": 0.0, "grade": int(grade[index])})
            shares = np.full(5, 0.1)
            shares[grade[index]] = 0.6
            row = both | {"level": "kl", "head": "kl", "truth": [int(grade[index])], "probabilities": shares.tolist()}
            row |= {"members": None, "side": "R", "visit": "00m", "label_source": "r"}
            predicted.append(row | {"logits": np.log(shares).tolist(), "calibrated": False})
    AXIS.write(tmp_path / "axis.parquet", axis)
    PREDICTIONS.write(tmp_path / "predictions.parquet", predicted)
    cases = [
        {"cohort": "c", "case_id": case, "subject": subjects[index], "side": "RL"[index % 2], "visit": "00m", "shard": 0}
        | {"site": None, "sex": "MF"[index // 2 % 2], "age": 50.0 + index // 2, "given_split": None}
        for index, case in enumerate(ids)
    ]
    CASES.write(tmp_path / "cases.parquet", cases)
    label = {"cohort": "c", "level": "kl", "readings": 1, "disagreement": False, "all_values": None}
    LABELS.write(
        tmp_path / "labels.parquet", [label | {"case_id": c, "source": "r", "value": [int(g)]} for c, g in zip(ids, grade, strict=True)]
    )
    read = [label | {"case_id": c, "source": "noisy", "value": [min(int(g) + 1, 4)]} for c, g in zip(ids, grade, strict=True)]
    LABELS.write(tmp_path / "readings.parquet", read)
    out = tmp_path / "associations.parquet"
    files = {name: [tmp_path / f"{name}.parquet"] for name in ("predictions", "cases", "labels", "readings")}
    build_associations(
        axes=[tmp_path / "axis.parquet"], overlaps=[], **files, level="kl", measure="enrichment", study="s", how=HOW, out=out
    )
    rows = ASSOCIATIONS.read(out).set_index(["quantity", "statistic", "adjusted_for"])
    assert rows.loc[("axis: pc1", "partial_spearman", "age, sex"), "estimate"] > 0.5
    assert rows.loc[("axis: pc1", "within_person", ""), "low"] > 0.3
    assert rows.loc[("axis: pc1", "icc_consistency", ""), "seeds"] == 2
    assert rows.loc[("score: kl", "icc_agreement", ""), "estimate"] == pytest.approx(1.0)
    assert 0.5 < rows.loc[("grade: kl", "icc_agreement", ""), "estimate"] < 0.95
    arms = {arm: {"backbone": "resnet3d", "mode": "dual"} for arm in set(ASSOCIATIONS.read(out)["arm"]) if not arm.startswith("rater")}
    write_table("associations", tmp_path / "t.csv", tmp_path / "t.tex", associations=out, arms=arms)
    text = (tmp_path / "t.tex").read_text()
    assert "given age, sex" in text
    printed = [[cell.strip() for cell in line.split("&")[:3]] for line in text.splitlines() if line.count("&") > 6]
    assert printed[0] == ["Backbone", "Mode", "Quantity"]
    assert [ArmNames(arms, None).backbone("a"), "Dual", "Axis: pc1"] in printed
    assert ["rater: noisy", "", "Grade: kl"] in printed
