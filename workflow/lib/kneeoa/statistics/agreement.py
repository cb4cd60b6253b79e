"""Agreement of predicted classes with the truth: quadratic weighted kappa and its kin, their
intervals and paired tests.

The standard error of kappa is that of Fleiss, Cohen and Everitt 1969 (Psychol Bull 72:323), the
root of the mean square of kappa's influence function; with clusters the influences are summed by
subject first. The paired tests subtract the two models' influences, so that what they share
cancels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.statistics.confusion import ClassMetric, quadratic_weights, sampled_metric
from kneeoa.statistics.inputs import Integers, classes_of, cluster_codes, same_length, subject_count
from kneeoa.statistics.sampling import (
    Estimate,
    PairedDifference,
    Sampled,
    covariance,
    described,
    difference_of,
    estimate_of,
    interval,
    over_seeds,
    seeds_first,
    undefined,
)

__all__ = ["class_metric", "class_metric_test", "quadratic_kappa", "quadratic_weights", "sampled_over_seeds"]


def quadratic_kappa(
    truth: ArrayLike, predicted: ArrayLike, classes: int, cluster: ArrayLike | None = None, confidence: float = 0.95
) -> Estimate:
    """Agreement of ordinal predictions with the truth, beyond chance.

    Args:
        truth: class of each case, ``[n]``.
        predicted: predicted class, ``[n]``.
        classes: number of classes of the level, also where some are absent (weights depend on it).
        cluster: subject of each case, or None.
        confidence: of the Wald interval.

    Returns:
        A constant prediction has kappa 0 by chance agreement. Where the standard error is zero
        (perfect agreement) the interval is the point, and ``degenerate`` says so. The error has no
        small-sample factor, for parity with the published formula (R's vcd, statsmodels).

    Raises:
        ValueError: classes out of range, lengths that differ.
    """
    first, second = classes_of(truth, classes), classes_of(predicted, classes, "predicted")
    same_length(first.size, predicted=second)
    codes = cluster_codes(cluster, first.size)
    count = first.size
    method = described("quadratic kappa, Fleiss-Cohen-Everitt error", codes)
    subjects = subject_count(codes, count) if count else 0
    sampled = sampled_metric("quadratic_kappa", first, second, classes) if count else undefined(0, "no case")
    if math.isnan(sampled.value):
        return _kappa(sampled, math.nan, (math.nan, math.nan), subjects, f"{method}: undefined, {sampled.note}")
    variance = float(covariance([sampled], codes)[0, 0]) * (subjects - 1) / subjects
    limits = (sampled.value, sampled.value) if variance == 0.0 else interval(sampled.value, variance, confidence, "wald")
    return _kappa(sampled, variance, limits, subjects, method)


def _kappa(sampled: Sampled, variance: float, limits: tuple[float, float], subjects: int, method: str) -> Estimate:
    return Estimate(
        estimate=sampled.value,
        standard_error=math.sqrt(variance),
        low=limits[0],
        high=limits[1],
        n=sampled.influence.size,
        subjects=subjects,
        degenerate=variance == 0.0,
        method=method,
        note=sampled.note,
    )


def class_metric(
    metric: ClassMetric,
    truth: ArrayLike,
    predicted: ArrayLike,
    classes: int,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """A metric of predicted classes with its standard error and Wald interval over subjects.

    Args:
        metric: accuracy, within_one (at most one grade off), mae (mean absolute error in grades),
            balanced_accuracy, macro_f1, f1 or quadratic_kappa.
        truth: ``[n]``.
        predicted: ``[n]``, or ``[S, n]`` for the mean over S seeds (fixed).
        classes: number of classes.
        cluster: subject of each case, or None.
        confidence: of the interval.

    Raises:
        KneeoaError: an unknown metric, no case.
        ValueError: classes out of range, lengths that differ.
    """
    labels, sampled = _prepare(metric, truth, predicted, classes, "predicted")
    return estimate_of(sampled, cluster_codes(cluster, labels.size), confidence, _words(metric))


def class_metric_test(
    metric: ClassMetric,
    truth: ArrayLike,
    predicted_a: ArrayLike,
    predicted_b: ArrayLike,
    classes: int,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> PairedDifference:
    """Paired test of a metric of predicted classes, a - b; arguments and errors as
    :func:`class_metric`.

    For the mean absolute error a negative difference favours a.
    """
    labels, first = _prepare(metric, truth, predicted_a, classes, "predicted_a")
    _, second = _prepare(metric, truth, predicted_b, classes, "predicted_b")
    return difference_of(first, second, cluster_codes(cluster, labels.size), confidence, _words(metric))


def sampled_over_seeds(metric: ClassMetric, truth: Integers, predicted: Integers, classes: int) -> Sampled:
    """The mean of a metric over seeds (``predicted`` ``[S, n]``) and the influence of every case on
    it.
    """
    return over_seeds([sampled_metric(metric, truth, seed, classes) for seed in predicted])


def _prepare(metric: ClassMetric, truth: ArrayLike, predicted: ArrayLike, classes: int, name: str) -> tuple[Integers, Sampled]:
    labels = classes_of(truth, classes)
    if not labels.size:
        raise KneeoaError(f"truth: no case to compute {metric} from.")
    stack = seeds_first(predicted, name, 1)
    same_length(labels.size, **{name: stack.T})
    return labels, sampled_over_seeds(metric, labels, np.stack([classes_of(seed, classes, name) for seed in stack]), classes)


def _words(metric: str) -> str:
    return f"{metric}, delta method on the confusion matrix"
