"""Options of the 3D ResNet-18."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import PositiveInt

from kneeoa.backbones.options.base import BackboneOptions, MapSizes, coarser


class Options(BackboneOptions):
    """ResNet3D-18; the defaults are MedicalNet's, 33,162,565 parameters with five classes."""

    kind: ClassVar[str] = "resnet3d"

    width: PositiveInt = 64
    """Channels of the first stage; later stages have 2, 4 and 8 times as many."""
    stem_stride: Literal[1, 2] = 2
    """Stride of the first convolution. 1 keeps more of a small input."""

    shortcut: Literal["A", "B"] = "B"
    """Shortcut where a stage widens. A fills with zeros and has no parameters; MedicalNet's
    released weights of 18 layers are of this type. B projects.
    """

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check for three axes, each long enough for two positions in the last map."""
        stride = 4 * self.stem_stride
        self.check_volume(shape, stride + 1, f"the last map is {stride} times coarser and needs two positions")

    def map_sizes(self, shape: tuple[int, ...]) -> MapSizes:
        """The four stages'; the last two do not make the map coarser."""
        return tuple(coarser(shape, self.stem_stride * factor) for factor in (2, 4, 4, 4))
