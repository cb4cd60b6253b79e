"""Counts from a backbone's sizes are those of its network: parameters and products to the last one,
and values kept for the gradient to a few per cent.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from kneeoa.backbones import registry
from kneeoa.backbones.options.base import BackboneOptions
from kneeoa.backbones.step_cost import StepCost
from kneeoa.network.network import channels_last, kernels_channels_last

SMALL: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("resnet50", {"width": 8}, (64, 80)),
    ("resnet50", {"width": 4}, (36, 40, 48)),
    ("efficientnet", {"width": 0.25, "drop_path": 0.0}, (64, 96)),
    ("efficientnet", {"variant": "lite0", "width": 0.25, "drop_path": 0.0}, (48, 64)),
    ("efficientnet", {"variant": "b7", "width": 0.1, "depth": 0.4}, (64, 64)),
    ("vit", {"patch": 8, "embedding": 32, "depth": 3, "heads": 4, "maps": 2}, (64, 80)),
    ("vit", {"patch": 8, "embedding": 32, "depth": 2, "heads": 4, "maps": 2}, (16, 24, 24)),
    ("swin2d", {"patch": 4, "embedding": 16, "depths": [2, 2, 2, 2], "heads": [2, 2, 4, 4], "window": 4}, (128, 128)),
    ("swin2d", {"patch": 4, "embedding": 16, "depths": [2, 2, 2, 2], "heads": [2, 2, 4, 4], "window": 4, "drop_path": 0.0}, (72, 100)),
]
PUBLISHED = [
    ("resnet50", {}, 23_518_277 - 5 * 2049),
    ("efficientnet", {"variant": "b7"}, 63_799_765 - 5 * 2561),
    ("vit", {}, 86_094_341 - 5 * 769),
    ("swin2d", {}, 195_206_201 - 5 * 1537),
]


def options_of(kind: str, options: dict[str, Any]) -> BackboneOptions:
    return registry._parse_options(kind, options)


def cost_of(kind: str, options: dict[str, Any], shape: tuple[int, ...], channels: int = 1) -> StepCost:
    cost = options_of(kind, options).step_cost(shape, channels)
    assert cost is not None
    return cost


def kept_values(backbone: torch.nn.Module, image: torch.Tensor) -> int:
    """Values of four bytes that the forward pass keeps for the gradient, but for weights."""
    weights = {each.untyped_storage().data_ptr() for each in backbone.parameters()}
    storages: dict[int, int] = {}
    alive: list[torch.Tensor] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            storages[storage.data_ptr()] = storage.nbytes()
            alive.append(tensor)  # no other tensor may take its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        assert backbone(image).embedding.requires_grad
    return sum(storages.values()) // 4


@pytest.mark.parametrize(("kind", "options", "shape"), SMALL)
def test_the_cost_is_that_of_the_network(kind: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    backbone = registry.build(kind, options, dimensions=len(shape), in_channels=1, shape=shape).train()
    kernels_channels_last(backbone)
    cost = cost_of(kind, options, shape)
    assert cost.parameters == sum(parameter.numel() for parameter in backbone.parameters())
    image = channels_last(torch.randn(2, 1, *shape))
    measured = kept_values(backbone, image)
    assert 0.9 * measured < 2 * cost.kept < 1.15 * measured
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):  # it counts no fused attention of a CPU
        backbone(image)
    assert 2 * 2 * cost.products == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize(("kind", "options", "parameters"), PUBLISHED)
def test_the_four_published_members_have_their_parameters(kind: str, options: dict[str, Any], parameters: int) -> None:
    """Without their classifiers; at 384 pixels with three channels."""
    assert cost_of(kind, options, (384, 384), channels=3).parameters == parameters


@pytest.mark.parametrize(("kind", "options"), [(kind, options) for kind, options, _ in PUBLISHED])
@pytest.mark.parametrize("public", [False, True])
def test_widths_of_maps_are_those_of_the_network(kind: str, options: dict[str, Any], public: bool) -> None:
    with torch.device("meta"):
        backbone = registry.build(kind, options, dimensions=2, in_channels=1, shape=(384, 384))
    if public:
        backbone.use_public_maps()
    assert options_of(kind, options).map_widths(public) == tuple(backbone.map_widths)


def test_memory_and_operations_follow_the_cases() -> None:
    cost = StepCost(parameters=1000, kept=500, products=70)
    assert cost.memory_mb(2) == pytest.approx(4 * (4 * 1000 + 2 * 500) / 1e6)
    assert cost.operations(2) == 2 * 3 * 2 * 70
    assert cost + cost == cost * 2
