"""The shift null: the same map, moved. Circular shifts keep a map's texture and total, which a permutation of voxels destroys.

All shifts at once by the correlation theorem: hit(d) = sum over x of w[x - d] m[x] is the inverse transform of conj(W) M.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from kneeoa.errors import KneeoaError

Floats = NDArray[np.float64]

# Hits are at most one; what differs by less than the transforms' rounding is a tie, and ties count against the map.
_ROUNDING = 1e-10


def shifted_hits(distributions: Floats, occupancy: Floats) -> Floats:
    """The hit under every circular shift of each distribution.

    Args:
        distributions: ``[k, *shape]``.
        occupancy: ``[tissues, *shape]``, in [0, 1].

    Returns:
        ``[tissues, k, *shape]``: entry ``[t, j, d]`` is the hit of distribution j, moved by ``d`` cells (as ``np.roll``), on tissue t.
    """
    shape = occupancy.shape[1:]
    axes = tuple(range(1, occupancy.ndim))
    moved = np.conj(fft.rfftn(distributions, axes=axes))
    fixed = fft.rfftn(occupancy, axes=axes)
    found = np.empty((len(occupancy), *distributions.shape))
    for tissue, one in enumerate(fixed):
        found[tissue] = fft.irfftn(moved * one, s=shape, axes=axes)
    return found


def random_shifts(shape: tuple[int, ...], count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Flat indices of ``count`` different shifts, the identity never among them; all others where there are no more.

    Raises:
        KneeoaError: the map has a single cell.
    """
    others = int(np.prod(shape)) - 1
    if others < 1:
        raise KneeoaError(f"a map of shape {shape} has one cell and cannot be shifted; choose a smaller 'saliency.keep'.")
    return generator.choice(others, size=min(count, others), replace=False) + 1


def against_null(hit: float, sample: Floats) -> tuple[float, float]:
    """Mean of the null sample, and the one-sided p that the map hits at least as often: (1 + #{null >= hit}) / (B + 1)."""
    reached = int((sample >= hit - _ROUNDING).sum())
    return float(sample.mean()), (1 + reached) / (sample.size + 1)
