"""Options of the vision transformer."""

from __future__ import annotations

import math
from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser
from kneeoa.backbones.step_cost import StepCost, convolution, transformer_layer


class Options(BackboneOptions):
    """ViT; the defaults are ViT-B/16, 86,094,341 parameters at 384 x 384 with three channels and
    five classes.
    """

    kind: ClassVar[str] = "vit"

    patch: PositiveInt = 16
    """Side of a patch in voxels. It must divide the image's axes."""
    embedding: PositiveInt = 768
    """Width of a token, and of the embedding."""
    depth: PositiveInt = 12
    """Number of layers."""
    heads: PositiveInt = 12
    """Number of attention heads. It must divide the embedding."""
    expansion: PositiveInt = 4
    """Hidden width of the perceptrons, as a multiple of the embedding."""
    drop_path: float = Field(default=0.0, ge=0, lt=1)
    """Probability of skipping the last layer's branches for a case in training. It falls linearly
    to zero at the first layer.
    """
    maps: PositiveInt = 4
    """Number of layers, counted from the last, that give a feature map."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.embedding % self.heads:
            raise ValueError(f"'heads' ({self.heads}) must divide 'embedding' ({self.embedding})")
        if self.maps > self.depth:
            raise ValueError(f"'maps' ({self.maps}) must not exceed 'depth' ({self.depth})")
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for two or three axes, each a multiple of the patch."""
        self.check_image(shape, self.patch, f"a patch has {self.patch}")
        if any(size % self.patch for size in shape):
            raise ValueError(
                f"backbone '{self.kind}' cuts the image into patches of {self.patch} voxels, which do not divide {list(shape)}; "
                "give the arm a grid whose axes they divide, or change 'patch'"
            )

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The grid of patches, for every layer that gives a map."""
        return (coarser(shape, self.patch),) * self.maps

    def map_widths(self, public: bool = False) -> tuple[int, ...]:
        """A token's, for every layer that gives a map."""
        return (self.embedding,) * self.maps

    def step_cost(self, shape: tuple[int, ...], channels: int = 1) -> StepCost:
        """Cost of the patches and of every layer."""
        width, patches = self.embedding, math.prod(coarser(shape, self.patch))
        tokens = 1 + patches
        cost = convolution(patches, channels, width, self.patch ** len(shape), bias=True)
        cost += StepCost(parameters=width + tokens * width, kept=channels * math.prod(shape))
        layer = transformer_layer(tokens, width, self.expansion * width, attending=tokens, products_with=tokens, kept=5)
        return cost + layer * self.depth + StepCost(parameters=2 * width)

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The tokens of the last layers; the class token is a location too."""
        self.check_flat(shape)
        return ((1 + math.prod(coarser(shape, self.patch)),),) * self.maps
