"""Options of the vision transformer."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions


class Options(BackboneOptions):
    """ViT; the defaults are ViT-B/16, 86,094,341 parameters at 384 x 384 with three channels and
    five classes.
    """

    kind: ClassVar[str] = "vit"

    patch: PositiveInt = 16
    """Voxels of a patch along each axis; must divide the image's axes."""
    embedding: PositiveInt = 768
    """Width of a token, and of the embedding."""
    depth: PositiveInt = 12
    """Layers."""
    heads: PositiveInt = 12
    """Attention heads; must divide the embedding."""
    expansion: PositiveInt = 4
    """Hidden width of the perceptrons, in embeddings."""
    drop_path: float = Field(default=0.0, ge=0, lt=1)
    """Probability with which the last layer's branches are left out for a case in training; it
    falls linearly to zero at the first.
    """
    maps: PositiveInt = 4
    """How many of the last layers give a feature map."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.embedding % self.heads:
            raise ValueError(f"'heads' ({self.heads}) must divide 'embedding' ({self.embedding})")
        if self.maps > self.depth:
            raise ValueError(f"'maps' ({self.maps}) must not exceed 'depth' ({self.depth})")
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Two or three axes, each a multiple of the patch."""
        self.check_image(shape, self.patch, f"a patch has {self.patch}")
        if any(size % self.patch for size in shape):
            raise ValueError(
                f"backbone '{self.kind}' cuts the image into patches of {self.patch} voxels, which do not divide {list(shape)}; "
                "give the arm a grid whose axes they divide, or change 'patch'"
            )
