"""Find the exposed field of a radiograph: the rectangle inside collimated, shuttered or padded
borders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.volumes.percentiles import percentile

# A line of pixels belongs to the border while this share of it lies within that share of the
# picture's range around its median.
_UNIFORM_SHARE, _UNIFORM_RANGE = 0.95, 0.02
_EVERY, _ROUNDING = 8, 1.001
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
    tolerance = _UNIFORM_RANGE * (percentile(values, 99.5) - percentile(values, 0.5))
    spans = [slice(0, values.shape[0]), slice(0, values.shape[1])]
    # Corners belong to two borders: strip rows, then columns within them, then rows again.
    for axis in (0, 1, 0):
        inner = values[spans[0], spans[1]]
        kept = _span(inner if axis == 0 else inner.T, _MIN_SHARE * values.shape[axis], tolerance)
        if kept is None:
            return Field(slice(0, values.shape[0]), slice(0, values.shape[1]))
        spans[axis] = slice(spans[axis].start + kept.start, spans[axis].start + kept.stop)
        if axis == 1 and spans[1] == slice(0, values.shape[1]):
            break
    return Field(spans[0], spans[1])


def _span(lines: NDArray[np.float32], fewest: float, tolerance: float) -> slice | None:
    """From the first line that is not uniform to the last; None where fewer than ``fewest`` are
    not.

    Lines are looked at from both sides inwards, an eighth of them at a time, until that is settled.
    """
    size = len(lines)
    middle, step = -(-size // 2), -(-size // 8)
    varied = np.zeros(size, dtype=np.bool_)
    for depth in range(0, middle, step):
        deeper = min(depth + step, middle)
        for block in (slice(depth, deeper), slice(size - deeper, size - depth)):
            varied[block] = ~_uniform(lines[block], tolerance)
        if varied.sum() >= fewest and varied[:deeper].any() and varied[size - deeper :].any():
            break
    kept = np.flatnonzero(varied)
    return slice(int(kept[0]), int(kept[-1]) + 1) if kept.size >= max(fewest, 1) else None


def _uniform(lines: NDArray[np.float32], tolerance: float) -> NDArray[np.bool_]:
    """For each line, whether nearly all of it is one grey level."""
    uniform = _may_be_uniform(lines, tolerance)
    ordered, half = np.sort(lines[uniform], axis=1), lines.shape[1] // 2
    middle = (ordered[:, -half - 1] + ordered[:, half]) / 2
    alike = np.count_nonzero(np.abs(ordered - middle[:, None]) <= tolerance, axis=1)
    uniform[uniform] = alike / lines.shape[1] >= _UNIFORM_SHARE
    return uniform


def _may_be_uniform(lines: NDArray[np.float32], tolerance: float) -> NDArray[np.bool_]:
    """For each line, whether some of its pixels leave open that it is uniform: of a uniform line so
    few pixels differ that the others among every eighth lie within twice the tolerance.
    """
    some = np.sort(lines[:, ::_EVERY], axis=1)
    together = some.shape[1] - int((1 - _UNIFORM_SHARE) * lines.shape[1]) - 1
    if together < 1:
        return np.ones(len(lines), dtype=np.bool_)
    spread: NDArray[np.float32] = some[:, together:] - some[:, : some.shape[1] - together]
    return np.asarray(spread.min(axis=1) <= 2 * tolerance * _ROUNDING)
