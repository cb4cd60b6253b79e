"""Ranks with ties at their mean, as ``scipy.stats.rankdata`` gives them: that module takes longer
to import than jobs of one run take to rank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def midranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """The rank of each number (1: the least) in the shape of ``values``, which holds no NaN; equal
    numbers share the mean of their ranks.
    """
    flat = values.ravel()
    order = np.argsort(flat)
    ordered = flat[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: flat.size])
    counts = np.diff(begins, append=flat.size)
    ranks = np.empty(flat.size)
    ranks[order] = np.repeat(begins + (counts + 1) / 2, counts)
    return ranks.reshape(values.shape)
