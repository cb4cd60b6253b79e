"""Options of the Swin encoder of SwinUNETR."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions

COARSEST = 32
"""How much coarser the last map is than the image."""


class Options(BackboneOptions):
    """SwinUNETR's encoder; the defaults are its published size, 8,062,002 parameters in 3D (without
    a head).
    """

    kind: ClassVar[str] = "swin"

    embedding: PositiveInt = 48
    """Width of a token at first; it doubles with each of the four stages."""
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (2, 2, 2, 2)
    """Layers of the four stages."""
    heads: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (3, 6, 12, 24)
    """Attention heads of the four stages; each must divide its stage's width."""
    window: PositiveInt = 7
    """Side of the windows that attention is confined to, in tokens."""
    drop_path: float = Field(default=0.0, ge=0, lt=1)
    """Probability with which the last layer's branches are left out for a case in training; it
    rises linearly from zero at the first.
    """

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        self.check_heads(self.embedding, self.heads)
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Two or three axes, each long enough for two positions in the last map."""
        self.check_image(shape, COARSEST + 1, f"the last map is {COARSEST} times coarser and needs two positions")
