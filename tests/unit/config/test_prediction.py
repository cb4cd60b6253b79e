"""Flips and ensembles: what the configuration takes, and what the layout makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from kneeoa.config.pairs import arm_pairs
from kneeoa.config.prediction import flipped_axes
from kneeoa.config.study import load
from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError
from kneeoa.layout import Layout
from kneeoa.presentation.arms import panels

SMALL = yaml.safe_load((Path(__file__).parents[2] / "small.yaml").read_text())
ARMS = ["resnet3d-dual", "m3t-dual"]


def layout(**changes):
    return Layout(load({**SMALL, **changes}))


def test_directions_become_axes_of_the_view():
    volume = View(shape=(4, 8, 8), spacing=(3, 3, 3))
    frontal, lateral = (View(dimensions=2, shape=(8, 8), fit="extent", projection=side) for side in ("frontal", "lateral"))
    assert flipped_axes(volume, ["anterior_posterior", "left_right"]) == (0, 2)
    assert flipped_axes(frontal, ["left_right"]) == (1,)
    assert flipped_axes(lateral, ["anterior_posterior", "superior_inferior"]) == (0, 1)
    assert flipped_axes(volume, []) == ()
    with pytest.raises(ValueError, match="has only the directions superior_inferior, left_right"):
        flipped_axes(frontal, ["anterior_posterior"])


def test_an_ensemble_of_arms_is_a_table_a_seed_and_one_over_seeds_a_single_table():
    made = layout(ensembles={"both": {"members": ARMS}, "all": {"members": ARMS, "seeds": "together", "combine": "logit_mean"}})
    assert made.ensemble_tables("both") == ["seed-1", "seed-2"]
    assert made.ensemble_tables("all") == ["all-seeds"]
    root = "results/small/predictions"
    assert made.ensemble_members("both", "seed-2") == [f"{root}/resnet3d-dual/seed-2.parquet", f"{root}/m3t-dual/seed-2.parquet"]
    assert made.ensemble_members("all", "all-seeds") == [f"{root}/{arm}/seed-{seed}.parquet" for arm in ARMS for seed in (1, 2)]
    new = set(made.predictions()) - set(layout().predictions())
    assert new == {f"{root}/both/seed-1.parquet", f"{root}/both/seed-2.parquet", f"{root}/all/all-seeds.parquet"}


def test_an_ensemble_has_the_factors_that_its_members_share():
    made = layout(ensembles={"both": {"members": ARMS}})
    assert set(made.arms_and_ensembles()) == {*made.factors(), "both"}
    both = made.arms_and_ensembles()["both"]
    assert both["mode"] == "dual"
    assert both["backbone"] == "resnet3d+m3t"
    assert both["ensemble"] == "mean of arms"
    assert {factors["ensemble"] for name, factors in made.arms_and_ensembles().items() if name != "both"} == {"none"}
    assert layout().arms_and_ensembles() == layout().factors()


def test_ensembles_in_two_modes_answer_a_contrast_as_two_arms_do():
    over_seeds = {"seeds": "together"}
    made = layout(
        ensembles={"duals": {"members": ["resnet3d-dual"], **over_seeds}, "oas": {"members": ["resnet3d-single-oa"], **over_seeds}}
    )
    contrast = made.study.statistics.contrasts[0]
    pairs, single = (
        [(pair.candidate, pair.reference) for pair in arm_pairs(contrast, arms)] for arms in (made.arms_and_ensembles(), made.factors())
    )
    assert pairs == [*single, ("duals", "oas")]


@pytest.mark.parametrize(
    ("combine", "words"), [("mean", "mean"), ("logit_mean", "logit mean"), ("vote", "vote"), ("weighted", "weighted mean")]
)
def test_an_ensemble_is_compared_with_each_of_its_members_across_backbones_and_seeds(combine, words):
    ensembles = {"both": {"members": ARMS, "combine": combine}, "all": {"members": ARMS, "combine": combine, "seeds": "together"}}
    pairs = []
    for where in ("of arms", "over seeds"):
        contrast = {
            "name": "pool",
            "level": "kl",
            "factor": "ensemble",
            "candidate": f"{words} {where}",
            "reference": "none",
            "tests": {"macro_auc": ["delong"]},
        }
        made = layout(ensembles=ensembles, statistics={**SMALL["statistics"], "contrasts": [contrast], "families": [], "primary": None})
        pairs.append(
            [(pair.candidate, pair.reference) for pair in arm_pairs(made.study.statistics.contrasts[0], made.arms_and_ensembles())]
        )
    assert pairs == [[("both", arm) for arm in ARMS], [("all", arm) for arm in ARMS]]


def test_weights_need_validation_cases():
    cohort = SMALL["cohorts"]["phantom"]
    without = {"phantom": {**cohort, "split": {"val": 0, "test": 0.4}}}
    changes = {"ensembles": {"e": {"members": ARMS, "combine": "weighted"}}, "cohorts": without, "training": {"checkpoint": "last"}}
    with pytest.raises(KneeoaError, match=r"'ensembles\.e\.combine' is weighted, which is fitted on validation cases.*or set mean"):
        layout(**changes)
    changes["ensembles"] = {"e": {"members": ARMS, "combine": "vote"}}
    assert layout(**changes).ensemble_tables("e") == ["seed-1", "seed-2"]


def test_an_ensemble_is_a_panel_of_its_own_in_figures():
    made = layout(ensembles={"both": {"members": ARMS}, "seeds": {"members": ARMS[:1], "seeds": "together", "combine": "logit_mean"}})
    arms_of_panels = {panel.title: panel.arms for panel in panels(made.arms_and_ensembles(), {"resnet3d": "ResNet3D", "m3t": "M3T"})}
    before = {panel.title: panel.arms for panel in panels(made.factors(), {"resnet3d": "ResNet3D", "m3t": "M3T"})}
    ensembles = {"ResNet3D+M3T, mean of arms": {"dual": "both"}, "ResNet3D, logit mean over seeds": {"dual": "seeds"}}
    assert arms_of_panels == {**before, **ensembles}


@pytest.mark.parametrize(
    ("ensemble", "expected"),
    [
        ({"members": ["nobody", *ARMS]}, r"'ensembles\.e\.members' names 'nobody'"),
        ({"members": ARMS[:1]}, "has one member only"),
        ({"members": ARMS[:1] * 2}, "names an arm twice"),
        ({"members": ARMS, "combine": "median"}, r"combine' is 'median'; allowed are 'mean', 'logit_mean', 'vote' or 'weighted'"),
    ],
)
def test_an_ensemble_that_cannot_be_made_stops_before_any_job(ensemble, expected):
    with pytest.raises(KneeoaError, match=expected):
        layout(ensembles={"e": ensemble})


def test_one_arm_over_its_seeds_is_an_ensemble_and_names_stay_apart():
    assert layout(ensembles={"e": {"members": ARMS[:1], "seeds": "together"}}).ensemble_tables("e") == ["all-seeds"]
    with pytest.raises(KneeoaError, match="an arm has that name already"):
        layout(ensembles={ARMS[0]: {"members": ARMS}})
    with pytest.raises(KneeoaError, match=r"'predict\.flips'|flips"):
        layout(predict={"flips": ["sideways"]})
