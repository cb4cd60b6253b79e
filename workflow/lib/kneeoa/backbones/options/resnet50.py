"""Options of ResNet-50."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser

COARSEST = 32
"""Factor by which the last map is coarser than the image."""


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

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The four stages', as everywhere."""
        self.check_flat(shape)
        return self.map_sizes(shape)
