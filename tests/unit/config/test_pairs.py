"""A contrast varies one factor, any of the arms table; what does not apply is no difference."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.config import factors
from kneeoa.config.factors import value_text
from kneeoa.config.pairs import arm_pairs, missing_counterparts, require_pairs, shared_value
from kneeoa.config.statistics import Contrast
from kneeoa.config.study import load
from kneeoa.errors import KneeoaError
from kneeoa.layout import Layout

SMALL = yaml.safe_load((Path(__file__).parents[2] / "small.yaml").read_text())
TESTS = {"auc": ["delong"]}


def contrast(factor: str, candidate: Any, reference: Any, **keys: Any) -> Contrast:
    return Contrast.model_validate(
        {"name": "c", "level": "oa", "factor": factor, "candidate": candidate, "reference": reference, "tests": TESTS} | keys
    )


def arm(backbone: str | None, mode: str = "dual", **others: Any) -> dict[str, Any]:
    return {"backbone": backbone, "mode": mode, "grid": "canonical", **others}


def names(one: Contrast, arms: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    return [(pair.candidate, pair.reference) for pair in arm_pairs(one, arms)]


def study(**changes: Any) -> Layout:
    return Layout(load({**SMALL, **changes}))


def test_one_row_for_each_combination_of_the_other_factors() -> None:
    arms = {f"{b}-{m}": arm(b, m) for b in ("vit", "resnet", "m3t") for m in ("dual", "single")}
    assert names(contrast("backbone", "vit", "resnet"), arms) == [("vit-dual", "resnet-dual"), ("vit-single", "resnet-single")]
    family = contrast("backbone", ["m3t", "vit"], "resnet")
    assert [pair.candidate_value for pair in arm_pairs(family, arms)] == ["m3t", "m3t", "vit", "vit"]
    assert names(contrast("mode", "dual", "single"), arms)[0] == ("vit-dual", "vit-single")
    assert contrast("mode", "dual", "single") == Contrast(
        name="c", level="oa", candidate="dual", reference="single", tests={"auc": ("delong",)}
    )


def test_a_factor_that_does_not_apply_is_no_difference_and_is_said() -> None:
    arms = {
        "pa": arm("r", view="pa", fusion=None),
        "both-early": arm("r", view="pa+lateral", fusion="early"),
        "both-late": arm("r", view="pa+lateral", fusion="late"),
    }
    one = contrast("view", "pa", ["pa", "lateral"])
    assert one.reference == "pa+lateral"
    pairs = arm_pairs(one, arms)
    assert [pair.reference for pair in pairs] == ["both-early", "both-late"]
    assert pairs[0].note == "fusion does not apply to pa, its counterpart's is early"
    assert shared_value(arms, ("pa", "both-late"), "fusion") == "late"
    assert names(contrast("fusion", "late", "early"), arms) == [("both-late", "both-early")]


def test_what_follows_a_factor_may_differ_and_equal_arms_are_paired_first() -> None:
    arms = {
        "r-slow": arm("resnet", **{"training.learning_rate": "0.0001"}),
        "r-fast": arm("resnet", **{"training.learning_rate": "0.001"}),
        "v-slow": arm("vit", **{"training.learning_rate": "0.0001"}),
        "m-gentle": arm("m3t", **{"training.learning_rate": "1e-05"}),
    }
    with pytest.raises(KneeoaError, match=r"no two arms have the backbones 'm3t' and 'resnet'.*'follows'"):
        require_pairs(contrast("backbone", "m3t", "resnet"), arms)
    followed = contrast("backbone", ["vit", "m3t"], "resnet", follows=["training"])
    assert names(followed, arms) == [("v-slow", "r-slow"), ("m-gentle", "r-slow"), ("m-gentle", "r-fast")]
    assert arm_pairs(followed, arms)[1].note == "training.learning_rate follows: 1e-05 against 0.0001"


def test_an_ensemble_is_compared_with_its_own_members() -> None:
    both = {"members": ["resnet3d-dual", "m3t-dual"]}
    made = study(ensembles={"both": both})
    one = contrast("ensemble", "mean of arms", "none")
    pairs = arm_pairs(one, made.arms_and_ensembles())
    assert [(pair.candidate, pair.reference) for pair in pairs] == [("both", "resnet3d-dual"), ("both", "m3t-dual")]
    assert "backbone does not apply to both, its counterpart's is resnet3d" in pairs[0].note
    assert "grid does not apply to both, its counterpart's is canonical" in pairs[0].note
    assert "mode" not in pairs[0].note
    assert shared_value(made.arms_and_ensembles(), ("both", "m3t-dual"), "backbone") == "m3t"


def test_arms_without_a_counterpart_are_said_with_what_differs() -> None:
    arms = {
        "r-dual": arm("r"),
        "r-single": arm("r", "single"),
        "m-dual": arm("m") | {"grid": "cube"},
        "v-single": arm("v", "single"),
    }
    assert missing_counterparts(contrast("mode", "dual", "single"), arms) == [
        "arm 'm-dual' has no counterpart with the mode 'single': the nearest, 'r-single', differs in backbone (m, r), "
        "grid (cube, canonical) too",
        "no counterpart with the mode 'dual' for the arm 'v-single'",
    ]


@pytest.mark.parametrize(
    ("given", "text"), [("1e-4", "0.0001"), (0.0001, "0.0001"), (8, "8"), (8.0, "8"), (True, "true"), (None, "none"), ("pim", "pim")]
)
def test_values_are_written_in_one_way(given: Any, text: str) -> None:
    assert value_text(given) == text


def test_a_training_setting_in_which_arms_differ_is_a_factor() -> None:
    rows = [*SMALL["arms"], {"backbone": "resnet3d", "mode": "dual", "training": {"learning_rate": 1.0e-4}, "name": "slow"}]
    one = {
        "name": "rate",
        "level": "oa",
        "factor": "training.learning_rate",
        "candidate": "1e-4",
        "reference": SMALL["training"]["learning_rate"],
        "tests": TESTS,
    }
    made = study(arms=rows, statistics={"contrasts": [one]})
    assert names(made.study.statistics.contrasts[0], made.arms_and_ensembles()) == [("slow", "resnet3d-dual")]
    assert made.varied_factors() == ["training.learning_rate"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factor": "plugin"}, r"'statistics.contrasts \(x\).factor' names 'plugin'; known are backbone, mode, view, grid"),
        ({"factor": "training"}, r"'training' is many settings; name one of them, such as training.epochs \(all arms are trained alike\)"),
        ({"factor": "training.epochs"}, r"no two arms differ in 'training.epochs'; they are trained alike"),
        (
            {"factor": "backbone", "candidate": "vit", "reference": "resnet3d"},
            r"'statistics.contrasts \(x\).candidate' names 'vit'; known are resnet3d, m3t",
        ),
        (
            {"factor": "backbone", "candidate": "m3t", "reference": "resnet3d"},
            r"no two arms have the backbones 'm3t' and 'resnet3d'.*differs in grid \(cube, canonical\)",
        ),
        ({"candidate": ["dual", "dual"]}, "names the mode 'dual' twice"),
        ({"follows": ["mode"]}, "'mode' is the factor that varies and cannot stand under 'follows'"),
        ({"follows": ["fusion"]}, r"follows' names 'fusion'; known are backbone"),
    ],
)
def test_contrasts_that_no_arms_can_answer_stop_at_parse(change: dict[str, Any], message: str) -> None:
    one = {"name": "x", "level": "oa", "candidate": "dual", "reference": "single_oa", "tests": TESTS} | change
    with pytest.raises(KneeoaError, match=message):
        study(statistics={"contrasts": [one]})


def test_what_follows_makes_a_contrast_of_unlike_inputs_possible() -> None:
    one = {
        "name": "x",
        "level": "oa",
        "factor": "backbone",
        "candidate": "m3t",
        "reference": "resnet3d",
        "follows": ["grid"],
        "tests": TESTS,
    }
    primary = {"contrast": "x", "metric": "auc", "where": {"mode": "dual"}}
    made = study(statistics={"contrasts": [one], "primary": primary})
    assert names(made.study.statistics.contrasts[0], made.arms_and_ensembles()) == [("m3t-dual", "resnet3d-dual")]
    with pytest.raises(KneeoaError, match="no pair of arms of the contrast 'x' has the mode 'single_oa'"):
        study(statistics={"contrasts": [one], "primary": primary | {"where": {"mode": "single_oa"}}})


def test_imported_arms_have_factors_of_their_own() -> None:
    columns = {"oa": {"truth": "y", "probabilities": ["p"]}}
    arms = {
        "plain": {"backbone": "r", "mode": "dual", "file": "a.csv", "levels": columns},
        "pim": {"backbone": "r", "mode": "dual", "factors": {"plugin": "pim"}, "file": "b.csv", "levels": columns},
        "pool": {"backbone": None, "mode": "dual", "members": ["plain"], "file": "c.csv", "levels": columns},
    }
    contrasts = [
        {"name": "p", "level": "oa", "factor": "plugin", "candidate": "pim", "reference": "none", "tests": TESTS},
        {"name": "e", "level": "oa", "factor": "ensemble", "candidate": "ensemble", "reference": "none", "tests": TESTS},
    ]
    config = {"study": "s", "levels": SMALL["levels"], "imports": {"folder": "f", "case_id": "id", "cohort": "c", "arms": arms}}
    made = Layout(load(config | {"statistics": {"contrasts": contrasts}}))
    table = made.arms_and_ensembles()
    assert table["plain"]["plugin"] == "none"
    assert [names(one, table) for one in made.study.statistics.contrasts] == [[("pim", "plain")], [("pool", "plain")]]
    wrong = {**arms, "pool": arms["pool"] | {"members": ["nobody"]}}
    with pytest.raises(KneeoaError, match=r"imports.arms.pool.members' names 'nobody'; known are plain, pim"):
        load(config | {"imports": config["imports"] | {"arms": wrong}})


def test_grids_and_views_may_be_lists_in_a_row_of_arms() -> None:
    rows = [{"backbone": "resnet3d", "mode": "dual", "grid": ["canonical", "cube"], "name": "{backbone}-{grid}"}]
    one = {"name": "g", "level": "oa", "factor": "grid", "candidate": "cube", "reference": "canonical", "tests": TESTS}
    made = study(arms=rows, statistics={"contrasts": [one]})
    assert {name: factors["grid"] for name, factors in made.factors().items()} == {
        "resnet3d-canonical": "canonical",
        "resnet3d-cube": "cube",
    }
    assert names(made.study.statistics.contrasts[0], made.arms_and_ensembles()) == [("resnet3d-cube", "resnet3d-canonical")]


def test_a_factor_that_does_not_apply_is_not_multiplied_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the fusion of one view will be: here the grid of the first backbone."""
    declared = [replace(one, applies=lambda row: row["backbone"] != "resnet3d") if one.name == "grid" else one for one in factors.FACTORS]
    monkeypatch.setattr(factors, "FACTORS", tuple(declared))
    rows = [{"backbone": ["resnet3d", "m3t"], "mode": "dual", "grid": ["canonical", "cube"], "name": "{backbone}-{grid}"}]
    one = {"name": "b", "level": "oa", "factor": "backbone", "candidate": "m3t", "reference": "resnet3d", "tests": TESTS}
    made = study(arms=rows, statistics={"contrasts": [one]})
    assert {name: row["grid"] for name, row in made.factors().items()} == {
        "resnet3d-none": None,
        "m3t-canonical": "canonical",
        "m3t-cube": "cube",
    }
    pairs = arm_pairs(made.study.statistics.contrasts[0], made.arms_and_ensembles())
    assert [(pair.candidate, pair.reference) for pair in pairs] == [("m3t-canonical", "resnet3d-none"), ("m3t-cube", "resnet3d-none")]
    assert pairs[1].note == "grid does not apply to resnet3d-none, its counterpart's is cube"
