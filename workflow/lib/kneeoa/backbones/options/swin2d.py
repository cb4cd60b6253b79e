"""Options of the 2D Swin transformer."""

from __future__ import annotations

import math
from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser


class Options(BackboneOptions):
    """Swin in 2D; the defaults are Swin-L with windows of 12, 195,206,201 parameters with three
    channels and five classes.

    Swin-T is embedding 96, depths [2, 2, 6, 2], heads [3, 6, 12, 24], window 7.
    """

    kind: ClassVar[str] = "swin2d"

    patch: PositiveInt = 4
    """Pixels of a patch along each axis."""
    embedding: PositiveInt = 192
    """Width of a token in the first stage. It doubles with each later stage."""
    depths: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (2, 2, 18, 2)
    """Number of layers in each stage."""
    heads: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (6, 12, 24, 48)
    """Number of attention heads in each stage. Each must divide its stage's width."""
    window: PositiveInt = 12
    """Side of an attention window, in tokens."""
    expansion: PositiveInt = 4
    """Hidden width of the perceptrons, as a multiple of their stage's width."""
    drop_path: float = Field(default=0.1, ge=0, lt=1)
    """Probability of skipping the last layer's branches for a case in training. It falls linearly
    to zero at the first layer.
    """

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        self.check_heads(self.embedding, self.heads)
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for two axes, each long enough for two tokens of the last stage."""
        if len(shape) != 2:
            raise ValueError(
                f"backbone '{self.kind}' takes 2 axes, but the input has {len(shape)} ({list(shape)}); choose a view of two dimensions"
            )
        coarsest = 8 * self.patch
        self.check_image(shape, coarsest + 1, f"the last map is {coarsest} times coarser and needs two tokens")

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The four stages': 1, 2, 4 and 8 patches to a position along each axis."""
        return tuple(coarser(coarser(shape, self.patch), factor) for factor in (1, 2, 4, 8))

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The tokens that leave each stage: after its merging, but for the last, which has none."""
        self.check_flat(shape)
        sizes = self.map_sizes(shape)
        return tuple((math.prod(size),) for size in (*sizes[1:], sizes[-1]))
