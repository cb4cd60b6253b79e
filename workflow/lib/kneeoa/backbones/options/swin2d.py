"""Options of the 2D Swin transformer."""

from __future__ import annotations

import math
from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser
from kneeoa.backbones.step_cost import StepCost, convolution, normalised, transformer_layer


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

    def map_widths(self, public: bool = False) -> tuple[int, ...]:
        """The four stages', or those that leave each after its merging."""
        widths = tuple(self.embedding * 2**stage for stage in range(len(self.depths)))
        return (*widths[1:], widths[-1]) if public else widths

    def step_cost(self, shape: tuple[int, ...], channels: int = 1) -> StepCost:
        """Cost of the patches, of every layer, whose windows may be padded, and of the mergings."""
        grid, width = coarser(shape, self.patch), self.embedding
        tokens = math.prod(grid)
        cost = convolution(tokens, channels, width, self.patch**2, bias=True) + normalised(tokens, width, 1)
        cost += StepCost(kept=channels * math.prod(shape))
        for stage, (depth, heads) in enumerate(zip(self.depths, self.heads, strict=True)):
            if stage:
                grid, width = coarser(grid, 2), 2 * width
                tokens = math.prod(grid)
                cost += normalised(tokens, 2 * width) + convolution(tokens, 2 * width, width, 1)
            filled = math.prod(self.window * size for size in coarser(grid, self.window))
            layer = transformer_layer(tokens, width, self.expansion * width, attending=filled, products_with=self.window**2, kept=7)
            table = StepCost(parameters=(2 * self.window - 1) ** 2 * heads, kept=filled * heads * self.window**2)
            cost += (layer + table) * depth
        return cost + normalised(tokens, width, 1)

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The tokens that leave each stage: after its merging, but for the last, which has none."""
        self.check_flat(shape)
        sizes = self.map_sizes(shape)
        return tuple((math.prod(size),) for size in (*sizes[1:], sizes[-1]))
