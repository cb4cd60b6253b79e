"""A study that could never be computed stops where the configuration is read, in a sentence that
names key, value and what there is.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.anatomy.overlap_measures import measure_names
from kneeoa.config.analysis_checks import LEAST_SEEDS, SALIENCY_MEASURES
from kneeoa.config.study import load
from kneeoa.errors import KneeoaError
from kneeoa.statistics import seeds
from tests.unit.kinds_of_level import BINARY, FINDINGS, KINDS, study

ROOT = Path(__file__).parents[3]


def changed(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    config = copy.deepcopy(config)
    for key, value in changes.items():
        *parents, last = key.split(".")
        section = config
        for name in parents:
            section = section[int(name)] if isinstance(section, list) else section.setdefault(name, {})
        section[last] = value
    return config


FAMILY = {"name": "f", "adjust": "holm", "tests": ["delong"]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"statistics.threshold": {"rule": "youden"}}, ["statistics.threshold", "youden", "validation", "imports.split_column"]),
        ({"statistics.threshold": {"rule": "sensitivity", "value": 0.8}}, ["statistics.threshold", "'sensitivity'"]),
        ({"imports.split": "external"}, ["split", "'external'", "test cases"]),
        ({"imports.split": "val"}, ["split", "'val'", "test cases"]),
        ({"statistics.subgroups": {"side": "all"}}, ["statistics.subgroups", "'side'", "imported", "levels (oa, signs)"]),
        ({"statistics.subgroups": {"sex": "all"}}, ["statistics.subgroups", "'sex'"]),
        ({"statistics.subgroups": {"signs": "all"}}, ["subgroups.signs", "multilabel"]),
        ({"statistics.subgroups": {"oa": [0, 2]}}, ["subgroups.oa", "'2'", "0 to 1"]),
        ({"statistics.subgroups": {"oa": {"bands": [3, 5]}}}, ["subgroups.oa.bands", "0 to 1"]),
        (
            {"statistics.families": [FAMILY | {"tests": ["mcnemar"], "contrasts": ["oa-contrast"]}]},
            ["families (f)", "tests: mcnemar", "no test of any contrast"],
        ),
        ({"statistics.families": [FAMILY | {"tests": ["seeds"]}]}, ["families (f)", "tests: seeds"]),
        ({"statistics.families": [FAMILY | {"tests": ["non_inferiority"]}]}, ["families (f)", "non_inferiority"]),
        ({"statistics.families": [FAMILY | {"metrics": ["brier"]}]}, ["families (f)", "metrics: brier"]),
        ({"imports.arms.net0-dual.levels": {}}, ["net0-dual.levels", "maps no level", "oa, signs"]),
        ({"imports.arms.net0-dual.levels.tkr": {"truth": "y", "probabilities": ["p"]}}, ["'tkr'", "no level"]),
        ({"imports.arms.net0-dual.levels.signs.probabilities": ["a", "b"]}, ["signs.probabilities", "2 columns", "3 findings"]),
        ({"imports.arms.net0-dual.levels.oa.probabilities": ["a", "b", "c"]}, ["oa.probabilities", "3 columns", "2 classes (or 1"]),
        ({"imports.arms.net0-dual.levels.oa.probabilities": ["a", "a"]}, ["oa.probabilities", "'a' twice"]),
        ({"imports.arms.net0-dual.levels.signs.truth": "y"}, ["signs.truth", "1 columns", "each of its 3 findings"]),
        ({"imports.arms.net0-dual.levels.oa.truth": ["y", "z"]}, ["oa.truth", "2 columns", "takes 1"]),
    ],
)
def test_of_imported_predictions(tmp_path: Path, changes: dict[str, Any], words: list[str]) -> None:
    config = study(tmp_path, [BINARY, FINDINGS])
    load(config)
    with pytest.raises(KneeoaError) as caught:
        load(changed(config, changes))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2, "one sentence"
    assert [word for word in words if word not in lines[1]] == []


def test_a_contrast_of_a_level_that_no_arm_predicts(tmp_path: Path) -> None:
    config = study(tmp_path, KINDS["binary and multilabel"])
    for arm in config["imports"]["arms"].values():
        del arm["levels"]["oa"]
    with pytest.raises(KneeoaError, match=r"oa-contrast\).level' is 'oa', which no arm predicts; predicted are signs"):
        load(config)


def test_what_can_be_computed_is_not_refused(tmp_path: Path) -> None:
    config = study(tmp_path, [BINARY, FINDINGS])
    more = {"statistics.threshold": {"rule": "youden"}, "imports.split_column": "set", "statistics.families": [FAMILY]}
    load(changed(config, more | {"statistics.subgroups": {"oa": [0, 1]}, "imports.split": "test"}))
    load(changed(study(tmp_path, [FINDINGS]), {"statistics.threshold": {"rule": "youden"}}))  # no binary level


SMALL = yaml.safe_load((ROOT / "tests" / "small.yaml").read_text())
SPLIT = "cohorts.phantom.split"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({f"{SPLIT}.test": 0}, ["split.test", "no test case"]),
        ({f"{SPLIT}.val": 0, "statistics.threshold": {"rule": "youden"}, "training.checkpoint": "last"}, ["threshold", "split.val"]),
        ({f"{SPLIT}.val": 0, "predict": {"temperature": True}, "training.checkpoint": "last"}, ["predict.temperature", "split.val"]),
        ({"geometry.level": "oa"}, ["geometry.level", "'oa'", "binary", "ordinal are kl"]),
        ({"geometry.axes": []}, ["geometry.axes"]),
        ({"geometry.axes": ["lda"]}, ["claim.axis", "'pc1'", "lda"]),
        ({"statistics.claim": {"tissue": "meniscus"}}, ["claim.tissue", "'meniscus'", "cartilage, bone"]),
        ({"statistics.claim": {"measure": "iou"}}, ["claim.measure", "'iou'", "enrichment"]),
        ({"anatomy.targets.bone": []}, ["anatomy.targets"]),
        ({"statistics.subgroups": {"sex": {"bands": [0, 1]}}}, ["subgroups.sex", "no number"]),
        ({"statistics.subgroups": {"kl": ["KL 7"]}}, ["subgroups.kl", "'KL 7'", "0 to 4"]),
    ],
)
def test_of_a_trained_study(changes: dict[str, Any], words: list[str]) -> None:
    load(SMALL)
    with pytest.raises(KneeoaError) as caught:
        load(changed(SMALL, changes))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2, "one sentence"
    assert [word for word in words if word not in lines[1]] == []


def test_a_family_of_tests_over_seeds_needs_three_of_them() -> None:
    family = {"statistics.families": [FAMILY | {"tests": ["seeds"]}]}
    load(changed(SMALL, family | {"seeds": [1, 2, 3]}))
    with pytest.raises(KneeoaError, match="matches no test"):
        load(changed(SMALL, family))


def test_names_that_are_written_here_are_those_of_the_methods() -> None:
    """They are repeated as checking a configuration must not import numpy."""
    assert set(SALIENCY_MEASURES) == set(measure_names())
    assert seeds.LEAST_SEEDS == LEAST_SEEDS
