"""At their published size the backbones have exactly the published parameters, maps and arithmetic
(on torch's meta device).
"""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from kneeoa.backbones import registry


def published(kind, shape, **options):
    with torch.device("meta"):
        return registry.build(kind, options, dimensions=3, in_channels=1, shape=shape).eval()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def with_head(backbone, outputs):
    return count(backbone) + (backbone.embedding_width + 1) * outputs


@pytest.mark.parametrize(
    ("kind", "five", "one"),
    [
        ("resnet3d", 33_162_565, 33_160_513),
        ("m3t", 11_996_469, 11_995_953),
        ("nnmamba", 12_876_453, 12_876_321),
        ("densenet121", 11_247_749, 11_243_649),
    ],
)
def test_parameters_with_a_head_of_five_and_of_one(kind, five, one):
    backbone = published(kind, (128, 128, 128))
    assert with_head(backbone, 5) == five
    assert with_head(backbone, 1) == one


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_m3t_parts(variant):
    m3t = published("m3t", (128, 128, 128), variant=variant)
    assert count(m3t.block) == 34_096
    assert count(m3t.slices) + count(m3t.projection) == 11_381_504
    assert sum(each.numel() for each in (m3t.class_token, m3t.separator, m3t.planes, m3t.positions)) == 50_304
    assert m3t.positions.shape == (388, 128)
    assert count(m3t.transformer) == 529_920


def test_nnmamba_parts():
    nnmamba = published("nnmamba", (128, 128, 128))
    assert count(nnmamba.mamba) == 10_560
    assert count(nnmamba.mamba.mamba) == 8_384
    assert nnmamba.head_dropout == 0.5


@pytest.mark.parametrize(
    ("kind", "shape", "gigaflops", "maps", "width"),
    [
        ("resnet3d", (160, 256, 256), 1541, [(64, 40, 64, 64), (128, 20, 32, 32), (256, 20, 32, 32), (512, 20, 32, 32)], 512),
        ("resnet3d", (64, 64, 64), 38.5, [(64, 16, 16, 16), (128, 8, 8, 8), (256, 8, 8, 8), (512, 8, 8, 8)], 512),
        ("m3t", (128, 128, 128), 726, [(16, 128, 128, 128), (128, 388)], 128),
        ("nnmamba", (64, 64, 64), 11.3, [(32, 32, 32, 32), (64, 16, 16, 16), (128, 8, 8, 8), (256, 4, 4, 4)], 32),
    ],
)
def test_arithmetic_and_maps(kind, shape, gigaflops, maps, width):
    backbone = published(kind, shape)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        features = backbone(torch.empty(1, 1, *shape, device="meta"))
    assert counter.get_total_flops() / 1e9 == pytest.approx(gigaflops, rel=0.005)
    assert [tuple(each.shape[1:]) for each in features.maps] == maps
    assert backbone.map_widths == tuple(each[0] for each in maps)
    assert features.embedding.shape == (1, width)
    assert backbone.embedding_width == width
