"""Options of DenseNet121."""

from __future__ import annotations

from typing import ClassVar

from pydantic import PositiveInt

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser

COARSEST = 32
"""Factor by which the last map is coarser than the image."""


class Options(BackboneOptions):
    """DenseNet121; the defaults are the published ones, 11,247,749 parameters in 3D with five
    classes.
    """

    kind: ClassVar[str] = "densenet121"

    growth: PositiveInt = 32
    """Channels that each layer adds."""
    width: PositiveInt = 64
    """Channels after the stem."""
    blocks: tuple[PositiveInt, PositiveInt, PositiveInt, PositiveInt] = (6, 12, 24, 16)
    """Layers of the four dense blocks."""

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for two or three axes, each long enough for one position in the last map."""
        if len(shape) not in (2, 3):
            raise ValueError(f"backbone '{self.kind}' takes 2 or 3 axes, but the input has {len(shape)} ({list(shape)})")
        if min(shape) < COARSEST:
            raise ValueError(
                f"backbone '{self.kind}' needs at least {COARSEST} voxels along each axis, not {list(shape)}: "
                f"the last map is {COARSEST} times coarser"
            )

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """4 times coarser, then each half of the one before, rounded down."""
        first = coarser(shape, 4)
        return tuple(tuple(size // factor for size in first) for factor in (1, 2, 4, 8))
