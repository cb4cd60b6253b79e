"""Options of ResNet-50."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import PositiveInt

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser
from kneeoa.backbones.step_cost import StepCost, convolution, normalised

COARSEST = 32
"""Factor by which the last map is coarser than the image."""

BLOCKS = (3, 4, 6, 3)
"""Bottlenecks of each stage."""
EXPANSION = 4
"""Channels of a bottleneck's output, as a multiple of those of its middle."""


class Options(BackboneOptions):
    """ResNet-50; the defaults are the published ones, 23,518,277 parameters in 2D with three
    channels and five classes.
    """

    kind: ClassVar[str] = "resnet50"

    width: PositiveInt = 64
    """Channels of the stem; the four stages have 4, 8, 16 and 32 times as many."""

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for two or three axes, each longer than one position of the last map."""
        self.check_image(shape, COARSEST + 1, f"the last map is {COARSEST} times coarser and needs two positions")

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """4, 8, 16 and 32 times coarser."""
        return tuple(coarser(shape, factor) for factor in (4, 8, 16, 32))

    def map_widths(self, public: bool = False) -> tuple[int, ...]:
        """The four stages'."""
        return tuple(EXPANSION * self.width * 2**stage for stage in range(len(BLOCKS)))

    def step_cost(self, shape: tuple[int, ...], channels: int = 1) -> StepCost:
        """Cost of the stem, whose pool keeps places of eight bytes, and of every bottleneck."""
        axes, width = len(shape), self.width
        halved, before = math.prod(coarser(shape, 2)), math.prod(coarser(shape, 4))
        cost = convolution(halved, channels, width, 7**axes) + normalised(halved, width)
        cost += StepCost(kept=channels * math.prod(shape) + 3 * width * before)
        entering = width
        for stage, blocks in enumerate(BLOCKS):
            middle, positions = width * 2**stage, math.prod(coarser(shape, 4 * 2**stage))
            for block in range(blocks):
                first = before if block == 0 else positions
                cost += convolution(first, entering, middle, 1) + normalised(first, middle)
                cost += convolution(positions, middle, middle, 3**axes) + normalised(positions, middle)
                cost += convolution(positions, middle, EXPANSION * middle, 1) + normalised(positions, EXPANSION * middle)
                if block == 0:
                    cost += convolution(positions, entering, EXPANSION * middle, 1) + normalised(positions, EXPANSION * middle, 1)
                entering = EXPANSION * middle
            before = positions
        return cost

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The four stages', as everywhere."""
        self.check_flat(shape)
        return self.map_sizes(shape)
