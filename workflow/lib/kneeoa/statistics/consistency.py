"""How often does a coarse head contradict the fine head of the same network?

Two measures per case. *Call*: the coarse head's class is not the parent of the fine head's class (0
or 1). *Mass*: the probability that would have to move for the two heads to agree, the total
variation distance between the coarse probabilities and the fine ones summed by parent (0 to 1); it
sees disagreement that no arg max shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.hierarchy import derive_probabilities
from kneeoa.statistics.inputs import Floats, cluster_codes, same_length
from kneeoa.statistics.metrics import called
from kneeoa.statistics.sampling import Estimate, PairedDifference, difference_of, of_mean, seeds_first
from kneeoa.statistics.shares import share


@dataclass(frozen=True)
class Contradiction:
    """``call``: share of cases whose heads contradict each other; ``mass``: mean probability that
    they disagree on.
    """

    call: Estimate
    mass: Estimate


@dataclass(frozen=True)
class ContradictionTest:
    """Paired differences a - b of both measures; negative: a is the more consistent."""

    call: PairedDifference
    mass: PairedDifference


def contradiction(
    coarse: ArrayLike,
    fine: ArrayLike,
    parent_class: Sequence[int],
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    threshold: float = 0.5,
) -> Contradiction:
    """How often and how much two heads contradict each other; neither needs the truth.

    Args:
        coarse: the coarse head's class probabilities ``[n, C]``, or ``[S, n, C]`` for the mean over
            S seeds (fixed).
        fine: the fine head's, ``[n, K]`` or ``[S, n, K]``.
        parent_class: of each fine class, the index of its coarse class.
        cluster: subject of each case, or None.
        confidence: of the intervals (call: Wilson at the effective number of cases; mass, and means
            over seeds: logit).
        threshold: at which a coarse level of two classes is called positive.

    Raises:
        KneeoaError: shapes that do not fit.
        ValueError: values that are not finite, lengths that differ.
    """
    calls, masses = per_case(coarse, fine, parent_class, threshold)
    codes = cluster_codes(cluster, calls.size)
    return Contradiction(
        share(calls, codes, confidence, "coarse call is not the fine call's parent"),
        share(masses, codes, confidence, "total variation between heads"),
    )


def contradiction_test(
    coarse_a: ArrayLike,
    fine_a: ArrayLike,
    coarse_b: ArrayLike,
    fine_b: ArrayLike,
    parent_class: Sequence[int],
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    threshold: float = 0.5,
) -> ContradictionTest:
    """Paired tests of two networks' contradictions, a - b, on the same cases; arguments and errors
    as :func:`contradiction`.
    """
    first, second = per_case(coarse_a, fine_a, parent_class, threshold), per_case(coarse_b, fine_b, parent_class, threshold)
    same_length(first[0].size, coarse_b=second[0])
    codes = cluster_codes(cluster, first[0].size)
    call, mass = (difference_of(of_mean(a), of_mean(b), codes, confidence, "contradiction") for a, b in zip(first, second, strict=True))
    return ContradictionTest(call, mass)


def per_case(coarse: ArrayLike, fine: ArrayLike, parent_class: Sequence[int], threshold: float = 0.5) -> tuple[Floats, Floats]:
    """Contradiction by call and by mass of each case, ``[n]`` each, averaged over seeds."""
    upper, lower = seeds_first(coarse, "coarse", 2), seeds_first(fine, "fine", 2)
    if upper.shape[:2] != lower.shape[:2]:
        raise KneeoaError(f"coarse, fine: expected the same seeds and cases, got {upper.shape[:2]} and {lower.shape[:2]}.")
    parents = np.asarray(parent_class, dtype=np.int64)
    derived = np.stack([derive_probabilities(seed, parent_class, upper.shape[2]) for seed in lower])
    calls = np.stack([called(a, threshold) != parents[called(b)] for a, b in zip(upper, lower, strict=True)])
    masses = np.minimum(0.5 * np.abs(upper - derived).sum(axis=2), 1.0)
    return calls.mean(axis=0), masses.mean(axis=0)
