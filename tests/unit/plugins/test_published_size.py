"""At 384 pixels the module has the published number of parameters and locations on each of the four
published backbones (on torch's meta device).
"""

import pytest
import torch

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.network.model import ModelSpec, build

KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))
PUBLIC = {"kind": "pim", "maps": "public"}


def network(backbone, options, plugin, side=384):
    mode = Mode(kind="single", levels=("kl",))
    spec = ModelSpec(
        backbone=backbone, options=options, dimensions=2, in_channels=3, shape=(side, side), mode=mode, levels=(KL,), plugin=plugin
    )
    with torch.device("meta"):
        return build(spec)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("backbone", "options", "locations", "count"),
    [
        ("resnet50", {}, (9216, 2304, 576, 144), 9_005_619),
        ("efficientnet", {"variant": "b7"}, (576, 576, 144, 144), 2_820_275),
        ("vit", {}, (577, 577, 577, 577), 5_400_371),
        ("swin2d", {}, (2304, 576, 144, 144), 10_500_851),
    ],
)
def test_the_four_members(backbone, options, locations, count):
    built = network(backbone, options, PUBLIC)
    assert built.heads.maps.locations == locations
    assert parameters(built.heads) == count


def test_the_parts_on_resnet_50():
    built = network("resnet50", {}, PUBLIC, side=224)
    assert built.heads.maps.locations == (3136, 784, 196, 49)
    selection = built.heads.selections["kl"]
    assert parameters(built) == 32_513_651
    assert parameters(built.heads.pyramid) == 7_542_528
    assert parameters(selection.towers) == 1_064_980
    assert parameters(selection.combiner) + parameters(selection.classifier) == 398_111


def test_the_published_choice_of_birds_on_resnet_50():
    built = network("resnet50", {}, {**PUBLIC, "width": 1536, "select": [2048, 512, 128, 32]}, side=448)
    selection = built.heads.selections["kl"]
    assert parameters(built) == 48_263_774
    assert parameters(built.heads.pyramid) == 11_478_784
    assert parameters(selection.towers) == 9_486_356
    assert parameters(selection.combiner) + parameters(selection.classifier) == 3_790_602
