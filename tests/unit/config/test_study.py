"""A wrong configuration stops with a sentence that names key, value and what is allowed."""

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.config.reference import markdown
from kneeoa.config.study import Study, load
from kneeoa.errors import KneeoaError

ROOT = Path(__file__).parents[3]
CONFIGS = [ROOT / "config.yaml", ROOT / "tests" / "small.yaml", *sorted((ROOT / "workflow" / "studies").glob("*.yaml"))]


@pytest.fixture(scope="module")
def default() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_configuration_is_valid(path: Path) -> None:
    study = load(yaml.safe_load(path.read_text()))
    assert study.arms_table() or study.imports


def test_the_default_study_crosses_three_backbones_with_three_modes_and_two_seeds(default: dict[str, Any]) -> None:
    study = load(default)
    factors = {(arm.backbone, arm.mode) for arm in study.arms_table()}
    assert factors == {(b, m) for b in ("resnet3d", "m3t", "nnmamba") for m in ("single_oa", "single_kl", "dual")}
    assert len(study.seeds) >= 2


def test_an_arm_keeps_its_own_changes_of_the_training_section(default: dict[str, Any]) -> None:
    config = copy.deepcopy(default)
    config["arms"][1]["training"] = {"epochs": 3}
    study = load(config)
    epochs = {arm.name: arm.training.epochs for arm in study.arms_table()}
    assert epochs["m3t-dual"] == 3
    assert epochs["resnet3d-dual"] == default["training"]["epochs"]


MISTAKES = [
    (["training", "epoch"], 3, ["'training.epoch'", "did you mean 'epochs'"]),
    (["training", "epochs"], "many", ["'training.epochs'", "'many'"]),
    (["training", "checkpoint"], "bset", ["'training.checkpoint'", "'bset'", "'best'", "'last'"]),
    (["modes", "dual", "kind"], "duel", ["'modes.dual.kind'", "'duel'", "'dual_stacked'"]),
    (["modes", "dual", "levels"], ["kl", "oa"], ["modes.dual.levels", "coarse to fine"]),
    (["modes", "single_oa", "levels"], ["ao"], ["modes.single_oa.levels", "'ao'", "oa, kl"]),
    (["arms", 0, "backbone"], ["resnet3d", "vit"], ["'vit'", "resnet3d, m3t, nnmamba"]),
    (["arms", 1, "grid"], "square", ["grid", "'square'", "cube"]),
    (["arms", 0, "training"], {"epoch": 2}, ["arms[].training", "'epoch'", "epochs"]),
    (["grids", "cube", "shape"], [32, 32, 4], ["m3t", "32, 32, 4"]),
    (["backbones", "resnet3d", "kind"], "resnet4d", ["backbones.resnet3d", "'resnet4d'", "nnmamba"]),
    (["backbones", "resnet3d", "options"], {"widht": 3}, ["backbones.resnet3d", "'widht'", "width"]),
    (["cohorts", "phantom", "phantom", "subjets"], 3, ["subjets", "did you mean 'subjects'"]),
    (["cohorts", "phantom", "root"], "/data", ["cohorts.phantom", "root", "phantom"]),
    (["cohorts", "phantom", "split"], {"val": 0.9, "test": 0.2}, ["cohorts.phantom.split", "0.9", "0.2"]),
    (["cohorts", "phantom", "views"], ["coronal"], ["cohorts.phantom.views", "'coronal'", "sag_dess"]),
    (["levels", 1, "parent_class"], [0, 0, 1, 1, 2], ["'kl'", "2", "classes 0 to 1"]),
    (["statistics", "contrasts", 0, "reference"], "single", ["oa-dual-single", "'single'", "single_oa"]),
    (["statistics", "contrasts", 0, "tests"], {"f1": ["delong"]}, ["delong", "f1", "auc"]),
    (["statistics", "contrasts", 0, "tests"], {"macro_auc": ["delong"]}, ["'macro_auc'", "auc, accuracy"]),
    (["saliency", "target"], "grade", ["'saliency.target'", "'grade'", "known are oa, kl"]),
    (["saliency", "target"], "kl.severe", ["'saliency.target'", "'severe'", "KL 0, KL 1"]),
    (["saliency", "target"], "kl", ["'saliency.target' is 'kl'", "single_oa", "no head that predicts the level 'kl'"]),
    (["anatomy", "targets", "cartilage"], ["meniscus"], ["'meniscus'", "femoral_cartilage"]),
    (["seeds"], [1, 1], ["seeds", "twice"]),
    (["resources", "train", "threads"], 0, ["resources.train.threads", "0"]),
    (["study"], "My Study", ["'study'", "'My Study'", "small letters"]),
]


@pytest.mark.parametrize(("path", "value", "words"), MISTAKES, ids=[f"{'.'.join(map(str, p))}={v}" for p, v, _ in MISTAKES])
def test_a_mistake_is_told_in_a_sentence(default: dict[str, Any], path: list[str | int], value: Any, words: list[str]) -> None:
    config = copy.deepcopy(default)
    section: Any = config
    for part in path[:-1]:
        section = section[part]
    section[path[-1]] = value
    with pytest.raises(KneeoaError) as caught:
        load(config)
    for word in words:
        assert word in str(caught.value)


def test_a_target_of_saliency_names_a_level_or_a_class_of_it(default: dict[str, Any]) -> None:
    config = copy.deepcopy(default)
    config["levels"].insert(0, {"name": "findings", "kind": "multilabel", "classes": ["osteophytes", "narrowing"]})
    config["modes"]["all"] = {"kind": "single", "levels": ["findings"]}
    config["arms"] = [{"backbone": "resnet3d", "mode": "all"}]
    config["statistics"] = {}
    for target in ("findings.osteophytes", "findings.narrowing"):
        config["saliency"]["target"] = target
        assert load(config).saliency.target == target
    config["saliency"]["target"] = "findings"
    with pytest.raises(KneeoaError, match=r"multilabel level 'findings', .* name one, e\.g\. findings\.osteophytes"):
        load(config)
    config["saliency"]["target"] = "kl.KL 2"
    with pytest.raises(KneeoaError, match="arm 'resnet3d-all' has no head that predicts the level 'kl': its mode 'all' has findings"):
        load(config)


def test_a_missing_key_and_several_mistakes_are_all_told(default: dict[str, Any]) -> None:
    config = copy.deepcopy(default)
    del config["levels"]
    config["sedes"] = [1]
    with pytest.raises(KneeoaError) as caught:
        load(config)
    assert "'levels' is missing" in str(caught.value)
    assert "did you mean 'seeds'" in str(caught.value)


def test_the_reference_of_keys_is_current() -> None:
    """docs/configuration.md is generated: `make reference` writes it."""
    assert (ROOT / "docs" / "configuration.md").read_text() == markdown(Study)


def test_the_default_configuration_shows_every_section() -> None:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert set(Study.model_fields) - {"imports"} == set(config)


def test_every_key_has_a_meaning() -> None:
    assert [line for line in markdown(Study).splitlines() if line.endswith("| |")] == []


def test_a_study_is_checked_without_the_libraries_of_numbers() -> None:
    """Every start of Snakemake, and each job of a cluster, reads the configuration."""
    program = (
        "import sys, yaml; from kneeoa.config.study import load; load(yaml.safe_load(open('config.yaml')));"
        "print({'torch', 'numpy', 'pandas', 'scipy', 'pyarrow', 'matplotlib'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow" / "lib")}
    imported = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert imported.stdout.strip() == "set()"
