"""Agreement of two maps on one grid: rank correlation and structural similarity."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.stats import rankdata

Floats = NDArray[np.float64]

_WINDOW = 7


def standardised_ranks(saliency: Floats) -> Floats:
    """Return standardised ranks ``[cells]``, whose dot product with another map's is Spearman's
    correlation; NaN for a constant map.
    """
    ranks = rankdata(saliency, axis=None)
    centred = ranks - ranks.mean()
    length = math.sqrt(float(centred @ centred))
    result: Floats = centred / length if length > 0 else np.full(centred.shape, np.nan)
    return result


def spearman(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation of two maps, ties at their mean rank; NaN where one is
    constant.
    """
    return float(standardised_ranks(first) @ standardised_ranks(second))


def ssim(first: Floats, second: Floats) -> float:
    """Return the structural similarity (Wang et al. 2004) of two non-negative maps, each divided by
    its maximum; NaN where one is zero.

    The mean over all windows of seven cells along each axis (fewer where the map is smaller), with
    the constants 0.01 and 0.03.
    """
    if not first.any() or not second.any():
        return math.nan
    a, b = first / first.max(), second / second.max()
    size = [min(_WINDOW, length) for length in a.shape]
    cells = math.prod(size)
    mean_a, mean_b = uniform_filter(a, size), uniform_filter(b, size)
    unbiased = cells / max(cells - 1, 1)
    variance_a = unbiased * (uniform_filter(a * a, size) - mean_a**2)
    variance_b = unbiased * (uniform_filter(b * b, size) - mean_b**2)
    covariance = unbiased * (uniform_filter(a * b, size) - mean_a * mean_b)
    c1, c2 = 0.01**2, 0.03**2
    similar = (2 * mean_a * mean_b + c1) * (2 * covariance + c2) / ((mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2))
    within = tuple(slice(width // 2, length - (width - 1) // 2) for width, length in zip(size, a.shape, strict=True))
    return float(similar[within].mean())
