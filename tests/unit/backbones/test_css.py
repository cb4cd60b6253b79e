"""NnMamba with its channel-spatial siamese scan: its size by parts, and what the four readings
are.
"""

import math

import torch

from kneeoa.backbones import registry
from kneeoa.backbones.nnmamba import MambaLayer
from kneeoa.backbones.options.nnmamba import Options


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def mamba_by_hand(width, state, kernel=4, expand=2):
    inner, rank = expand * width, math.ceil(width / 16)
    inward, convolution = width * 2 * inner, inner * kernel + inner
    select, step = inner * (rank + 2 * state), rank * inner + inner
    return inward + convolution + select + step + inner * state + inner + inner * width


def test_parameters_by_parts():
    with torch.device("meta"):
        backbone = registry.build("nnmamba", {"css": True}, dimensions=3, in_channels=1, shape=(128, 128, 128))
    assert mamba_by_hand(32, 8) == 8_384  # the stem's, as released
    layers = [2 * (width**2 + 2 * width) + mamba_by_hand(width, 16) for width in (64, 128, 256)]
    assert [count(stage.scan) for stage in backbone.stages] == layers
    assert layers == [41_088, 149_760, 569_856]
    assert count(backbone) + 33 * 5 == 12_876_453 + sum(layers) == 13_637_157


def test_a_siamese_layer_is_the_mean_of_four_readings_of_one_mamba():
    torch.manual_seed(0)
    layer = MambaLayer(6, 4, Options(), siamese=True).eval()
    x = torch.randn(2, 6, 3, 4, 5)
    with torch.no_grad():
        tokens = layer.before(x).flatten(2).transpose(1, 2)
        read = layer.mamba(tokens)
        channels = layer.mamba(tokens.flip(2)).flip(2)
        sequence = layer.mamba(tokens.flip(1)).flip(1)
        both = layer.mamba(tokens.flip(1, 2)).flip(1, 2)
        mixed = ((read + channels + sequence + both) / 4).transpose(1, 2).reshape(x.shape)
        torch.testing.assert_close(layer(x), layer.after(layer.before(x) + mixed))


def test_the_layer_of_a_stage_is_shared_and_spares_the_first_block():
    torch.manual_seed(0)
    options = {"channels": 4, "blocks": 3, "css": True}
    backbone = registry.build("nnmamba", options, dimensions=3, in_channels=1, shape=(17, 18, 19)).eval()
    reads = []
    for stage in backbone.stages:
        stage.scan.register_forward_hook(lambda module, given, out: reads.append((id(module), tuple(given[0].shape))))
    x = torch.randn(1, 1, 17, 18, 19)
    maps = backbone(x).maps
    assert len(reads) == 6
    assert [shape for _, shape in reads[::2]] == [tuple(each.shape) for each in maps[1:]]
    assert len({module for module, _ in reads}) == 3
    first, second, third = backbone.stages[0].blocks
    with torch.no_grad():
        y = first(maps[0])
        for block in (second, third):
            y = block(y, backbone.stages[0].scan(y))
        torch.testing.assert_close(y, maps[1])
    assert not any("blocks.1.scan" in name for name in backbone.state_dict())
