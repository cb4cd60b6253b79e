"""Raters in the configuration: what they multiply, what they leave alone, and one sentence for
each mistake.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.config.study import load
from kneeoa.errors import KneeoaError
from kneeoa.layout import Layout

ROOT = Path(__file__).parents[3]


@pytest.fixture
def noisy() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "workflow/studies/noisy_raters.yaml").read_text())


def test_a_row_multiplies_its_raters_and_none_is_the_reference(noisy: dict[str, Any]) -> None:
    layout = Layout(load(noisy))
    assert len(layout.study.arms_table()) == 3 * 4
    assert layout.arm("resnet3d-dual-none").rater is None
    assert layout.arm("resnet3d-single-oa-r40").rater == "r40"
    assert {factors["rater"] for factors in layout.factors().values()} == {"none", "r10", "r20", "r40"}


def test_an_arm_learns_from_its_raters_table_and_is_judged_by_the_reference(noisy: dict[str, Any]) -> None:
    noisy["cohorts"]["elsewhere"] = copy.deepcopy(noisy["cohorts"]["phantom"]) | {"role": "external"}
    layout = Layout(load(noisy))
    reference = [f"results/noisy_raters/cohorts/{name}/labels.parquet" for name in ("phantom", "elsewhere")]
    assert layout.training_labels("resnet3d-dual-r10") == ["results/noisy_raters/raters/r10/phantom.parquet", reference[1]]
    assert layout.training_labels("resnet3d-dual-none") == layout.labels("resnet3d-dual-r10") == reference
    assert layout.agreements("resnet3d-dual-r10") == ["results/noisy_raters/raters/r10/phantom.json"]
    assert layout.agreements("resnet3d-dual-none") == []
    assert [Path(path).parent.name for path in layout.agreements()] == ["r10", "r20", "r40"]


def test_a_study_without_raters_is_as_it_was_and_an_unused_one_changes_nothing() -> None:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    without = Layout(load(config))
    config["raters"] = {"r10": {"adjacent": 0.1}}
    unused = Layout(load(config))
    for arm in (arm.name for arm in without.study.arms_table()):
        assert without.training_labels(arm) == unused.training_labels(arm) == without.labels(arm)
        assert unused.agreements(arm) == []
    assert unused.factors() == without.factors()
    assert not any("rater" in factors for factors in without.factors().values())
    assert "raters" not in unused.figures()
    config["arms"].append({"backbone": "m3t", "mode": "dual", "grid": "cube", "rater": "r10", "name": "m3t-dual-r10"})
    used = Layout(load(config))
    assert "raters" in used.figures()
    assert used.training_labels("m3t-dual") == without.training_labels("m3t-dual")


MISTAKES = [
    (["raters", "r10"], {}, ["raters.r10", "either 'adjacent'", "'confusion'"]),
    (["raters", "r10"], {"adjacent": 0.1, "confusion": [[1, 0], [0, 1]]}, ["either 'adjacent'"]),
    (["raters", "r10"], {"adjacent": 0.1, "permute": True}, ["either 'adjacent'", "'permute: true'"]),
    (["raters", "r10"], {"permute": True, "level": "oa"}, ["raters.r10", "'oa'", "level 'kl' is finer"]),
    (["raters", "r10", "adjacent"], 1.2, ["'raters.r10.adjacent'", "1.2"]),
    (["raters", "r10", "adjacnet"], 0.1, ["did you mean 'adjacent'"]),
    (["raters", "r10"], {"confusion": [[0.9, 0.2], [0, 1]]}, ["row 0 of 'confusion'", "0.9, 0.2"]),
    (["raters", "r10"], {"confusion": [[1, 0, 0], [0, 1]]}, ["row 0 of 'confusion' has 3 entries"]),
    (["raters", "r10"], {"confusion": [[1, 0], [0, 1]]}, ["raters.r10", "'kl'", "2 rows", "5 classes"]),
    (["raters", "r10"], {"adjacent": 0.1, "level": "grade"}, ["'raters.r10.level'", "'grade'", "oa, kl"]),
    (["raters", "r10"], {"adjacent": 0.1, "level": "oa"}, ["raters.r10", "'oa'", "level 'kl' is finer"]),
    (["raters", "none"], {"adjacent": 0.1}, ["raters.none", "reference labels"]),
    (["levels", 1, "kind"], "multiclass", ["raters.r10.adjacent", "multiclass", "'confusion'"]),
    (["arms", 0, "rater"], ["r10", "r11"], ["rater", "'r11'", "none, r10, r20, r40"]),
    (["arms", 0, "name"], "{backbone}-{mode}", ["two rows", "'resnet3d-dual'", "'name'"]),
]


@pytest.mark.parametrize(("path", "value", "words"), MISTAKES, ids=[f"{'.'.join(map(str, p))}={v}" for p, v, _ in MISTAKES])
def test_a_mistake_is_told_in_a_sentence(noisy: dict[str, Any], path: list[str | int], value: Any, words: list[str]) -> None:
    section: Any = noisy
    for part in path[:-1]:
        section = section[part]
    section[path[-1]] = value
    if path[0] == "levels":
        noisy["statistics"] = {}
        noisy["cohorts"]["phantom"]["split"].pop("stratify")
    with pytest.raises(KneeoaError) as caught:
        load(noisy)
    for word in words:
        assert word in str(caught.value)


def test_an_arm_whose_levels_its_rater_does_not_touch_is_refused(noisy: dict[str, Any]) -> None:
    noisy["levels"].append({"name": "features", "kind": "multilabel", "classes": ["a", "b"]})
    noisy["modes"]["findings"] = {"kind": "single", "levels": ["features"]}
    noisy["arms"].append({"backbone": "resnet3d", "mode": "findings", "rater": "r10"})
    with pytest.raises(KneeoaError, match="none of which follows from the level 'kl' that its rater 'r10' reads"):
        load(noisy)
