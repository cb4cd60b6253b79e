"""ResNet-50 (He et al. 2016, arXiv 1512.03385) in two or three dimensions.

Weights are initialised Kaiming normal, fan out. Public files of torchvision and timm have the same
layout in 2D.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.resnet50 import BLOCKS, Options
from kneeoa.backbones.pretrained import LoadedWeights, Rename, load_into, renamer
from kneeoa.backbones.residual import CONVOLUTION, EXPANSION, NORM, bottleneck_stage, kaiming_fan_out

POOL: dict[int, type[nn.MaxPool2d] | type[nn.MaxPool3d]] = {2: nn.MaxPool2d, 3: nn.MaxPool3d}


class ResNet50(Backbone):
    """Stem (convolution of kernel 7, max pool of kernel 3) and four stages of bottlenecks; the
    embedding is the global mean.
    """

    def __init__(self, dimensions: int, in_channels: int, options: Options) -> None:
        super().__init__()
        width = options.width
        middles = tuple(width * 2**level for level in range(len(BLOCKS)))
        self.map_widths = tuple(EXPANSION * middle for middle in middles)
        self.embedding_width = self.map_widths[-1]
        self.stem = nn.Sequential(
            CONVOLUTION[dimensions](in_channels, width, 7, stride=2, padding=3, bias=False),
            NORM[dimensions](width),
            nn.ReLU(),
            POOL[dimensions](3, stride=2, padding=1),
        )
        before = (width, *self.map_widths)
        self.stages = nn.ModuleList(
            bottleneck_stage(dimensions, before[level], middles[level], blocks, stride=1 if level == 0 else 2)
            for level, blocks in enumerate(BLOCKS)
        )
        kaiming_fan_out(self)

    def forward(self, image: Tensor) -> Features:
        """Maps of the four stages, for ``image`` of shape ``[batch, channels, *shape]``."""
        maps = []
        x = self.stem(image)
        for layer in self.stages:
            x = layer(x)
            maps.append(x)
        return Features(maps, x.flatten(2).mean(dim=2))

    def use_public_maps(self) -> None:
        """Its own maps are the published module's."""

    def load_pretrained(self, path: str | Path) -> LoadedWeights:
        """Load weights as every backbone does, and from files with the names in
        :meth:`public_names`.
        """
        return load_into(self, path, self.public_names())

    def public_names(self) -> Rename:
        """Renaming of torchvision's and timm's ``resnet50``; the classifier ``fc`` is left out."""
        names: dict[str, str | None] = {"conv1": "stem.0", "bn1": "stem.1", "fc": None}
        parts = {"conv1": "first", "bn1": "first_norm", "conv2": "second", "bn2": "second_norm", "conv3": "third", "bn3": "third_norm"}
        parts |= {"downsample.0": "shortcut.0", "downsample.1": "shortcut.1"}
        for level, blocks in enumerate(BLOCKS):
            for block in range(blocks):
                names |= {f"layer{level + 1}.{block}.{public}": f"stages.{level}.{block}.{ours}" for public, ours in parts.items()}
        return renamer(names)


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a ResNet-50 with fresh weights; it takes any ``shape`` that its options allow."""
    return ResNet50(len(shape), in_channels, options)
