"""Options of the nnMamba classifier."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, PositiveInt

from kneeoa.backbones.options.base import BackboneOptions


class Options(BackboneOptions):
    """nnMamba's classifier; the defaults are the released ones, 12,876,453 parameters with five classes."""

    kind: ClassVar[str] = "nnmamba"

    channels: PositiveInt = 32
    """Channels of the stem and of the Mamba layer; the three stages have 2, 4 and 8 times as many."""
    blocks: PositiveInt = 3
    """Residual blocks in each stage."""
    state: PositiveInt = 8
    """States of the selective scan for each channel."""
    kernel: PositiveInt = 4
    """Length of Mamba's causal convolution, in tokens."""
    expand: PositiveInt = 2
    """Inner width of Mamba, in channels."""
    embedding: PositiveInt = 32
    """Width of the embedding."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Probability of dropping a component of the embedding before the head."""

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Three axes, each long enough for two positions in the last map."""
        self.check_volume(shape, 17, "the last map is 16 times coarser and needs two positions")
