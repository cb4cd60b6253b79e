"""Combine several networks' probabilities of the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
from scipy.special import expit, logit, softmax

from kneeoa.config.hierarchy import Level
from kneeoa.config.prediction import Combine
from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.metrics import predicted_class

Combination = Combine
COMBINATIONS: tuple[str, ...] = get_args(Combination)
_LEAST = 1e-300
"""The least probability whose logarithm is taken: a member that is certain outweighs the others,
but cannot overrule them.
"""


def combine(members: Sequence[Floats], level: Level, how: Combination, weights: Floats | None = None) -> Floats:
    """Combined probabilities ``[cases, classes]`` of one head's own level.

    Args:
        members: probabilities ``[cases, classes]`` of each.
        level: of several exclusive classes, or multilabel, whose findings are combined one by one.
        how: ``mean``: the arithmetic mean (Lakshminarayanan et al. 2017, deep ensembles);
            ``logit_mean``: the geometric mean, made to sum to 1, which is the softmax (multilabel:
            sigmoid) of the average logits; ``vote``: :func:`vote`; ``weighted``: the mean by
            ``weights``.
        weights: of the members ``[M]``, not negative and of sum 1; of ``weighted`` alone.

    Raises:
        KneeoaError: ``weighted`` without a weight for each member.
    """
    stacked = np.stack(members)
    if how == "mean":
        average: Floats = stacked.mean(axis=0)
        return average
    if how == "vote":
        return vote(stacked, level)
    if how == "weighted":
        if weights is None or weights.shape != (len(stacked),):
            raise KneeoaError(f"A weighted ensemble of {len(stacked)} members needs a weight for each; fit them on validation cases.")
        weighted: Floats = np.tensordot(weights, stacked, axes=1)
        return weighted
    if not level.exclusive:
        below_one = np.nextafter(1.0, 0.0)
        independent: Floats = expit(logit(np.clip(stacked, _LEAST, below_one)).mean(axis=0))
        return independent
    exclusive: Floats = softmax(np.log(np.maximum(stacked, _LEAST)).mean(axis=0), axis=1)
    return exclusive


def vote(members: Floats, level: Level) -> Floats:
    """Majority vote ``[cases, classes]`` of M members ``[M, cases, classes]``: (votes + mean
    probability) / (M + 1).

    A vote counts 1, and the mean probability, which shares one vote more among the classes, breaks
    ties: it cannot make up for a whole vote, as a class that has a vote has some probability. So
    the largest is the class of most votes, of equal ones that of the highest mean. A finding of a
    multilabel level is voted by itself, for it from a probability of one half on.
    """
    count = len(members)
    if level.exclusive:
        votes: Floats = sum((np.eye(members.shape[2])[predicted_class(one, 0.5)] for one in members), np.zeros(members.shape[1:]))
    else:
        votes = (members >= 0.5).sum(axis=0).astype(np.float64)
    shares: Floats = (votes + members.mean(axis=0)) / (count + 1)
    return shares
