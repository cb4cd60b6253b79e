"""Options of the Swin encoder of SwinUNETR."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser

COARSEST = 32
"""Factor by which the last map is coarser than the image."""


class Options(BackboneOptions):
    """SwinUNETR's encoder; the defaults are its published size, 8,062,002 parameters in 3D (without
    a head).
    """

    kind: ClassVar[str] = "swin"

    embedding: PositiveInt = 48
    """Width of a token in the first stage. It doubles with each of the four stages."""
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (2, 2, 2, 2)
    """Number of layers in each of the four stages."""
    heads: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (3, 6, 12, 24)
    """Number of attention heads in each of the four stages. Each must divide its stage's width."""
    window: PositiveInt = 7
    """Side in tokens of the windows within which attention is computed."""
    drop_path: float = Field(default=0.0, ge=0, lt=1)
    """Probability of skipping the last layer's branches for a case in training. It rises linearly
    from zero at the first layer.
    """

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        self.check_heads(self.embedding, self.heads)
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for two or three axes, each long enough for two positions in the last map."""
        self.check_image(shape, COARSEST + 1, f"the last map is {COARSEST} times coarser and needs two positions")

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The patches' and the four stages': 2, 4, 8, 16 and 32 times coarser."""
        return tuple(coarser(shape, factor) for factor in (2, 4, 8, 16, 32))
