"""A feature pyramid (Lin et al. 2017, arXiv 1612.03144) over maps of any backbone, as the plug-in
module has it: coarse maps are added to finer ones from the top down.

Every map is ``[batch, locations, channels]`` here, whatever axes its locations have: a linear layer
is then the kernel-1 convolution of a map in two or three dimensions, and of a token sequence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

Size = tuple[int, ...]
"""Positions of a map along each of its axes; a token sequence has one axis."""

INTERPOLATION = {2: "bilinear", 3: "trilinear"}


class AcrossLocations(nn.Module):
    """A linear layer from the locations of a token sequence to those of a finer map: every location
    has its own weights, so the layer is of one image size.
    """

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.linear = nn.Linear(coarse, fine)

    def forward(self, features: Tensor) -> Tensor:
        """``[batch, coarse, channels]`` to ``[batch, fine, channels]``."""
        spread: Tensor = self.linear(features.transpose(1, 2))
        return spread.transpose(1, 2)


class Interpolation(nn.Module):
    """Linear interpolation along every axis of a map to the finer map's size, corners not
    aligned.
    """

    def __init__(self, coarse: Size, fine: Size) -> None:
        super().__init__()
        self.coarse, self.fine = coarse, fine

    def forward(self, features: Tensor) -> Tensor:
        """``[batch, coarse locations, channels]`` to ``[batch, fine locations, channels]``."""
        axes = features.reshape(len(features), *self.coarse, -1).movedim(-1, 1)
        finer = functional.interpolate(axes, self.fine, mode=INTERPOLATION[len(self.fine)], align_corners=False)
        return finer.flatten(2).transpose(1, 2)


class Pyramid(nn.Module):
    """Project each map to one width, then add each to the next finer one, at that one's size."""

    def __init__(self, widths: Sequence[int], sizes: Sequence[Size], width: int) -> None:
        """Make the layers with fresh weights.

        Args:
            widths: channels of each map, fine to coarse.
            sizes: positions of each map along its axes.
            width: channels of the pyramid.
        """
        super().__init__()
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, width)) for channels in widths
        )
        self.upsamplers = nn.ModuleList(_upsampler(coarse, fine) for fine, coarse in pairwise(sizes))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Features ``[batch, locations, width]`` of each map from ``[batch, locations, channels]``,
        fine to coarse.
        """
        projected = [projection(each) for projection, each in zip(self.projections, maps, strict=True)]
        for level in reversed(range(len(self.upsamplers))):
            projected[level] = projected[level] + self.upsamplers[level](projected[level + 1])
        return projected


def _upsampler(coarse: Size, fine: Size) -> nn.Module:
    if coarse == fine:
        return nn.Identity()
    if len(coarse) == len(fine) > 1:
        return Interpolation(coarse, fine)
    return AcrossLocations(math.prod(coarse), math.prod(fine))
