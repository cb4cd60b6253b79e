"""Draw small pictures of an image with the outlines of its mask, as arrays of pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.figures.case_images import PLANES, Plane, largest_slice, plane_slice, slice_spacing

Colour = tuple[int, int, int]

SIZE = 128
"""Pixels along each side."""
SIDE_MM = 115.0
"""Millimetres along each side of a picture of a volume: a knee's joint with the ends of its
bones.
"""
_GREYS = 48
"""Grey levels: few enough that pages compress, more than a person can distinguish at this size."""


def thumbnails(
    image: NDArray[np.generic], mask: NDArray[np.integer] | None, spacing: Sequence[float], colours: Mapping[int, Colour]
) -> list[NDArray[np.uint8]]:
    """Return pictures ``[SIZE, SIZE, 3]``: three planes of a volume through the middle of its
    cartilage, or the whole of a 2D image, with the mask's outlines.

    Args:
        image: canonical image, two or three axes; memory-mapped is best, as only three planes of it
            are read.
        mask: stored values on the same grid, if there is one.
        spacing: mm of a voxel.
        colours: the colour in which each stored value is outlined.
    """
    if image.ndim == 2:
        if not np.isfinite(spacing).all():  # a radiograph without the size of its pixels
            spacing = (1.0, 1.0)
        side = max(size * step for size, step in zip(image.shape, spacing, strict=True))
        middle = ((image.shape[0] - 1) / 2, (image.shape[1] - 1) / 2)
        return [_thumbnail(np.asarray(image), mask, (spacing[0], spacing[1]), middle, side, colours)]
    shown = np.isin(mask, list(colours)) if mask is not None else None
    box = _middle(shown, image.shape)
    pictures = []
    for plane in PLANES:
        # Sagittal: where most of the cartilage is, a condyle and not the notch.
        index = largest_slice(shown, image.shape, 0) if plane.axis == 0 else round(box[plane.axis])
        labels = plane_slice(mask, plane, index) if mask is not None else None
        middle = _place(plane, box, image.shape)
        pictures.append(_thumbnail(plane_slice(image, plane, index), labels, slice_spacing(spacing, plane), middle, SIDE_MM, colours))
    return pictures


def _middle(shown: NDArray[np.bool_] | None, shape: tuple[int, ...]) -> list[float]:
    """Canonical index of the middle of the mask's box along each axis, or of the grid."""
    if shown is None or not shown.any():
        return [(size - 1) / 2 for size in shape]
    centre = []
    for axis in range(3):
        filled = np.flatnonzero(shown.any(axis=tuple(other for other in range(3) if other != axis)))
        centre.append((float(filled[0]) + float(filled[-1])) / 2)
    return centre


def _place(plane: Plane, box: Sequence[float], shape: tuple[int, ...]) -> tuple[float, float]:
    """Position (down, across) of the middle in the picture that
    :func:`~kneeoa.figures.case_images.plane_slice` makes of a plane.
    """
    rest = [axis for axis in range(3) if axis != plane.axis]
    if plane.axis == 0:
        return box[rest[0]], box[rest[1]]
    return box[rest[1]], shape[rest[0]] - 1 - box[rest[0]]


def _thumbnail(
    picture: NDArray[np.generic],
    labels: NDArray[np.integer] | None,
    pixel: tuple[float, float],
    middle: tuple[float, float],
    side: float,
    colours: Mapping[int, Colour],
) -> NDArray[np.uint8]:
    steps = (np.arange(SIZE) - (SIZE - 1) / 2) * side / SIZE
    down, across = np.meshgrid(steps / pixel[0] + middle[0], steps / pixel[1] + middle[1], indexing="ij")
    values = np.asarray(picture, dtype=np.float32)
    black, white = np.percentile(values, (1, 98))
    grey = ndimage.map_coordinates(values, [down, across], order=1, mode="constant", cval=float(black))
    level = np.clip((grey - black) / max(float(white - black), 1e-6), 0, 1)
    level = np.rint(level * (_GREYS - 1)) * (255 / (_GREYS - 1))
    out = np.repeat(level.astype(np.uint8)[..., None], 3, axis=2)
    if labels is not None:
        resampled = ndimage.map_coordinates(np.asarray(labels, dtype=np.uint8), [down, across], order=0, mode="constant", cval=0)
        for value, colour in colours.items():
            inside = resampled == value
            out[inside & ~ndimage.binary_erosion(inside, border_value=1)] = colour
    return out
