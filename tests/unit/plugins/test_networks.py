"""Every backbone takes the plug-in module, in two and three dimensions, on its own maps and on the
published ones: a step trains the whole network, and what one image gets does not depend on the
others of its batch.
"""

from __future__ import annotations

import math

import pytest
import torch

from kneeoa.backbones import registry as backbones
from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.network.model import ModelSpec, build

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
OPTIONS = {
    "convnext": {"width": 4, "depths": [1, 1, 1, 1]},
    "densenet121": {"growth": 2, "width": 4, "blocks": [1, 1, 1, 1]},
    "efficientnet": {"width": 0.25, "depth": 0.3},
    "m3t": {"channels": 2, "cnn_width": 4, "projection": 8, "embedding": 8, "depth": 1, "heads": 2},
    "nnmamba": {"channels": 4, "blocks": 1, "state": 2},
    "resnet3d": {"width": 4},
    "resnet50": {"width": 4},
    "swin": {"embedding": 12, "depths": [1, 1, 1, 1]},
    "swin2d": {"embedding": 12, "heads": [1, 2, 3, 4], "depths": [1, 1, 1, 1], "window": 3},
    "vit": {"patch": 16, "embedding": 12, "heads": 2, "depth": 4},
}
FLAT, DEEP, CUBE = (64, 80), (40, 48, 40), (12, 12, 12)
CASES = [
    *((kind, FLAT, "own") for kind in ("convnext", "densenet121", "efficientnet", "resnet50", "swin", "swin2d", "vit")),
    *((kind, FLAT, "public") for kind in ("efficientnet", "resnet50", "swin2d", "vit")),
    *((kind, DEEP, "own") for kind in ("nnmamba", "resnet3d", "resnet50")),
    ("m3t", CUBE, "own"),
]


def network(kind: str, shape: tuple[int, ...], maps: str):
    sizes = backbones.map_sizes(kind, OPTIONS[kind], shape, maps == "public")
    select = [min(40, max(1, math.prod(size) * 4 // 5)) for size in sizes]
    spec = ModelSpec(
        backbone=kind,
        options=OPTIONS[kind],
        dimensions=len(shape),
        shape=shape,
        mode=Mode(kind="dual", levels=("oa", "kl")),
        levels=(OA, KL),
        plugin={"kind": "pim", "width": 8, "select": select, "maps": maps},
    )
    torch.manual_seed(0)
    return build(spec)


def test_every_backbone_is_here() -> None:
    assert {kind for kind, _, _ in CASES} == set(backbones.kinds())


@pytest.mark.parametrize(("kind", "shape", "maps"), CASES)
def test_a_step_reaches_the_first_layer_and_every_weight_of_the_module(kind: str, shape: tuple[int, ...], maps: str) -> None:
    built = network(kind, shape, maps).train()
    images = torch.randn(2, 1, *shape, generator=torch.Generator().manual_seed(1))
    loss = built.heads.loss(built(images).logits, {"oa": torch.tensor([0, 1]), "kl": torch.tensor([1, 4])})["total"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(parameter.grad is not None for parameter in built.heads.parameters())
    assert next(iter(built.backbone.parameters())).grad is not None


@pytest.mark.parametrize(("kind", "shape", "maps"), CASES)
def test_an_images_answer_is_its_own(kind: str, shape: tuple[int, ...], maps: str) -> None:
    built = network(kind, shape, maps).eval()
    images = torch.randn(3, 1, *shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        together, alone = built.probabilities(built(images).logits), built.probabilities(built(images[1:2]).logits)
    for pair, values in together.items():
        torch.testing.assert_close(values[1:2], alone[pair], rtol=1e-4, atol=1e-4)
