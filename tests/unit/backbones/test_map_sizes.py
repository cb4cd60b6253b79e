"""The sizes of a backbone's maps that its options state without building it are those that it
gives, its own and the published plug-in module's.
"""

from __future__ import annotations

import pytest
import torch

from kneeoa.backbones import registry
from kneeoa.errors import KneeoaError

SMALL = {
    "convnext": {"width": 4, "depths": [1, 1, 1, 1]},
    "densenet121": {"growth": 2, "width": 4, "blocks": [1, 1, 1, 1]},
    "efficientnet": {"width": 0.25, "depth": 0.3},
    "m3t": {"channels": 2, "cnn_width": 4, "projection": 8, "embedding": 8, "depth": 1, "heads": 2},
    "nnmamba": {"channels": 4, "blocks": 1, "state": 2},
    "resnet3d": {"width": 4},
    "resnet50": {"width": 4},
    "swin": {"embedding": 12, "depths": [1, 1, 1, 1]},
    "swin2d": {"embedding": 12, "heads": [1, 2, 3, 4], "depths": [1, 1, 1, 1], "window": 3},
    "vit": {"patch": 8, "embedding": 12, "heads": 2, "depth": 4},
}
FLAT, DEEP = (45, 70), (37, 50, 33)
SHAPES = {"vit": ((48, 72), (32, 40, 48)), "resnet3d": (DEEP,), "m3t": (DEEP,), "nnmamba": (DEEP,), "swin2d": (FLAT,)}
CASES = [(kind, shape) for kind in SMALL for shape in SHAPES.get(kind, (FLAT, DEEP))]
PUBLISHED = ("efficientnet", "resnet50", "swin2d", "vit")


def maps(kind, shape, public=False):
    backbone = registry.build(kind, SMALL[kind], dimensions=len(shape), in_channels=1, shape=shape).eval()
    if public:
        backbone.use_public_maps()
    with torch.inference_mode():
        given = backbone(torch.zeros(1, 1, *shape)).maps
    assert tuple(each.shape[1] for each in given) == tuple(backbone.map_widths)
    return tuple(tuple(each.shape[2:]) for each in given)


def test_every_kind_is_here():
    assert set(SMALL) == set(registry.kinds())


@pytest.mark.parametrize(("kind", "shape"), CASES)
def test_own_maps(kind, shape):
    assert registry.map_sizes(kind, SMALL[kind], shape) == maps(kind, shape)


@pytest.mark.parametrize("kind", PUBLISHED)
def test_the_published_modules_layers(kind):
    shape = SHAPES.get(kind, (FLAT,))[0]
    assert registry.map_sizes(kind, SMALL[kind], shape, public=True) == maps(kind, shape, public=True)


def test_there_are_no_published_layers_of_other_kinds_or_volumes():
    with pytest.raises(KneeoaError, match="was not published with backbone 'convnext'"):
        registry.map_sizes("convnext", SMALL["convnext"], FLAT, public=True)
    with pytest.raises(KneeoaError, match="images of two dimensions, not of 3; take 'maps: own'"):
        registry.map_sizes("resnet50", SMALL["resnet50"], DEEP, public=True)
    with pytest.raises(KneeoaError, match="was not published with ConvNeXt"):
        registry.build("convnext", SMALL["convnext"], dimensions=2, in_channels=1, shape=FLAT).use_public_maps()


def test_published_layers_leave_the_embedding_as_it_is():
    for kind in PUBLISHED:
        shape = SHAPES.get(kind, (FLAT,))[0]
        backbone = registry.build(kind, SMALL[kind], dimensions=2, in_channels=1, shape=shape).eval()
        image = torch.randn(1, 1, *shape, generator=torch.Generator().manual_seed(1))
        before = backbone(image).embedding
        backbone.use_public_maps()
        assert torch.equal(backbone(image).embedding, before)
