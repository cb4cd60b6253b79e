"""Convert colour pictures that show grey levels to one channel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage

_MAX_TINT = 0.03
"""Share of the range by which the channels of a grey pixel may differ: JPEG and changes of colour
space put them apart by one to three of 255 levels.
"""
_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601), by which JPEG parts grey from colour."""


def rgb_to_grey(colours: NDArray[np.unsignedinteger], top: int, name: str) -> NDArray[np.unsignedinteger]:
    """Grey levels of an RGB picture, ``[rows, columns, 3]`` -> ``[rows, columns]`` of the same
    type: any channel where all are equal, their luma where they differ by a trace.

    Args:
        colours: the picture.
        top: the highest value that its bits can hold.
        name: the file's name in errors.

    Raises:
        UnusableImage: the picture is coloured somewhere (``not-greyscale``).
    """
    difference = int((colours.max(axis=-1) - colours.min(axis=-1)).max())
    if difference == 0:
        return np.ascontiguousarray(colours[..., 0])
    if difference > _MAX_TINT * top:
        raise UnusableImage("not-greyscale", f"{name}: is a colour picture; expected grey.")
    luma: NDArray[np.unsignedinteger] = np.rint(colours @ np.array(_LUMA)).astype(colours.dtype)
    return luma
