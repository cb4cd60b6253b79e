"""Brier score and its scaled form, with intervals over subjects and the paired test.

The score is the mean squared error of a probability (Brier 1950, Mon Weather Rev 78:1), a mean over
cases. Scaled, it is 1 - score / (share * (1 - share)): 1 for certainty that is right, 0 for the
share of positives given to everyone (Steyerberg et al. 2010, Epidemiology 21:128).
"""

from __future__ import annotations

import numpy as np

from kneeoa.statistics.influence_functions import Sampled, of_mean, undefined
from kneeoa.statistics.inputs import Floats, Integers


def sampled_brier(labels: Integers, probability: Floats, scaled: bool = False) -> Sampled:
    """The score of one model and the influence of every case on it; labels 0/1 and probabilities
    ``[n]``.
    """
    score = of_mean((probability - labels) ** 2)
    if not scaled:
        return score
    share = of_mean(labels.astype(np.float64))
    reference = share.value * (1 - share.value)
    if reference == 0.0:
        return undefined(labels.size, "one class is absent")
    influence = -score.influence / reference + score.value * (1 - 2 * share.value) / reference**2 * share.influence
    return Sampled(1 - score.value / reference, influence)
