"""The layout of files, and which of them an arm needs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.config.study import load
from kneeoa.layout import Layout

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def test_an_arm_reads_canonical_volumes_unless_it_has_a_grid_of_its_own(config: dict[str, Any]) -> None:
    layout = Layout(load(config))
    assert layout.volume_lists("resnet3d-dual") == ["results/phantom/volumes/phantom/sag_dess/shards.json"]
    assert layout.volume_lists("m3t-dual") == ["results/phantom/inputs/cube/phantom/sag_dess/shards.json"]
    assert len(layout.shard_files("volumes", "sag_dess", ".npy", ["phantom"])) == config["cohorts"]["phantom"]["shards"]


def test_a_grid_of_the_canonical_shape_is_not_resampled(config: dict[str, Any]) -> None:
    config["grids"]["cube"]["shape"] = config["views"]["sag_dess"]["shape"]
    assert "/volumes/" in Layout(load(config)).volume_lists("m3t-dual")[0]


def test_runs_are_arms_times_seeds(config: dict[str, Any]) -> None:
    runs = Layout(load(config)).runs("x/{arm}/seed-{seed}")
    assert len(runs) == len(set(runs)) == 18
    assert "results/phantom/x/nnmamba-single-kl/seed-2" in runs


def test_arms_trained_otherwise_are_not_a_contrast_of_modes(config: dict[str, Any]) -> None:
    config["arms"].append({"backbone": "resnet3d", "mode": "dual", "training": {"epochs": 2}, "name": "short"})
    factors = Layout(load(config)).factors()
    equal, other = factors["resnet3d-single-oa"], factors["short"]
    assert {key for key in equal if equal[key] != factors["resnet3d-dual"][key]} == {"mode"}
    assert {key for key in equal if equal[key] != other[key]} == {"mode", "training", "training.epochs"}


def test_figures_and_tables_follow_from_what_a_study_has(config: dict[str, Any]) -> None:
    layout = Layout(load(config))
    assert {"flow", "volumes", "saliency", "anatomy"} <= set(layout.figures())
    config["cohorts"]["phantom"]["tissues"] = {}
    without = Layout(load(config))
    assert set(layout.figures()) - set(without.figures()) == {"anatomy"}
    assert set(layout.tables()) - set(without.tables()) == {"anatomy", "deletion"}
    published = Layout(load(yaml.safe_load((ROOT / "workflow/studies/published.yaml").read_text())))
    assert published.figures() == ["roc", "reliability", "decision", "confusion", "forest", "claim"]
    assert published.predictions()[0] == "results/published/predictions/resnet3d-single-oa/imported.parquet"
    assert published.factors()["nnmamba-dual"] == {"backbone": "nnmamba", "mode": "dual"}
    assert published.truths() == []


def test_a_mode_concerns_the_levels_that_can_be_read_from_it(config: dict[str, Any]) -> None:
    study = load(config)
    assert [level.name for level in study.levels_of("single_kl")] == ["oa", "kl"]
    assert [level.name for level in study.levels_of("single_oa")] == ["oa"]
