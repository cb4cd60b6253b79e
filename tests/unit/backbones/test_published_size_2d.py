"""At their published size the backbones for radiographs have exactly the published parameters and
maps (on torch's meta device).
"""

import pytest
import torch

from kneeoa.backbones import registry
from kneeoa.errors import KneeoaError


def published(kind, shape, in_channels, options):
    with torch.device("meta"):
        return registry.build(kind, options, dimensions=len(shape), in_channels=in_channels, shape=shape).eval()


def with_head(backbone, outputs):
    return sum(parameter.numel() for parameter in backbone.parameters()) + (backbone.embedding_width + 1) * outputs


@pytest.mark.parametrize(
    ("kind", "options", "shape", "channels", "outputs", "count"),
    [
        ("resnet50", {}, (224, 224), 3, 5, 23_518_277),
        ("efficientnet", {"variant": "b7"}, (600, 600), 3, 5, 63_799_765),
        ("vit", {}, (384, 384), 3, 5, 86_094_341),
        ("swin2d", {}, (384, 384), 3, 5, 195_206_201),
        ("efficientnet", {}, (64, 64, 64), 1, 5, 4_694_785),
        ("efficientnet", {"variant": "lite0"}, (224, 224), 3, 1000, 4_652_008),
        # ... less 1000 x 1281 numbers of that head, plus 5 x 1281 of ours, less two of three
        # channels of 32 kernels of 3 x 3
        ("efficientnet", {"variant": "lite0"}, (224, 224), 1, 5, 3_376_837),
        # With 1000 classes, as their authors count them.
        ("efficientnet", {"variant": "b1"}, (240, 240), 3, 1000, 7_794_184),
        ("efficientnet", {"variant": "b2"}, (260, 260), 3, 1000, 9_109_994),
        ("efficientnet", {"variant": "b3"}, (300, 300), 3, 1000, 12_233_232),
        ("efficientnet", {"variant": "b4"}, (380, 380), 3, 1000, 19_341_616),
        ("efficientnet", {"variant": "b5"}, (456, 456), 3, 1000, 30_389_784),
        ("efficientnet", {"variant": "b6"}, (528, 528), 3, 1000, 43_040_704),
    ],
)
def test_parameters(kind, options, shape, channels, outputs, count):
    assert with_head(published(kind, shape, channels, options), outputs) == count


@pytest.mark.parametrize(
    ("kind", "options", "shape", "maps", "width"),
    [
        ("resnet50", {}, (224, 224), [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)], 2048),
        ("efficientnet", {"variant": "b7"}, (600, 600), [(48, 150, 150), (80, 75, 75), (224, 38, 38), (640, 19, 19)], 2560),
        ("efficientnet", {"variant": "lite0"}, (224, 224), [(24, 56, 56), (40, 28, 28), (112, 14, 14), (320, 7, 7)], 1280),
        ("efficientnet", {}, (160, 256, 256), [(24, 40, 64, 64), (40, 20, 32, 32), (112, 10, 16, 16), (320, 5, 8, 8)], 1280),
        ("resnet50", {}, (160, 256, 256), [(256, 40, 64, 64), (512, 20, 32, 32), (1024, 10, 16, 16), (2048, 5, 8, 8)], 2048),
        ("vit", {}, (384, 384), [(768, 24, 24)] * 4, 768),
        ("vit", {}, (160, 256, 256), [(768, 10, 16, 16)] * 4, 768),
        ("swin2d", {}, (384, 384), [(192, 96, 96), (384, 48, 48), (768, 24, 24), (1536, 12, 12)], 1536),
    ],
)
def test_maps(kind, options, shape, maps, width):
    backbone = published(kind, shape, 1, options)
    with torch.no_grad():
        features = backbone(torch.empty(1, 1, *shape, device="meta"))
    assert [tuple(each.shape[1:]) for each in features.maps] == maps
    assert backbone.map_widths == tuple(each[0] for each in maps)
    assert features.embedding.shape == (1, width)


@pytest.mark.parametrize(("variant", "dropout"), [("b0", 0.2), ("b7", 0.5), ("lite0", 0.2)])
def test_dropout_before_the_head(variant, dropout):
    assert published("efficientnet", (64, 64), 1, {"variant": variant}).head_dropout == dropout


@pytest.mark.parametrize(
    ("kind", "options", "shape", "message"),
    [
        ("resnet50", {}, (32, 64), "at least 33 voxels along each axis, not [32, 64]"),
        ("resnet50", {}, (64,), "takes 2 or 3 axes, but the input has 1"),
        ("efficientnet", {"variant": "b8"}, (64, 64), "'variant' is 'b8'; allowed are"),
        ("efficientnet", {"weights": "imagenet"}, (64, 64), "'weights: imagenet' is there for 'variant: lite0'"),
        ("efficientnet", {"weights": "imagenet", "variant": "lite0"}, (64, 64, 64), "are for images of two dimensions"),
        ("vit", {}, (224, 230), "cuts the image into patches of 16 voxels, which do not divide [224, 230]"),
        ("vit", {"heads": 5}, (224, 224), "'heads' (5) must divide 'embedding' (768)"),
        ("vit", {"depth": 3}, (224, 224), "'maps' (4) must not exceed 'depth' (3)"),
        ("swin2d", {}, (64, 64, 64), "takes 2 axes, but the input has 3"),
        ("swin2d", {}, (32, 64), "at least 33 voxels"),
        ("swin2d", {"heads": (6, 12, 24, 7)}, (384, 384), "'heads' (7) of stage 4 must divide its width (1536)"),
    ],
)
def test_mistakes_are_told(kind, options, shape, message):
    with pytest.raises(KneeoaError) as error:
        registry.check(kind, options, shape)
    assert message in str(error.value)
