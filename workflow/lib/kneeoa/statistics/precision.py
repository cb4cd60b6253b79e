"""Average precision: the mean over positive cases of the share of positives among the cases that
score at least as high, which is scikit-learn's ``average_precision_score``, ties included.
"""

from __future__ import annotations

import numpy as np

from kneeoa.statistics.influence_functions import Sampled, undefined
from kneeoa.statistics.inputs import Booleans, Floats


def sampled_precision(positive: Booleans, scores: Floats) -> Sampled:
    """Average precision and the influence of every case on it; NaN where a class is absent.

    The influence is the derivative by the weight of a case: as a positive it is one of those that
    are averaged, and every case is among those that score at least as high as a positive below it.

    Args:
        positive: ``[n]``.
        scores: ``[n]``, higher means positive.
    """
    if positive.all() or not positive.any():
        return undefined(positive.size, "one class is absent")
    ranks = np.unique(-scores, return_inverse=True)[1]  # runs of equal scores, the highest first
    total = np.bincount(ranks).astype(np.float64)
    hits = np.bincount(ranks, weights=positive)
    called, right = total.cumsum(), hits.cumsum()
    precision = right / called
    value = float(hits @ precision) / float(hits.sum())
    # Sums over the positives that score at most as high: the last runs.
    gain = np.cumsum((hits / called)[::-1])[::-1]
    cost = np.cumsum((hits * precision / called)[::-1])[::-1]
    influence = np.where(positive, precision[ranks] - value + gain[ranks], 0.0) - cost[ranks]
    return Sampled(value, influence / float(hits.sum()))
