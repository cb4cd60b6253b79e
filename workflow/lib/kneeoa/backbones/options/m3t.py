"""Options of M3T, the multi-plane and multi-slice transformer."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import PositiveInt, model_validator

from kneeoa.backbones.options.base import BackboneOptions, MapSizes


class Options(BackboneOptions):
    """M3T; the defaults are paper A's, 11,996,469 parameters with five classes at 128 x 128 x
    128.
    """

    kind: ClassVar[str] = "m3t"

    variant: Literal["paper", "released"] = "paper"
    """paper: as Jang & Hwang describe it. released: with the faults of the public reimplementation
    that paper A used.
    """
    channels: PositiveInt = 16
    """Channels of the 3D block, and so of each slice."""
    cnn_width: PositiveInt = 64
    """Channels of the 2D ResNet-18's first stage; later stages have 2, 4 and 8 times as many."""
    projection: PositiveInt = 256
    """Hidden width of the projection from a slice's features to its token."""
    embedding: PositiveInt = 128
    """Width of a token, and of the embedding."""
    depth: PositiveInt = 4
    """Number of layers of the transformer."""
    heads: PositiveInt = 8
    """Number of attention heads. It must divide the embedding."""
    expansion: PositiveInt = 2
    """Hidden width of the transformer's MLPs, as a multiple of the embedding."""

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        if self.embedding % self.heads:
            raise ValueError(f"'heads' ({self.heads}) must divide 'embedding' ({self.embedding})")
        return self

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for three axes at least as long as the 2D CNN's first kernel; a cube for the
        released variant.
        """
        self.check_volume(shape, 7, "a slice must not be smaller than the 2D network's first kernel")
        if self.variant == "released" and len(set(shape)) != 1:
            raise ValueError(
                f"backbone 'm3t' with variant 'released' takes a cube, not {list(shape)}; give the arm a cubic grid or use 'paper'"
            )

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The 3D block's, as large as the image, and the transformer's tokens: a class token, one
        for each slice, and three separators.
        """
        return shape, (sum(shape) + 4,)
