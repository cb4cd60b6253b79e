"""Foreground of a scan by Otsu's threshold: which voxels are tissue, and where their centre lies.

Otsu N (1979), A threshold selection method from gray-level histograms, IEEE Trans Syst Man Cybern
9:62-66.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BINS = 256
# Samples along each axis: a centre of mass or a threshold needs no more.
_SAMPLES = 96


def subsample(image: NDArray[np.generic]) -> tuple[NDArray[np.float32], tuple[int, ...]]:
    """Every n-th voxel along each axis (float32), and the steps."""
    steps = tuple(max(1, size // _SAMPLES) for size in image.shape)
    return image[tuple(slice(None, None, step) for step in steps)].astype(np.float32), steps


def otsu_threshold(values: NDArray[np.float32]) -> float:
    """The threshold that parts values into two classes of least variance, from a histogram of 256
    bins over their range.

    Returns:
        An edge between two bins; values above it are foreground. For equal values: that value, so
        that no voxel is foreground.
    """
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return high
    counts, edges = np.histogram(values, bins=_BINS, range=(low, high))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    above = counts.sum() - below
    mass = np.cumsum(counts * middles)
    # Variance between the classes, at each edge between two bins; the outer bins are never empty,
    # so no class is.
    between = below * above * (mass[:-1] / below - (mass[-1] - mass[:-1]) / above) ** 2
    return float(edges[1 + int(np.argmax(between))])


def foreground_centre(image: NDArray[np.generic]) -> NDArray[np.float64]:
    """Centre of mass (array index, three real numbers) of the voxels brighter than Otsu's
    threshold; the middle if there are none.
    """
    values, steps = subsample(image)
    # A few voxels of metal or flow artefact would stretch the histogram until all tissue is one
    # bin.
    low, high = np.percentile(values, (0.5, 99.5))
    np.clip(values, low, high, out=values)
    bright = np.argwhere(values > otsu_threshold(values))
    if not bright.size:
        return (np.asarray(image.shape, dtype=np.float64) - 1) / 2
    centre: NDArray[np.float64] = bright.mean(axis=0) * steps
    return centre
