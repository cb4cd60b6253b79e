"""Combine several networks' probabilities of the same cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.special import expit, logit, softmax

from kneeoa.config.hierarchy import Level
from kneeoa.statistics.inputs import Floats

Combination = Literal["mean", "logit_mean"]
_LEAST = 1e-300
"""The least probability whose logarithm is taken: a member that is certain outweighs the others,
but cannot overrule them.
"""


def combine(members: Sequence[Floats], level: Level, how: Combination) -> Floats:
    """Combined probabilities ``[cases, classes]`` of one head's own level.

    Args:
        members: probabilities ``[cases, classes]`` of each.
        level: of several exclusive classes, or multilabel, whose findings are combined one by one.
        how: ``mean``: the arithmetic mean (Lakshminarayanan et al. 2017, deep ensembles);
            ``logit_mean``: the geometric mean, made to sum to 1, which is the softmax (multilabel:
            sigmoid) of the average logits.
    """
    stacked = np.stack(members)
    if how == "mean":
        average: Floats = stacked.mean(axis=0)
        return average
    if not level.exclusive:
        below_one = np.nextafter(1.0, 0.0)
        independent: Floats = expit(logit(np.clip(stacked, _LEAST, below_one)).mean(axis=0))
        return independent
    exclusive: Floats = softmax(np.log(np.maximum(stacked, _LEAST)).mean(axis=0), axis=1)
    return exclusive
