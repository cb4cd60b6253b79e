"""The table of raters: doses from the accounts, arms paired within a rater, slopes beside
them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kneeoa.atomic_io import write_json
from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.raters import build_raters, noise, shown
from kneeoa.errors import KneeoaError
from kneeoa.tables.raters import RATERS
from tests.unit.contrasts.conftest import LEVELS, predictions

HEADS = {"single_oa": ("oa",), "single_kl": ("kl",), "dual": ("oa", "kl")}
MISREAD = {"none": 0.0, "r10": 0.1, "r40": 0.4}
ARMS: dict[str, dict[str, Any]] = {
    f"net-{mode}-{rater}": {"backbone": "net", "mode": mode, "rater": rater, "view": "v", "grid": "canonical", "training": "t"}
    for mode in HEADS
    for rater in MISREAD
}
STATISTICS = Statistics.model_validate(
    {
        "resamples": 100,
        "contrasts": [
            {
                "name": "oa",
                "level": "oa",
                "candidate": "dual",
                "reference": "single_oa",
                "tests": {"accuracy": ["mcnemar"], "auc": ["delong"]},
            },
            {
                "name": "kl",
                "level": "kl",
                "candidate": "dual",
                "reference": "single_kl",
                "tests": {"macro_auc": ["delong"], "quadratic_kappa": ["bootstrap"], "mae": ["bootstrap"]},
            },
        ],
    }
)


def account(path: Path, rater: str, cohort: str = "c") -> Path:
    wrong = round(20 * MISREAD[rater])
    counts = (np.eye(5, dtype=int) * (20 - wrong) + np.roll(np.eye(5, dtype=int), 1, axis=1) * wrong).tolist()
    agreement = {"cases": 100, "misread": MISREAD[rater], "quadratic_kappa": 0.5, "counts": counts}
    content = {"rater": rater, "cohort": cohort, "level": "kl", "seed": 0, "agreement": {"kl": {"train": agreement, "val": agreement}}}
    write_json(path / f"{rater}-{cohort}.json", content)
    return path / f"{rater}-{cohort}.json"


def study(folder: Path, save: Any, seeds: tuple[int, ...] = (1, 2, 3)) -> tuple[list[Path], list[Path]]:
    """Single modes lose skill with noise, dual ones do not."""
    frames = []
    for name, factors in ARMS.items():
        skill = 1.5 if factors["mode"] == "dual" else 1.5 - 3 * MISREAD[factors["rater"]]
        frames += [predictions(name, HEADS[factors["mode"]], seed, skill, noise=len(name), n=120) for seed in seeds]
    return save(*frames), [account(folder, rater) for rater in ("r10", "r40")]


def built(tmp_path: Path, save: Any, **changes: Any) -> pd.DataFrame:
    files, accounts = study(tmp_path, save, **changes)
    build_raters(files, accounts, ARMS, LEVELS, STATISTICS, tmp_path / "out.parquet")
    return RATERS.read(tmp_path / "out.parquet")


def test_every_rater_has_arms_differences_seeds_and_a_planted_slope_is_found(tmp_path: Path, save: Any) -> None:
    table = built(tmp_path, save)
    assert set(zip(table["contrast"], table["metric"], strict=True)) == {("oa", "auc"), ("kl", "macro_auc"), ("kl", "quadratic_kappa")}
    areas = table[table["metric"] == "auc"]
    points = areas[areas["quantity"] != "slope"]
    assert points.groupby(["rater", "quantity"]).size().to_dict() == {
        (rater, quantity): 4 for rater in MISREAD for quantity in ("candidate", "difference", "reference")
    }
    means = points[points["seed"].isna()].set_index(["quantity", "rater"])["estimate"]
    assert means["difference"].to_numpy() == pytest.approx((means["candidate"] - means["reference"]).to_numpy())
    for _, one in table[(table["quantity"] == "slope") & table["seed"].isna()].groupby(["contrast", "metric"]):
        assert set(one["interval"]) == {"subjects", "subjects and seeds"}
        assert (one["estimate"] > 0).all()
        assert (one["low"] > 0).all()
        assert (one["subjects"] == 60).all()


def test_the_dose_is_the_realised_share_over_all_cohorts(tmp_path: Path) -> None:
    noises = noise([account(tmp_path, "r10"), account(tmp_path, "r10", "d"), account(tmp_path, "r40")])
    assert {name: one.misread for name, one in noises.items()} == pytest.approx(MISREAD)
    assert noises["none"].kappa == 1.0
    assert 1 > noises["r10"].kappa > noises["r40"].kappa


def test_two_seeds_leave_the_slope_over_seeds_empty(tmp_path: Path, save: Any) -> None:
    table = built(tmp_path, save, seeds=(1, 2))
    sampled = table[table["interval"] == "subjects and seeds"]
    assert sampled["p"].isna().all()
    assert sampled["note"].str.contains("2 seeds").all()


def test_a_binary_level_shows_no_metric_that_needs_a_threshold() -> None:
    assert list(shown(STATISTICS.contrasts[0], LEVELS[0])) == ["auc"]
    assert list(shown(STATISTICS.contrasts[1], LEVELS[1])) == ["macro_auc", "quadratic_kappa"]


def test_metrics_of_single_classes_and_of_findings_have_no_trend() -> None:
    several = STATISTICS.contrasts[1].model_copy(update={"tests": {"auc": ("bootstrap",), "kappa": ("bootstrap",)}})
    assert list(shown(several, LEVELS[1])) == ["kappa"]
    findings = Level(name="f", kind="multilabel", classes=("a", "b"))
    assert list(shown(STATISTICS.contrasts[0], findings)) == []


def test_a_rater_without_an_account_and_arms_with_other_seeds_are_said(tmp_path: Path, save: Any) -> None:
    files, accounts = study(tmp_path, save)
    with pytest.raises(KneeoaError, match="Rater 'r40' has no account"):
        build_raters(files, accounts[:1], ARMS, LEVELS, STATISTICS, tmp_path / "out.parquet")
    with pytest.raises(KneeoaError, match="have other seeds"):
        build_raters(files[1:], accounts, ARMS, LEVELS, STATISTICS, tmp_path / "out.parquet")
