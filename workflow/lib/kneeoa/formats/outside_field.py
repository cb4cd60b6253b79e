"""Replace NaN outside the field of view, which registration, resampling and masking leave there."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.errors import UnusableImage
from kneeoa.formats.volume import Volume


def replace_nan_outside_field(volume: Volume, name: str) -> Volume:
    """The volume with NaN outside its field of view replaced by its least value (the volume itself
    where all voxels are numbers).

    Such voxels reach a corner of the volume and stay out of its middle half along each axis.

    Raises:
        UnusableImage: others are not numbers, or one is infinite (``non-finite``).
    """
    array = volume.array
    # Least and largest value show any infinity or NaN, without an array of flags.
    if array.dtype.kind != "f" or (np.isfinite(np.min(array)) and np.isfinite(np.max(array))):
        return volume
    blank = np.isnan(array)
    middle = tuple(slice(size // 4, max(size - size // 4, size // 4 + 1)) for size in array.shape)
    if blank[middle].any() or np.isinf(array).any() or not _reaches_corners(blank):
        raise UnusableImage("non-finite", f"{name}: has voxels that are not numbers.")
    return replace(volume, array=np.where(blank, np.nanmin(array), array))


def _reaches_corners(blank: NDArray[np.bool_]) -> bool:
    """Whether each connected part of the blank voxels holds a corner of the volume and is more than
    one voxel, which would be damage.
    """
    parts, count = ndimage.label(blank)
    corners = {int(parts[corner]) for corner in product((0, -1), repeat=3)} - {0}
    return len(corners) == int(count) and int(np.bincount(parts.ravel())[1:].min()) > 1
