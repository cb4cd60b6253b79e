"""Plug-ins in a configuration: a factor of arms whose names, digests and paths stay as they are
where it is not asked for, and what does not fit stops when the configuration is read.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import Any

import pytest
import yaml

from kneeoa.config.factors import arms_table
from kneeoa.config.pairs import arm_pairs
from kneeoa.config.study import Study, load
from kneeoa.errors import KneeoaError
from kneeoa.layout import Layout
from tests.dag import ROOT

PIM = {"kind": "pim", "width": 16, "select": [32, 16, 8, 8]}
CONTRAST = {"level": "kl", "factor": "plugin", "candidate": "pim", "reference": "none", "tests": {"macro_auc": ["delong"]}}


def config(**changes: Any) -> dict[str, Any]:
    """The small study, with a plug-in on two arms of each mode."""
    study: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "small.yaml").read_text())
    study["plugins"] = {"pim": copy.deepcopy(PIM)}
    study["arms"] = [{"backbone": "resnet3d", "mode": ["single_kl", "dual"], "plugin": ["none", "pim"]}]
    study["statistics"] = {"contrasts": [{"name": "plugin", **CONTRAST}]}
    return {**study, **changes}


def refused(changed: dict[str, Any]) -> str:
    with pytest.raises(KneeoaError) as error:
        load(changed)
    return str(error.value)


def with_pim(**options: Any) -> dict[str, Any]:
    changed = config()
    changed["plugins"]["pim"] |= options
    return changed


def names(study: Study) -> list[str]:
    return [arm.name for arm in study.arms_table()]


def test_a_plugin_is_a_factor_of_arms() -> None:
    study = load(config())
    assert names(study) == ["resnet3d-single-kl", "resnet3d-single-kl-pim", "resnet3d-dual", "resnet3d-dual-pim"]
    table = arms_table(study)
    assert [table[arm]["plugin"] for arm in table] == ["none", "pim", "none", "pim"]
    pairs = arm_pairs(study.statistics.contrasts[0], table)
    assert [(pair.candidate, pair.reference) for pair in pairs] == [
        ("resnet3d-single-kl-pim", "resnet3d-single-kl"), ("resnet3d-dual-pim", "resnet3d-dual"),
    ]  # fmt: skip


def test_a_name_that_is_given_is_taken_as_it_is() -> None:
    row = {"backbone": "resnet3d", "mode": "dual", "plugin": ["none", "pim"], "name": "{plugin}-on-{backbone}"}
    assert names(load(config(arms=[row], statistics={}))) == ["none-on-resnet3d", "pim-on-resnet3d"]
    row["name"] = "{backbone}-{mode}"
    assert "two rows of 'arms' give the arm name 'resnet3d-dual'" in refused(config(arms=[row], statistics={}))


def test_arms_without_a_plugin_are_as_they_were() -> None:
    plain = yaml.safe_load((ROOT / "tests" / "small.yaml").read_text())
    study = load(plain)
    assert all("plugin" not in factors for factors in arms_table(study).values())
    assert Layout(study).parts() == Layout(study).part_metrics() == []
    assert not {"selections", "selection_shares"} & {*Layout(study).figures(), *Layout(study).tables()}
    assert "parts" not in Layout(study).tables()
    other = load({**plain, "plugins": {"pim": PIM}})
    assert arms_table(other) == arms_table(study)
    assert Layout(other).untrained() == Layout(study).untrained()


def test_parts_and_untrained_networks_of_arms_with_a_plugin() -> None:
    layout = Layout(load(config()))
    runs = [(mode, seed) for mode in ("single-kl", "dual") for seed in (1, 2)]
    assert layout.parts() == [f"results/small/parts/resnet3d-{mode}-pim/seed-{seed}.parquet" for mode, seed in runs]
    assert layout.parts("resnet3d-dual-pim") == [f"results/small/parts/resnet3d-dual-pim/seed-{seed}.parquet" for seed in (1, 2)]
    assert layout.part_metrics() == [f"results/small/statistics/parts/resnet3d-{mode}-pim.parquet" for mode in ("single-kl", "dual")]
    assert layout.untrained() == {
        "resnet3d-single-kl": "untrained-resnet3d",  # as without the plug-in
        "resnet3d-single-kl-pim": "untrained-resnet3d-pim-single_kl",
        "resnet3d-dual-pim": "untrained-resnet3d-pim-dual",
    }


def test_what_is_chosen_is_shown_of_the_first_seed_and_measured_where_there_are_masks() -> None:
    layout = Layout(load(config()))
    first = [f"results/small/selections/resnet3d-{mode}-pim/seed-1.parquet" for mode in ("single-kl", "dual")]
    assert layout.first_selections() == first
    assert layout.selection_shares() == [
        file.replace("seed-1", f"seed-{seed}").replace(".parquet", ".shares.parquet") for file in first for seed in (1, 2)
    ]
    assert {"selections", "selection_shares"} <= set(layout.figures())
    assert {"selections", "parts"} <= set(layout.tables())
    study = config()
    del study["anatomy"]["targets"]
    bare = Layout(load(study))
    assert bare.selection_shares() == []
    assert "selections" in bare.figures()
    assert "selection_shares" not in bare.figures()
    assert "selections" not in bare.tables()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            with_pim(widht=8),
            "the key 'widht' is not known; did you mean 'width'? (allowed here: kind, maps, pretrained, select, weights, width)",
        ),
        (with_pim(kind="pom"), "'kind' is 'pom', which is not a plug-in; allowed are pim (in 'plugins.pim')"),
        (config(plugins={"pim": 3}), "a plug-in is a section with its 'kind', not 3 (in 'plugins.pim')"),
        (with_pim(width=3), "'width' is 3: input should be greater than or equal to 4"),
        (with_pim(weights={"levels": -1}), "'weights.levels' is -1"),
        (with_pim(select=[32, 49, 8, 8]), "'select' takes 49 locations of map 2, which has 48; the maps have [384, 48, 48, 48]"),
        (with_pim(select=[8, 8, 8, 7]), "'select' takes 31 locations in all ([8, 8, 8, 7]); the combiner needs 32 at least"),
        (with_pim(select=[32, 32]), "'select' has 2 numbers ([32, 32]), but the backbone gives 4 maps, of 6 x 8 x 8, 3 x 4 x 4,"),
        (with_pim(maps="public"), "the plug-in module was not published with backbone 'resnet3d', so there is no 'maps: public'"),
        (config(plugins={"none": PIM}), "'plugins.none': the name 'none' stands for arms without a plug-in"),
        (config(plugins={}), "'arms (resnet3d-single-kl-pim).plugin' names 'pim'; known are none"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, Any], message: str) -> None:
    assert message in refused(changed)


PUBLIC = {"kind": "pim", "maps": "public", "pretrained": {"file": "pim.pth", "shape": [224, 224]}}


def radiographs(shape: list[int], mode: str, backbone: dict[str, Any]) -> dict[str, Any]:
    """A study of radiographs of this size, with the published module's layers and a file of it."""
    study: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "small_radiographs.yaml").read_text())
    study["views"]["pa"]["shape"] = shape
    changes = {"backbones": {"net": backbone}, "plugins": {"pim": PUBLIC}, "arms": [{"backbone": "net", "mode": mode, "plugin": "pim"}]}
    return {**study, **changes, "statistics": {}}


