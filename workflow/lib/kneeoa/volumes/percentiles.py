"""Percentiles of a large image, without sorting it."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

# The sample takes every n-th voxel along each axis; odd steps fall out of step with patterns of two
# or four voxels.
_STEPS = (3, 5, 5)
# Standard deviations of a sampled count by which the tail is longer.
_MARGIN_SD = 4.0


def percentile(image: NDArray[np.float32], rank: float) -> float:
    """A percentile by linear interpolation between order statistics: numpy's default definition.

    A sorted sample gives the start of a tail that surely holds the two order statistics; only that
    tail is partitioned. The sample affects the time and never the result.

    Args:
        image: three axes, at least one voxel, finite.
        rank: 0 to 100.
    """
    place = rank / 100 * (image.size - 1)
    lower = int(place)
    upper = min(lower + 1, image.size - 1)
    sample = np.sort(image[tuple(slice(None, None, step) for step in _STEPS[-image.ndim :])], axis=None)
    if 2 * lower < image.size:
        tail = image[image <= sample[min(_sampled_bound(upper + 1, image.size, sample.size), sample.size - 1)]]
        start = 0
    else:
        tail = image[image >= sample[max(sample.size - 1 - _sampled_bound(image.size - lower, image.size, sample.size), 0)]]
        start = image.size - tail.size
    if start > lower or start + tail.size <= upper:
        tail, start = image.ravel(), 0
    places = (lower - start, upper - start)
    low, high = (float(value) for value in np.partition(tail, places)[list(places)])
    return low + (high - low) * (place - lower)


def _sampled_bound(count: int, size: int, sampled: int) -> int:
    """Upper bound (expectation and four standard deviations) on how many of ``sampled`` voxels lie
    among the ``count`` outermost of ``size``.
    """
    expected = count / size * sampled
    return ceil(expected + _MARGIN_SD * sqrt(expected)) + 1
