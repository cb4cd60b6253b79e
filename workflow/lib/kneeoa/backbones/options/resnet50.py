"""Options of ResNet-50."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from kneeoa.backbones.options.base import BackboneOptions

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
