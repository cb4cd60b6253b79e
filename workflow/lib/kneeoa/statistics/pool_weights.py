"""Weights of a linear opinion pool: the mixture of several models' probabilities under which labels
are most likely.

The mean log likelihood of sum_m w_m p_m(label) is concave in the weights, which are not negative
and sum to 1. Expectation-maximisation (Dempster, Laird and Rubin 1977, J R Stat Soc B 39:1; of
mixture weights alone) raises it in every step and keeps both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, finite

_LEAST = 1e-12
"""Lower probabilities of a label are raised to it, so that a case that no model allows for does not
decide alone.
"""
_NONE = 1e-8
"""A weight below this is on its way to zero, and is zero."""
_GAP = 1e-9
_STEPS = 100_000


@dataclass(frozen=True)
class PoolWeights:
    """``weights`` ``[M]`` and the mean log loss with equal weights and with these; ``gap`` is the
    most that any other weights could lower the loss by.
    """

    weights: Floats
    loss_equal: float
    loss: float
    gap: float
    n: int


def fit_pool_weights(of_label: ArrayLike) -> PoolWeights:
    """The weights of highest likelihood; equal models get equal weights.

    Args:
        of_label: the probability that each of M models gives each case's label, ``[n, M]``.

    Raises:
        KneeoaError: no case or no model.
        ValueError: values that are not finite.
    """
    values = finite(of_label, "of_label")
    if values.ndim != 2 or not values.size:
        raise KneeoaError(f"of_label: expected [cases, models] with one of each at least, got shape {values.shape}.")
    values = np.maximum(values, _LEAST)
    weights = np.full(values.shape[1], 1 / values.shape[1])
    equal = _loss(values, weights)
    gap = np.inf
    for _ in range(_STEPS):
        gains = (values / (values @ weights)[:, None]).mean(axis=0)
        gap = float(gains.max()) - 1  # by concavity no weights are better by more
        if gap <= _GAP:
            break
        weights = weights * gains
        weights /= weights.sum()
    weights = np.where(weights < _NONE, 0.0, weights)
    weights /= weights.sum()
    return PoolWeights(weights, equal, _loss(values, weights), max(gap, 0.0), len(values))


def _loss(values: Floats, weights: Floats) -> float:
    return float(-np.log(values @ weights).mean())
