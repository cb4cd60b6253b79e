"""ConvNeXt: what a block computes, and public weight files in three layouts give the same
network.
"""

import pytest
import torch
from torch.nn import functional

from kneeoa.backbones import registry
from kneeoa.backbones.convnext import convnext_names

TINY = {"width": 4, "depths": (1, 2, 1, 1), "layer_scale": 0.5}


def tiny(seed=0, channels=1, shape=(40, 36)):
    torch.manual_seed(seed)
    return registry.build("convnext", TINY, dimensions=len(shape), in_channels=channels, shape=shape).eval()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_block_by_hand(dimensions):
    block = tiny(shape=(32,) * dimensions).stages[1][0]
    x = torch.randn(2, 8, *(5, 6, 4)[:dimensions])
    convolution = (functional.conv2d, functional.conv3d)[dimensions - 2]
    y = convolution(x, block.depthwise.weight, block.depthwise.bias, padding=3, groups=8)
    mean, variance = y.mean(1, keepdim=True), y.var(1, keepdim=True, unbiased=False)
    y = ((y - mean) / (variance + 1e-6).sqrt()).movedim(1, -1) * block.norm.weight + block.norm.bias
    y = functional.gelu(y @ block.widen.weight.T + block.widen.bias) @ block.narrow.weight.T + block.narrow.bias
    with torch.no_grad():
        torch.testing.assert_close(block(x), x + 0.5 * y.movedim(-1, 1), rtol=1e-4, atol=1e-5)


def test_the_layer_scale_begins_as_published():
    backbone = registry.build("convnext", {"width": 4}, dimensions=2, in_channels=1, shape=(32, 32))
    assert torch.equal(backbone.stages[0][0].scale, torch.full((4,), 1e-6))
    assert [round(block.drop.rate, 4) for stage in backbone.stages for block in stage][::17] == [0.0, 0.1]


@pytest.mark.parametrize(("layout", "sign"), [("authors", "downsample_layers.1.0"), ("timm", "stem.0"), ("torchvision", "features.0.0")])
def test_public_files_of_three_layouts(tmp_path, layout, sign):
    source, target = tiny(1, channels=3), tiny(2)
    number = ["authors", "timm", "torchvision"].index(layout)
    public: dict[str, list[str]] = {}
    for name, ours in convnext_names(TINY["depths"]).items():
        if ours is not None:
            public.setdefault(ours, []).append(name)
    state = {}
    for name, tensor in source.state_dict().items():
        module, _, part = name.rpartition(".")
        if part == "scale":
            state[public[name][min(number, len(public[name]) - 1)]] = tensor.reshape(-1, 1, 1) if layout == "torchvision" else tensor
        elif module == "norm":
            state[f"{('norm', 'head.norm', 'classifier.0')[number]}.{part}"] = tensor
        else:
            state[f"{public[module][number]}.{part}"] = tensor
    assert f"{sign}.weight" in state
    head = ("head", "head.fc", "classifier.2")[number]
    torch.save({"model": {**state, f"{head}.weight": torch.zeros(1000, 32)}}, tmp_path / "public.pth")
    report = target.load_pretrained(tmp_path / "public.pth")
    assert report.left_out == (f"{head}.weight",)
    grey = torch.randn(2, 1, 40, 36)
    with torch.no_grad():
        torch.testing.assert_close(target(grey).embedding, source(grey.repeat(1, 3, 1, 1)).embedding, rtol=1e-4, atol=1e-5)
