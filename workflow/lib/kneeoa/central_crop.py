"""The central part of an image, which is all that a network with a crop takes. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Window = tuple[slice, ...]
"""A part of a grid, one slice for each of its axes."""


def check_crop(crop: Sequence[int], shape: Sequence[int]) -> None:
    """Check that a crop is a part of an image.

    Args:
        crop: voxels of the part along each axis.
        shape: voxels of the image along each axis.

    Raises:
        ValueError: it has another number of axes, or is larger along one.
    """
    if len(crop) != len(shape):
        raise ValueError(f"'crop' {list(crop)} has {len(crop)} axes, but the images have {len(shape)} ({list(shape)})")
    if any(part > whole for part, whole in zip(crop, shape, strict=True)):
        raise ValueError(f"'crop' {list(crop)} is larger than the images, which are {list(shape)}")


def central_window(shape: Sequence[int], crop: Sequence[int]) -> Window:
    """The voxels of the central part; of an odd remainder the larger half lies at the end."""
    return tuple(slice((whole - part) // 2, (whole - part) // 2 + part) for whole, part in zip(shape, crop, strict=True))


@dataclass(frozen=True)
class Taken:
    """The central part of its images that a network takes."""

    shape: tuple[int, ...]
    """Voxels of an image along each axis."""
    crop: tuple[int, ...]
    """Voxels of the part along each axis."""

    @classmethod
    def of(cls, content: Mapping[str, Sequence[int]] | None) -> Taken | None:
        """The part that a mapping of ``shape`` and ``crop`` describes; None: all."""
        return None if content is None else cls(tuple(content["shape"]), tuple(content["crop"]))

    def cells(self, grid: Sequence[int]) -> Window:
        """The cells of a coarser grid over the image that lie wholly in the part."""
        window = []
        for whole, part, count in zip(self.shape, central_window(self.shape, self.crop), grid, strict=True):
            first = -(-part.start * count // whole)
            window.append(slice(first, max(first + 1, part.stop * count // whole)))
        return tuple(window)
