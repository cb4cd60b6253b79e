"""Options of the nnMamba classifier."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser


class Options(BackboneOptions):
    """nnMamba's classifier; the defaults are the released ones, 12,876,453 parameters with five
    classes.
    """

    kind: ClassVar[str] = "nnmamba"

    channels: PositiveInt = 32
    """Channels of the stem and of the Mamba layer. The three stages have 2, 4 and 8 times as
    many.
    """
    blocks: PositiveInt = 3
    """Number of residual blocks in each stage."""
    state: PositiveInt = 8
    """States of the selective scan for each channel."""
    css: bool = False
    """Whether each stage has a Mamba layer too. It reads its sequence as it is and with channels,
    tokens or both in reverse order.
    """
    css_state: PositiveInt = 16
    """States of the scans of those layers for each channel."""
    kernel: PositiveInt = 4
    """Length of Mamba's causal convolution, in tokens."""
    expand: PositiveInt = 2
    """Inner width of Mamba, as a multiple of the channels."""
    embedding: PositiveInt = 32
    """Width of the embedding."""
    dropout: float = Field(default=0.5, ge=0, lt=1)
    """Probability of dropping a component of the embedding before the head."""

    @model_validator(mode="after")
    def _scanned(self) -> Self:
        if self.css and self.blocks < 2:
            raise ValueError("'css' needs 'blocks' of 2 or more: the first block of a stage is never scanned")
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for three axes, each long enough for two positions in the last map."""
        self.check_volume(shape, 17, "the last map is 16 times coarser and needs two positions")

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The stem's and the three stages': 2, 4, 8 and 16 times coarser."""
        return tuple(coarser(shape, factor) for factor in (2, 4, 8, 16))
