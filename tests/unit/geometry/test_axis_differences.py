from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kneeoa.config.analysis import Contrast, Geometry
from kneeoa.errors import KneeoaError
from kneeoa.geometry.axis_differences import compare_axes
from kneeoa.tables.geometry import AXIS, DIFFERENCES
from tests.unit.geometry.planted import LEVELS, cases

ARMS = {"r-single": {"backbone": "r", "mode": "single"}, "r-dual": {"backbone": "r", "mode": "dual"}}
SIDES = {"candidate": "dual", "reference": "single", "tests": {"accuracy": ("mcnemar",)}}
CONTRASTS = [Contrast.model_validate({"name": name, "level": name, **SIDES}) for name in ("oa", "kl")]


def placed(folder: Path, noise: dict[str, float], seeds: tuple[int, ...] = (1, 2)) -> list[Path]:
    frame = cases(train=2, test=120)
    paths = []
    for number, arm in enumerate(ARMS):
        for seed in seeds:
            rng = np.random.default_rng([seed, number if noise["r-single"] != noise["r-dual"] else 0])
            rows = frame[["cohort", "split", "case_id", "subject", "grade"]].assign(
                study="s",
                arm=arm,
                seed=seed,
                axis="pc1",
                across=0.0,
                position=frame["grade"] + rng.normal(scale=noise[arm], size=len(frame)),
            )
            paths.append(folder / f"{arm}-{seed}.parquet")
            AXIS.write(paths[-1], rows)
    return paths


def compare(paths: list[Path], out: Path) -> pd.DataFrame:
    compare_axes(paths, ARMS, CONTRASTS, LEVELS, Geometry(resamples=200), "s", out)
    return DIFFERENCES.read(out).set_index("measure")


def test_a_better_ordered_arm_is_told_apart(tmp_path: Path) -> None:
    differences = compare(placed(tmp_path, {"r-single": 3.0, "r-dual": 0.5}), tmp_path / "out.parquet")
    assert len(differences) == len(set(differences.index))  # two contrasts, one pair of arms
    row = differences.loc["spearman"]
    assert (row["candidate"], row["reference"], row["seeds"], row["cases"]) == ("r-dual", "r-single", 2, 120)
    assert row["difference"] == pytest.approx(row["estimate_candidate"] - row["estimate_reference"])
    assert row["low"] > 0.1
    assert row["p"] == pytest.approx(2 / 201)
    assert not [name for name in differences.index if name.startswith("centroid_position")]


def test_equal_arms_differ_by_nothing(tmp_path: Path) -> None:
    differences = compare(placed(tmp_path, {"r-single": 1.0, "r-dual": 1.0}), tmp_path / "out.parquet")
    assert (differences["difference"] == 0).all()
    assert (differences["p"] == 1).all()


def test_other_cases_stop_it(tmp_path: Path) -> None:
    paths = placed(tmp_path, {"r-single": 1.0, "r-dual": 0.5})
    AXIS.write(paths[0], AXIS.read(paths[0]).iloc[:-1])
    with pytest.raises(KneeoaError, match="place other test cases"):
        compare(paths, tmp_path / "out.parquet")
