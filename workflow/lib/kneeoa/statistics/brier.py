"""Brier score and its scaled form, with intervals over subjects and the paired test.

The score is the mean squared error of a probability (Brier 1950, Mon Weather Rev 78:1), a mean over
cases. Scaled, it is 1 - score / (share * (1 - share)): 1 for certainty that is right, 0 for the
share of positives given to everyone (Steyerberg et al. 2010, Epidemiology 21:128).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.probabilities import require_probabilities
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, same_length
from kneeoa.statistics.sampling import (
    Estimate,
    PairedDifference,
    Sampled,
    difference_of,
    estimate_of,
    of_mean,
    over_seeds,
    seeds_first,
)


def brier(
    truth: ArrayLike, probability: ArrayLike, cluster: ArrayLike | None = None, confidence: float = 0.95, scaled: bool = False
) -> Estimate:
    """Brier score (or its scaled form) with the Wald interval over subjects.

    Args:
        truth: 0 or 1, ``[n]``.
        probability: of 1, ``[n]``, or ``[S, n]`` for the mean over S seeds (fixed).
        cluster: subject of each case, or None.
        confidence: of the interval.
        scaled: the scaled form, whose denominator is sampled too; NaN where a class is absent.

    Raises:
        KneeoaError: probabilities outside [0, 1], wrong axes, no case.
        ValueError: values that are not finite, truth not binary, lengths that differ.
    """
    labels, sampled = _prepare(truth, probability, "probability", scaled)
    return estimate_of(sampled, cluster_codes(cluster, labels.size), confidence, _words(scaled))


def brier_test(
    truth: ArrayLike,
    probability_a: ArrayLike,
    probability_b: ArrayLike,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    scaled: bool = False,
) -> PairedDifference:
    """Paired test of two Brier scores, a - b (negative favours a; scaled: positive); arguments and
    errors as :func:`brier`.
    """
    labels, first = _prepare(truth, probability_a, "probability_a", scaled)
    _, second = _prepare(truth, probability_b, "probability_b", scaled)
    return difference_of(first, second, cluster_codes(cluster, labels.size), confidence, _words(scaled))


def _prepare(truth: ArrayLike, probability: ArrayLike, name: str, scaled: bool) -> tuple[Integers, Sampled]:
    labels, stack = classes_of(truth, 2), seeds_first(probability, name, 1)
    same_length(labels.size, **{name: stack.T})
    return labels, over_seeds([sampled_brier(labels, row, scaled) for row in require_probabilities(stack, name)])


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
        return Sampled(math.nan, np.full(labels.size, np.nan))
    influence = -score.influence / reference + score.value * (1 - 2 * share.value) / reference**2 * share.influence
    return Sampled(1 - score.value / reference, influence)


def _words(scaled: bool) -> str:
    return "scaled Brier score, delta method" if scaled else "Brier score"
