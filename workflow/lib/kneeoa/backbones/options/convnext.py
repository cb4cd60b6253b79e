"""Options of ConvNeXt."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from kneeoa.backbones.options.base import BackboneOptions, MapSizes


class Options(BackboneOptions):
    """ConvNeXt; the defaults are ConvNeXt-T: with five classes 27,823,973 parameters in 2D (three
    channels), 31,321,253 in 3D (one).

    Atto is width 40 and depths [2, 2, 6, 2]; base is width 128 and depths [3, 3, 27, 3].
    """

    kind: ClassVar[str] = "convnext"

    width: PositiveInt = 96
    """Channels of the first stage; later stages have 2, 4 and 8 times as many."""
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (3, 3, 9, 3)
    """Blocks of the four stages."""
    kernel: Literal[3, 5, 7, 9] = 7
    """Kernel size of the depthwise convolutions."""
    expansion: PositiveInt = 4
    """Hidden width of a block, as a multiple of its stage's width."""
    layer_scale: PositiveFloat = 1e-6
    """Initial factor of each block's branch, in each channel."""
    drop_path: float = Field(default=0.1, ge=0, lt=1)
    """Probability of skipping the last block's branch for a case in training. It rises linearly
    from zero at the first block.
    """

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for two or three axes, each long enough for one position in the last map."""
        self.check_image(shape, 32, "the last map is 32 times coarser")

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """4, 8, 16 and 32 times coarser, rounded down."""
        return tuple(tuple(size // factor for size in shape) for factor in (4, 8, 16, 32))
