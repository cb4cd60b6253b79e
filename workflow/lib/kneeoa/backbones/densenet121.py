"""DenseNet121 (Huang et al. 2017, arXiv 1608.06993) in two or three dimensions: MONAI's network
with this library's interface.
"""

from __future__ import annotations

import torch
from monai.networks.nets.densenet import DenseNet
from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.densenet121 import Options


class DenseNet121(Backbone):
    """MONAI's feature extractor without its classifier; maps are those of the four dense blocks,
    the embedding is the global mean.
    """

    def __init__(self, dimensions: int, in_channels: int, options: Options) -> None:
        super().__init__()
        network = DenseNet(
            spatial_dims=dimensions,
            in_channels=in_channels,
            out_channels=1,
            init_features=options.width,
            growth_rate=options.growth,
            block_config=options.blocks,
        )
        self.features: nn.Sequential = network.features
        widths, width = [], options.width
        for layers in options.blocks:
            width += layers * options.growth
            widths.append(width)
            width //= 2  # the transition after a block halves it
        self.map_widths = tuple(widths)
        self.embedding_width = widths[-1]

    def forward(self, image: Tensor) -> Features:
        """Maps of the four dense blocks, for ``image`` of shape ``[batch, channels, *shape]``."""
        maps = []
        x = image
        for name, layer in self.features.named_children():
            x = layer(x)
            if name.startswith("denseblock"):
                maps.append(x)
        return Features(maps, torch.relu(x).flatten(2).mean(dim=2))


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a DenseNet121 with fresh weights; it takes any ``shape`` that its options allow."""
    return DenseNet121(len(shape), in_channels, options)
