"""Decision curves: what acting on a prediction is worth at each threshold probability.

Vickers and Elkin 2006 (Med Decis Making 26:565): a threshold p_t says that one true positive is
worth p_t / (1 - p_t) false ones, and the net benefit is TP/n - FP/n * p_t / (1 - p_t): a mean over
cases, so intervals and paired tests are those of a mean over subjects. Treating nobody is worth 0;
treating everybody, what the share of positives makes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import require_probabilities
from kneeoa.statistics.influence_functions import Sampled, described, estimate_of, of_mean, seeds_first
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, same_length, subject_count


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit per threshold ``[T]`` with pointwise intervals; ``treat_all`` beside it, and
    treat none, which is 0.
    """

    thresholds: Floats
    net_benefit: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    treat_none: Floats
    n: int
    subjects: int
    method: str


def decision_curve(
    truth: ArrayLike, probability: ArrayLike, thresholds: ArrayLike, cluster: ArrayLike | None = None, confidence: float = 0.95
) -> DecisionCurve:
    """Net benefit of acting where probability >= threshold, at every threshold.

    Args:
        truth: 0 or 1, ``[n]``.
        probability: of 1, ``[n]``, or ``[S, n]`` for the mean over S seeds (fixed).
        thresholds: ``[T]``, each between 0 and 1.
        cluster: subject of each case, or None.
        confidence: of the pointwise Wald intervals (NaN where the variance is zero).

    Raises:
        KneeoaError: probabilities or thresholds out of range, wrong axes, no case.
        ValueError: values that are not finite, truth not binary, lengths that differ.
    """
    labels, stack = _prepare(truth, probability, "probability")
    levels = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    codes = cluster_codes(cluster, labels.size)
    benefits = [estimate_of(_benefit(labels, stack, float(level)), codes, confidence, "net benefit") for level in levels]
    return DecisionCurve(
        thresholds=levels,
        net_benefit=np.array([one.estimate for one in benefits]),
        low=np.array([one.low for one in benefits]),
        high=np.array([one.high for one in benefits]),
        treat_all=np.array([_benefit(labels, np.ones((1, labels.size)), float(level)).value for level in levels]),
        treat_none=np.zeros(levels.size),
        n=labels.size,
        subjects=subject_count(codes, labels.size),
        method=described("net benefit", codes, "pointwise wald intervals"),
    )


def _benefit(labels: Integers, stack: Floats, threshold: float) -> Sampled:
    if not 0 < threshold < 1:
        raise KneeoaError(f"thresholds: expected numbers between 0 and 1, got {threshold}.")
    worth = np.where(labels == 1, 1.0, -threshold / (1 - threshold))
    return of_mean(np.where(stack >= threshold, worth, 0.0).mean(axis=0))  # the mean over seeds of each case's benefit


def _prepare(truth: ArrayLike, probability: ArrayLike, name: str) -> tuple[Integers, Floats]:
    labels, stack = classes_of(truth, 2), seeds_first(probability, name, 1)
    same_length(labels.size, **{name: stack.T})
    return labels, require_probabilities(stack, name)
