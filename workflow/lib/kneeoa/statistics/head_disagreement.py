"""Contradictions between a coarse head and the fine head of the same network.

Two measures per case. *Call*: the coarse head's class is not the parent of the fine head's class (0
or 1). *Mass*: the probability that would have to move for the two heads to agree, the total
variation distance between the coarse probabilities and the fine ones summed by parent (0 to 1); it
sees disagreement that no arg max shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_probabilities
from kneeoa.statistics.influence_functions import seeds_first
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.metrics import predicted_class


def per_case(coarse: ArrayLike, fine: ArrayLike, parent_class: Sequence[int], threshold: float = 0.5) -> tuple[Floats, Floats]:
    """Contradiction by call and by mass of each case, ``[n]`` each, averaged over seeds."""
    upper, lower = seeds_first(coarse, "coarse", 2), seeds_first(fine, "fine", 2)
    if upper.shape[:2] != lower.shape[:2]:
        raise KneeoaError(f"coarse, fine: expected the same seeds and cases, got {upper.shape[:2]} and {lower.shape[:2]}.")
    parents = np.asarray(parent_class, dtype=np.int64)
    derived = np.stack([derive_probabilities(seed, parent_class, upper.shape[2]) for seed in lower])
    calls = np.stack([predicted_class(a, threshold) != parents[predicted_class(b)] for a, b in zip(upper, lower, strict=True)])
    masses = np.minimum(0.5 * np.abs(upper - derived).sum(axis=2), 1.0)
    return calls.mean(axis=0), masses.mean(axis=0)
