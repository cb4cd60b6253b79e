"""Find the exposed field of a radiograph: the rectangle inside collimated, shuttered or padded
borders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A line of pixels belongs to the border while this share of it lies within that share of the
# picture's range around its median.
_UNIFORM_SHARE, _UNIFORM_RANGE = 0.95, 0.02
_MIN_SHARE = 0.25
"""Smallest share of each side that must remain; a picture that seems to be all border is used
whole.
"""


@dataclass(frozen=True)
class Field:
    """The exposed rows and columns of a picture."""

    rows: slice
    columns: slice

    def mask(self, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """True inside the field."""
        inside = np.zeros(shape, dtype=np.bool_)
        inside[self.rows, self.columns] = True
        return inside


def exposed_field(picture: NDArray[np.generic]) -> Field:
    """Strip uniform rows and columns from the sides of a picture, for as long as they are uniform.

    A collimator that is not parallel to the detector leaves wedges, and direct exposure beside a
    leg can be stripped with the border: it is as featureless. Borders hold no anatomy either way.
    """
    values = np.asarray(picture, dtype=np.float32)
    low, high = (float(value) for value in np.percentile(values, (0.5, 99.5)))
    spans = [slice(0, values.shape[0]), slice(0, values.shape[1])]
    # Corners belong to two borders: strip rows, then columns within them, then rows again.
    for axis in (0, 1, 0):
        inner = values[spans[0], spans[1]]
        uniform = _uniform(inner, axis, _UNIFORM_RANGE * (high - low))
        kept = np.flatnonzero(~uniform)
        if kept.size < _MIN_SHARE * values.shape[axis]:
            return Field(slice(0, values.shape[0]), slice(0, values.shape[1]))
        spans[axis] = slice(spans[axis].start + int(kept[0]), spans[axis].start + int(kept[-1]) + 1)
    return Field(spans[0], spans[1])


def _uniform(values: NDArray[np.float32], axis: int, tolerance: float) -> NDArray[np.bool_]:
    """For each row (axis 0) or column (axis 1), whether nearly all of it is one grey level."""
    middle = np.median(values, axis=1 - axis, keepdims=True)
    share: NDArray[np.float64] = (np.abs(values - middle) <= tolerance).mean(axis=1 - axis)
    return share >= _UNIFORM_SHARE
