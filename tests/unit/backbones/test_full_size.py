"""ConvNeXt and Swin have the published number of parameters, and every 3D backbone takes a knee at
full size (torch's meta device).
"""

import pytest
import torch

from kneeoa.backbones import nnmamba, registry

KNEE = (160, 256, 256)
CUBE = (128, 128, 128)


def published(kind, shape, in_channels=1, **options):
    with torch.device("meta"):
        return registry.build(kind, options, dimensions=len(shape), in_channels=in_channels, shape=shape).eval()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("shape", "channels", "options", "five"),
    [
        ((224, 224), 3, {}, 27_823_973),
        ((224, 224), 3, {"width": 128, "depths": (3, 3, 27, 3)}, 87_571_589),
        (KNEE, 1, {}, 31_321_253),
        (KNEE, 1, {"width": 40, "depths": (2, 2, 6, 2)}, 4_186_525),
    ],
    ids=["tiny-2d", "base-2d", "tiny-3d", "atto-3d"],
)
def test_convnext_with_a_head_of_five(shape, channels, options, five):
    backbone = published("convnext", shape, channels, **options)
    assert count(backbone) + (backbone.embedding_width + 1) * 5 == five


def test_the_swin_encoder_without_a_head():
    assert count(published("swin", KNEE)) == 8_062_002


def widths(first, times):
    return [first * 2**each for each in range(times)]


def halved(shape, times):
    return [tuple(-(-side // 2**time) for side in shape) for time in times]


@pytest.mark.parametrize(
    ("kind", "options", "shape", "expected_widths", "sizes"),
    [
        ("resnet3d", {}, KNEE, widths(64, 4), halved(KNEE, (2, 3, 3, 3))),
        ("m3t", {}, CUBE, [16, 128], [CUBE, (388,)]),
        ("m3t", {"variant": "released"}, CUBE, [16, 128], [CUBE, (388,)]),
        ("m3t", {}, KNEE, [16, 128], [KNEE, (676,)]),
        ("nnmamba", {}, KNEE, widths(32, 4), halved(KNEE, (1, 2, 3, 4))),
        ("nnmamba", {"css": True}, KNEE, widths(32, 4), halved(KNEE, (1, 2, 3, 4))),
        ("densenet121", {}, KNEE, [256, 512, 1024, 1024], halved(KNEE, (2, 3, 4, 5))),
        ("convnext", {}, KNEE, widths(96, 4), halved(KNEE, (2, 3, 4, 5))),
        ("swin", {}, KNEE, widths(48, 5), halved(KNEE, (1, 2, 3, 4, 5))),
        ("convnext", {}, (512, 512), widths(96, 4), halved((512, 512), (2, 3, 4, 5))),
        ("swin", {}, (512, 512), widths(48, 5), halved((512, 512), (1, 2, 3, 4, 5))),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_maps_and_embedding_at_full_size(monkeypatch, kind, options, shape, expected_widths, sizes):
    monkeypatch.setattr(nnmamba, "selective_scan", lambda x, *_: torch.empty_like(x))  # thousands of steps that change no shape
    backbone = published(kind, shape, **options)
    with torch.no_grad():
        features = backbone(torch.empty(1, 1, *shape, device="meta"))
    assert [each.shape[1] for each in features.maps] == list(backbone.map_widths) == expected_widths
    assert [tuple(each.shape[2:]) for each in features.maps] == sizes
    assert features.embedding.shape == (1, backbone.embedding_width)
