"""Files of the published module's layout load: bare or wrapped, with a backbone beside it; nothing
is unpickled, and what does not fit is named.
"""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.heads.interface import Supervision
from kneeoa.heads.losses.registry import build as criterion
from kneeoa.plugins.interface import Maps
from kneeoa.plugins.options.pim import Options
from kneeoa.plugins.pim import Pim
from kneeoa.plugins.public_layout import load_public
from tests.unit.plugins import published_form

KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))
OA = Level(name="oa", kind="binary", classes=("no", "yes"))
SIZES = {"layer1": (4, 6, 7), "layer2": (5, 4, 4), "layer3": (6, 2, 2), "layer4": (7, 2, 2)}
SELECT = [20, 8, 2, 2]


def inputs():
    generator = torch.Generator().manual_seed(3)
    return {name: torch.randn(2, *shape, generator=generator) for name, shape in SIZES.items()}


def module(levels=(KL,), select=SELECT):
    torch.manual_seed(1)
    supervisions = tuple(Supervision(criterion("cross_entropy", level), 1.0) for level in levels)
    maps = Maps(tuple(shape[0] for shape in SIZES.values()), tuple(shape[1:] for shape in SIZES.values()))
    return Pim(Options(width=8, select=tuple(select)), supervisions, maps, 2, "parallel").eval()


def weights(select=SELECT):
    torch.manual_seed(2)
    return published_form.random_weights(inputs(), 8, 5, select)


def public_file():
    """The module's tensors beside a backbone's, as its files hold them."""
    return {**weights(), "backbone.conv1.weight": torch.zeros(4, 3, 7, 7), "backbone.fc.bias": torch.zeros(3)}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: tensors,
        lambda tensors: {"model": tensors},
        lambda tensors: {"epoch": 3, "model": {f"module.{name}": value for name, value in tensors.items()}},
    ],
)
def test_a_file_loads_and_the_outputs_are_the_published_ones(tmp_path, wrap):
    torch.save(wrap(public_file()), tmp_path / "pim.pth")
    built = module()
    loaded = load_public(built, tmp_path / "pim.pth")
    assert loaded.left_out == ("conv1.weight", "fc.bias")
    maps = inputs()
    outputs = published_form.forward(weights(), maps, SELECT, training=False)
    _, parts = built.parts([each.flatten(2).transpose(1, 2) for each in maps.values()])
    torch.testing.assert_close(parts["kl"].combiner, outputs["comb_outs"])
    for name, locations in zip(SIZES, parts["kl"].locations, strict=True):
        torch.testing.assert_close(locations, outputs[name])


def test_safetensors_load_too(tmp_path):
    save_file(public_file(), tmp_path / "pim.safetensors")
    built = module()
    load_public(built, tmp_path / "pim.safetensors")
    torch.testing.assert_close(built.selections["kl"].classifier.weight, weights()["combiner.classifier.weight"])


def test_objects_beside_the_tensors_are_never_loaded(tmp_path):
    torch.save({"model": public_file(), "made": Level(name="kl", kind="binary", classes=("a", "b"))}, tmp_path / "pim.pth")
    with pytest.raises(KneeoaError, match="never loaded; save the network's state_dict alone"):
        load_public(module(), tmp_path / "pim.pth")


def test_weights_of_another_choice_are_named_and_nothing_changes(tmp_path):
    torch.save(weights(select=[40, 8, 8, 8]), tmp_path / "pim.pth")
    built = module()
    before = {name: value.clone() for name, value in built.state_dict().items()}
    with pytest.raises(KneeoaError, match=r"'combiner.adj1' is \[2, 2\] where 'selections.kl.combiner.edges' is \[1, 1\]"):
        load_public(built, tmp_path / "pim.pth")
    assert all(torch.equal(value, before[name]) for name, value in built.state_dict().items())


def test_a_module_of_two_levels_has_no_place_for_a_file(tmp_path):
    torch.save(weights(), tmp_path / "pim.pth")
    with pytest.raises(KneeoaError, match="has heads of one level, but the mode has oa, kl"):
        load_public(module((OA, KL)), tmp_path / "pim.pth")