def test_a_file_whose_layers_are_tied_to_another_image_size_is_refused_with_the_sizes() -> None:
    swin = {"kind": "swin2d", "options": {"embedding": 12, "heads": [1, 2, 3, 4], "depths": [1, 1, 1, 1]}}
    message = refused(radiographs([256, 224], "single_kl", swin))
    assert "trained on images of [224, 224], to whose locations its layers are tied, but the arm's are [256, 224], with" in message
    assert "with 896, 224, 56, 56 locations" in message
    assert load(radiographs([224, 224], "single_kl", swin))
    resnet = {"kind": "resnet50", "options": {"width": 4}}
    assert load(radiographs([256, 224], "single_kl", resnet))  # interpolation takes any size
    assert "which has heads of one level, but 2 supervise" in refused(radiographs([224, 224], "dual", resnet))


def test_an_arm_of_a_coarser_grid_is_checked_for_its_own_maps() -> None:
    row = {"backbone": "resnet3d", "mode": "dual", "grid": "cube", "plugin": "pim"}
    assert "which has 27" in refused(config(arms=[row], statistics={}, plugins={"pim": {**PIM, "select": [32, 28, 8, 8]}}))


def test_memory_is_estimated_for_arms_that_train_on_a_cpu() -> None:
    changed = with_pim(width=32768)
    assert load(changed)
    changed["resources"]["train"]["gpus"] = 0
    message = refused(changed)
    assert "for a step of 8 cases (maps of 384, 48, 48, 48 locations), more than 'resources.train.memory_mb' (1,500)" in message
    changed["training"]["micro_batch"] = 1
    assert load(changed)


def test_reading_a_configuration_imports_no_torch() -> None:
    script = (
        "import sys, yaml; sys.path.insert(0, 'workflow/lib'); from kneeoa.config.study import load\n"
        f"load(yaml.safe_load({yaml.safe_dump(config())!r})); print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
