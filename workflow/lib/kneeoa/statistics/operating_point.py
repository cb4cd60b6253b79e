"""A threshold chosen on validation cases, and what it does on test cases: sensitivity, specificity
and predictive values.

A threshold picked on the cases it is judged by flatters the model; :func:`choose_threshold` takes
validation cases and :func:`operating_point` others. Each rate is a ratio over cases whose number is
random, with Wilson's interval at the effective number of cases where subjects repeat.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Booleans, Integers, classes_of, cluster_codes, finite, same_length
from kneeoa.statistics.sampling import Estimate, PairedDifference, Sampled, difference_of, of_mean
from kneeoa.statistics.shares import share

Rule = Literal["youden", "sensitivity", "specificity"]


@dataclass(frozen=True)
class Threshold:
    """A case is called positive where probability >= ``threshold``; the rates are those on the
    validation cases.
    """

    threshold: float
    sensitivity: float
    specificity: float
    n: int
    method: str


@dataclass(frozen=True)
class OperatingPoint:
    """Rates at a threshold, each with its interval; predictive values hold for the share of
    positives of these cases.
    """

    threshold: float
    sensitivity: Estimate
    specificity: Estimate
    positive_predictive_value: Estimate
    negative_predictive_value: Estimate


def choose_threshold(truth: ArrayLike, probability: ArrayLike, rule: Rule = "youden", target: float = 0.9) -> Threshold:
    """The threshold that a rule picks on validation cases, one of the predicted values.

    Args:
        truth: 0 or 1, ``[n]``.
        probability: any score, ``[n]``.
        rule: youden: highest sensitivity + specificity, the highest such threshold on ties;
            sensitivity: the highest threshold with at least ``target`` of it; specificity: the
            lowest threshold with at least ``target`` of it (where none has it, just above the
            highest score: nobody is called).
        target: of the rule's rate.

    Raises:
        KneeoaError: a class is absent, an unknown rule, a target out of range.
        ValueError: values that are not finite, truth not binary, lengths that differ.
    """
    labels, values = classes_of(truth, 2), finite(probability, "probability")
    same_length(labels.size, probability=values)
    if not 0 < target <= 1:
        raise KneeoaError(f"target: expected a share above 0 and at most 1, got {target}.")
    if labels.all() or not labels.any():
        raise KneeoaError("truth: a threshold needs validation cases of both classes.")
    levels = np.append(np.unique(values), np.nextafter(values.max(), np.inf))
    positives, negatives = np.sort(values[labels == 1]), np.sort(values[labels == 0])
    missed = np.searchsorted(positives, levels, side="left") / positives.size
    specificity = np.searchsorted(negatives, levels, side="left") / negatives.size
    sensitivity = 1 - missed
    if rule == "youden":
        gain = sensitivity + specificity
        place = int(np.flatnonzero(gain >= gain.max() - 1e-12)[-1])
    elif rule == "sensitivity":
        place = int(np.flatnonzero(sensitivity >= target - 1e-12)[-1])
    elif rule == "specificity":
        place = int(np.flatnonzero(specificity >= target - 1e-12)[0])
    else:
        raise KneeoaError(f"rule: expected youden, sensitivity or specificity, got '{rule}'.")
    method = ("highest Youden index" if rule == "youden" else f"{rule} of at least {target:g}") + " on validation cases"
    return Threshold(float(levels[place]), float(sensitivity[place]), float(specificity[place]), labels.size, method)


def operating_point(
    truth: ArrayLike, probability: ArrayLike, threshold: float, cluster: ArrayLike | None = None, confidence: float = 0.95
) -> OperatingPoint:
    """Rates of calling cases positive where probability >= ``threshold``, a value chosen elsewhere.

    Args:
        truth: 0 or 1, ``[n]``.
        probability: ``[n]``.
        threshold: chosen on other cases.
        cluster: subject of each case, or None.
        confidence: of the intervals.

    Returns:
        A rate without a case in its denominator is NaN.

    Raises:
        ValueError: values that are not finite, truth not binary, lengths that differ.
    """
    labels, positive = _calls(truth, probability, threshold, "probability")
    codes = cluster_codes(cluster, labels.size)
    called, ill = positive.astype(np.float64), labels == 1
    right = np.where(ill, called, 1 - called)
    return OperatingPoint(
        threshold=float(threshold),
        sensitivity=share(right, codes, confidence, "sensitivity", ill),
        specificity=share(right, codes, confidence, "specificity", ~ill),
        positive_predictive_value=share(right, codes, confidence, "positive predictive value", positive),
        negative_predictive_value=share(right, codes, confidence, "negative predictive value", ~positive),
    )


def operating_point_test(
    truth: ArrayLike,
    probability_a: ArrayLike,
    probability_b: ArrayLike,
    threshold_a: float,
    threshold_b: float,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[PairedDifference, PairedDifference]:
    """Paired tests of sensitivity and of specificity, a - b, each model at its own threshold; as
    :func:`operating_point`.
    """
    labels, first = _calls(truth, probability_a, threshold_a, "probability_a")
    _, second = _calls(truth, probability_b, threshold_b, "probability_b")
    codes, ill = cluster_codes(cluster, labels.size), labels == 1
    sensitivity, specificity = (
        _rate_test(first == ill, second == ill, members, codes, confidence, name)
        for name, members in (("sensitivity", ill), ("specificity", ~ill))
    )
    return sensitivity, specificity


def _rate_test(
    right_a: Booleans, right_b: Booleans, members: Booleans, codes: Integers | None, confidence: float, name: str
) -> PairedDifference:
    """Difference of the shares of ``members`` that are called rightly; its cases and subjects are
    theirs.
    """
    if not members.any():
        undefined = Sampled(math.nan, np.full(1, np.nan))
        return replace(difference_of(undefined, undefined, None, confidence, f"{name}: no case"), n=0, subjects=0)
    own = None if codes is None else cluster_codes(codes[members], int(members.sum()))
    first, second = (of_mean(right[members].astype(np.float64)) for right in (right_a, right_b))
    return difference_of(first, second, own, confidence, name)


def _calls(truth: ArrayLike, probability: ArrayLike, threshold: float, name: str) -> tuple[Integers, Booleans]:
    labels, values = classes_of(truth, 2), finite(probability, name)
    same_length(labels.size, **{name: values})
    return labels, values >= threshold
