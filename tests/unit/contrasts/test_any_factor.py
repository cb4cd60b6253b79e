"""CONTRASTS of factors other than the mode: columns, families of several candidates, seeds, what is
said.
"""

import pandas as pd
import pytest

from kneeoa.config.statistics import Contrast, Family, Primary, Statistics
from kneeoa.contrasts.build import build_contrasts
from kneeoa.tables.statistics import CONTRASTS

ARMS = {name: {"backbone": name, "mode": "dual", "training.epochs": "8"} for name in ("n", "v", "m")}
ARMS |= {"n-short": {"backbone": "n", "mode": "dual", "training.epochs": "2"}}
ALONE = {"n": {"backbone": "n", "mode": "dual", "ensemble": "none"}, "v": {"backbone": "v", "mode": "dual", "ensemble": "none"}}
POOLED = ALONE | {"both": {"backbone": "n+v", "mode": "dual", "ensemble": "mean of arms", "members": ["n", "v"]}}


def contrast(factor: str, candidate: str | list[str], reference: str, name: str = "c") -> Contrast:
    keys = {"name": name, "level": "oa", "factor": factor, "candidate": candidate, "reference": reference}
    return Contrast.model_validate(keys | {"tests": {"auc": ["delong", "bootstrap"], "accuracy": ["mcnemar"]}})


def build(tmp_path, levels, make, save, arms, contrasts, seeds=(0,), **options) -> pd.DataFrame:
    frames = [make(arm, ("oa", "kl"), seed, noise=place, skill=1 + 0.2 * place) for place, arm in enumerate(arms) for seed in seeds]
    statistics = Statistics(resamples=100, contrasts=contrasts, **options)
    build_contrasts(save(*frames), arms, levels, statistics, tmp_path / "c.parquet")
    return CONTRASTS.read(tmp_path / "c.parquet")


def test_rows_name_the_factor_and_both_values(tmp_path, levels, make, save) -> None:
    rows = build(tmp_path, levels, make, save, ARMS, (contrast("backbone", "v", "n"), contrast("training.epochs", "2", "8", "e")))
    assert rows[["factor", "candidate", "reference", "candidate_value", "reference_value"]].drop_duplicates().to_numpy().tolist() == [
        ["backbone", "v", "n", "v", "n"],
        ["training.epochs", "n-short", "n", "2", "8"],
    ]
    assert rows.loc[rows.contrast == "c", "backbone"].isna().all()
    assert (rows.loc[rows.contrast == "e", "backbone"] == "n").all()


def test_random_seeds_are_tested_for_any_factor(tmp_path, levels, make, save) -> None:
    rows = build(tmp_path, levels, make, save, ARMS, (contrast("backbone", "v", "n"),), seeds=(0, 1, 2))
    random = rows[rows.test == "seeds"]
    assert random.metric.tolist() == ["auc", "accuracy"]
    assert (random.generalises == "subjects and seeds").all()
    assert (rows.seeds == 3).all()


def test_several_candidates_are_a_family_of_the_first_test_of_each_metric(tmp_path, levels, make, save) -> None:
    several = contrast("backbone", ["v", "m"], "n")
    rows = build(tmp_path, levels, make, save, ARMS, (several,))
    family = rows[rows.family == "c"]
    assert family[["candidate", "metric", "test"]].to_numpy().tolist() == [
        [arm, metric, test] for arm in ("v", "m") for metric, test in (("auc", "delong"), ("accuracy", "mcnemar"))
    ]
    assert set(family.adjustment) == {"holm"}
    assert (family.m == 4).all()
    assert (rows[rows.test == "bootstrap"].family == "none").all()
    named = Family(name="all", adjust="bh", tests=("delong", "mcnemar", "bootstrap"))
    assert (build(tmp_path, levels, make, save, ARMS, (several,), families=(named,)).family == "all").all()


def test_the_primary_pair_is_chosen_by_any_factor(tmp_path, levels, make, save) -> None:
    primary = Primary(contrast="c", metric="auc", where={"backbone": "m"})
    rows = build(tmp_path, levels, make, save, ARMS, (contrast("backbone", ["v", "m"], "n"),), primary=primary)
    chosen = rows[rows.family == "primary"]
    assert chosen[["candidate", "metric", "test", "adjustment"]].to_numpy().tolist() == [["m", "auc", "delong", "none"]]


def test_an_ensemble_stands_against_each_member_and_what_does_not_apply_is_said(tmp_path, levels, make, save) -> None:
    rows = build(tmp_path, levels, make, save, POOLED, (contrast("ensemble", "mean of arms", "none"),))
    assert rows.reference.unique().tolist() == ["n", "v"]
    assert rows.backbone.unique().tolist() == ["n", "v"]
    assert rows[rows.reference == "v"].note.str.contains("backbone does not apply to both, its counterpart's is v").all()


def test_arms_without_a_counterpart_are_logged(tmp_path, levels, make, save, caplog: pytest.LogCaptureFixture) -> None:
    build(tmp_path, levels, make, save, ARMS, (contrast("backbone", "v", "n"),))
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "contrast c: no counterpart with the backbone 'v' for the arm 'n-short'"
    ]
