"""nnMamba's classifier (Gong et al. 2024, arXiv 2402.03526): a residual 3D network whose stem holds one Mamba layer.

Convolutions and linear layers begin as torch makes them; the Mamba block as Gu & Dao (2023) do (see ``mamba``).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.mamba import Mamba
from kneeoa.backbones.options.nnmamba import Options
from kneeoa.backbones.residual import stage


class MambaLayer(nn.Module):
    """A pointwise convolution, Mamba over all voxels as one sequence (added to its input), and a pointwise convolution."""

    def __init__(self, options: Options) -> None:
        super().__init__()
        channels = options.channels
        self.before = _pointwise(channels)
        self.mamba = Mamba(channels, state=options.state, kernel=options.kernel, expand=options.expand)
        self.after = _pointwise(channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, channels, slices, rows, columns]`` to the same shape; voxels are tokens in that order of axes."""
        x = self.before(x)
        mixed = self.mamba(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape)
        out: Tensor = self.after(x + mixed)
        return out


class NNMamba(Backbone):
    """Stem of stride 2 with a Mamba layer added to it, three residual stages of stride 2, and a layer on their global means."""

    def __init__(self, in_channels: int, options: Options) -> None:
        super().__init__()
        width = options.channels
        self.map_widths = (width, 2 * width, 4 * width, 8 * width)
        self.embedding_width = options.embedding
        self.head_dropout = options.dropout
        self.stem = nn.Sequential(
            nn.Conv3d(in_channels, width, 3, stride=2, padding=1),
            nn.BatchNorm3d(width),
            nn.ReLU(),
            nn.Conv3d(width, width, 3, padding=1),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )
        self.mamba = MambaLayer(options)
        pairs = zip(self.map_widths[:-1], self.map_widths[1:], strict=True)
        self.stages = nn.ModuleList([stage(3, before, after, options.blocks, stride=2) for before, after in pairs])
        self.embed = nn.Sequential(nn.Linear(sum(self.map_widths[1:]), options.embedding), nn.ReLU())

    def forward(self, image: Tensor) -> Features:
        """Maps of the stem and the three stages, for ``image`` of shape ``[batch, channels, slices, rows, columns]``."""
        x = self.stem(image)
        x = x + self.mamba(x)
        maps = [x]
        for layer in self.stages:
            maps.append(layer(maps[-1]))
        means = torch.cat([each.mean(dim=(2, 3, 4)) for each in maps[1:]], dim=1)
        return Features(maps, self.embed(means))


def _pointwise(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(channels, channels, 1, bias=False), nn.BatchNorm3d(channels), nn.ReLU())


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """An nnMamba classifier with fresh weights; it takes any ``shape`` that its options allow."""
    return NNMamba(in_channels, options)
