"""ConvNeXt (Liu et al. 2022, arXiv 2201.03545) in two or three dimensions.

Weights are initialised as published: truncated normal with standard deviation 0.02, biases zero.
Public weight files of three layouts can be loaded in 2D (the authors', timm's, torchvision's).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from kneeoa.backbones.interface import Backbone, Features
from kneeoa.backbones.options.convnext import Options
from kneeoa.backbones.pretrained import LoadedWeights, load_into, renamer
from kneeoa.backbones.residual import CONVOLUTION, StochasticDepth

EPSILON = 1e-6
"""Epsilon of every layer norm, as published."""

BLOCK = {
    "depthwise": ("dwconv", "conv_dw", "block.0"),
    "norm": ("norm", "norm", "block.2"),
    "widen": ("pwconv1", "mlp.fc1", "block.3"),
    "narrow": ("pwconv2", "mlp.fc2", "block.5"),
    "scale": ("gamma", "gamma", "layer_scale"),
}
"""Our part of a block -> its name in the authors' files, timm's and torchvision's."""


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of ``[batch, channels, *size]``, at each position."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the channels; the shape stays."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Block(nn.Module):
    """Depthwise convolution, layer norm, and two linear layers around a GELU, scaled in each
    channel and added to the input.
    """

    def __init__(self, dimensions: int, width: int, options: Options, drop: float) -> None:
        super().__init__()
        kernel, hidden = options.kernel, options.expansion * width
        self.depthwise = CONVOLUTION[dimensions](width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.widen = nn.Linear(width, hidden)
        self.narrow = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), options.layer_scale))
        self.drop = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        """``[batch, width, *size]`` to the same shape."""
        y = self.norm(self.depthwise(x).movedim(1, -1))  # a linear layer takes the channels last
        y = self.narrow(functional.gelu(self.widen(y))) * self.scale
        added: Tensor = self.drop(y.movedim(-1, 1))
        return x + added


class ConvNeXt(Backbone):
    """A stem of stride 4 and four stages; the embedding is the layer norm of the last map's global
    mean.
    """

    def __init__(self, dimensions: int, in_channels: int, options: Options) -> None:
        super().__init__()
        convolution = CONVOLUTION[dimensions]
        self.depths = options.depths
        self.map_widths = tuple(options.width * 2**stage for stage in range(4))
        self.embedding_width = self.map_widths[-1]
        entries: list[nn.Module] = [
            nn.Sequential(convolution(in_channels, options.width, 4, stride=4), ChannelNorm(options.width)),
            *(
                nn.Sequential(ChannelNorm(before), convolution(before, after, 2, stride=2))
                for before, after in zip(self.map_widths[:-1], self.map_widths[1:], strict=True)
            ),
        ]
        self.entries = nn.ModuleList(entries)
        rates = iter(torch.linspace(0, options.drop_path, sum(options.depths), device="cpu").tolist())
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(dimensions, width, options, next(rates)) for _ in range(depth)))
            for width, depth in zip(self.map_widths, options.depths, strict=True)
        )
        self.norm = nn.LayerNorm(self.embedding_width, eps=EPSILON)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Features:
        """Maps of the four stages, for ``image`` of shape ``[batch, channels, *shape]``."""
        maps = []
        x = image
        for entry, stage in zip(self.entries, self.stages, strict=True):
            x = stage(entry(x))
            maps.append(x)
        return Features(maps, self.norm(x.flatten(2).mean(dim=2)))

    def load_pretrained(self, path: str | Path) -> LoadedWeights:
        """Load weights as every backbone does, and from files of the three public layouts."""
        return load_into(self, path, renamer(convnext_names(self.depths)), adapt=_flatten_scale)


def _flatten_scale(name: str, tensor: Tensor) -> Tensor:
    """Flatten a block's scale, which torchvision stores as ``[width, 1, 1]``."""
    return tensor.flatten() if name.endswith(".scale") else tensor


def build(options: Options, in_channels: int, shape: tuple[int, ...]) -> Backbone:
    """Build a ConvNeXt with fresh weights; it takes any ``shape`` that its options allow."""
    return ConvNeXt(len(shape), in_channels, options)


def convnext_names(depths: Sequence[int]) -> dict[str, str | None]:
    """Map public names of modules and tensors to ours (None: left out), in the three layouts.

    They share no name but ``norm``, which is the same module in each, so one table serves all.

    Args:
        depths: blocks of each stage.
    """
    names: dict[str, str | None] = {"head": None, "head.fc": None, "classifier.2": None}
    names |= {"head.norm": "norm", "classifier.0": "norm"}
    for stage, depth in enumerate(depths):
        for part in range(2):  # the stem is a convolution and a norm, a later entry a norm and a convolution
            timm = f"stem.{part}" if stage == 0 else f"stages.{stage}.downsample.{part}"
            for public in (f"downsample_layers.{stage}.{part}", timm, f"features.{2 * stage}.{part}"):
                names[public] = f"entries.{stage}.{part}"
        for block in range(depth):
            places = (f"stages.{stage}.{block}", f"stages.{stage}.blocks.{block}", f"features.{2 * stage + 1}.{block}")
            for ours, layouts in BLOCK.items():
                names |= {f"{place}.{part}": f"stages.{stage}.{block}.{ours}" for place, part in zip(places, layouts, strict=True)}
    return names
