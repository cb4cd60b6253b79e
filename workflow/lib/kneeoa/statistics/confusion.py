"""Metrics of predicted classes as smooth functions of the confusion matrix, with their influence
functions (the delta method).

A metric f of the table of shares P has the influence (G[i, j] - sum(P * G)) / n on it of a case
with true class i and predicted class j, where G is the gradient of f (Agresti 2013, Categorical
Data Analysis, section 16.1).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import Sampled, undefined
from kneeoa.statistics.inputs import Floats, Integers

ClassMetric = Literal["accuracy", "within_one", "mae", "balanced_accuracy", "macro_f1", "f1", "kappa", "quadratic_kappa"]


def quadratic_weights(classes: int) -> Floats:
    """Agreement weights ``1 - (i - j)^2 / (K - 1)^2``, shape ``[K, K]``, over all K classes whether
    present or not.
    """
    grades = np.arange(classes)
    return 1.0 - (grades[:, None] - grades[None, :]) ** 2 / max(classes - 1, 1) ** 2


def sampled_metric(metric: ClassMetric, truth: Integers, predicted: Integers, classes: int) -> Sampled:
    """Value of a metric and the influence of every case on it.

    Rules at 0/0 as in :mod:`kneeoa.statistics.metrics`: macro-F1 averages over classes in truth or
    prediction, balanced accuracy over classes in truth; F1 without a positive and kappa with one
    constant class on both sides are NaN.

    Args:
        metric: accuracy, within_one (at most one grade off), mae (in grades), balanced_accuracy,
            macro_f1, f1 (of class 1), kappa or quadratic_kappa.
        truth: ``[n]``, 0 to K - 1.
        predicted: ``[n]``, 0 to K - 1.
        classes: K.

    Raises:
        KneeoaError: an unknown metric.
    """
    if metric not in get_args(ClassMetric):
        raise KneeoaError(f"metric: expected one of {', '.join(get_args(ClassMetric))}, got '{metric}'.")
    counts = np.bincount(truth * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    table = counts / truth.size
    value, gradient = _with_gradient(metric, table)
    if math.isnan(value):
        one = "truth and prediction are one and the same class" if metric == "quadratic_kappa" else "no case is positive or called so"
        return undefined(truth.size, one)
    centred = gradient - float((table * gradient).sum())
    return Sampled(value, centred[truth, predicted] / truth.size)


def _with_gradient(metric: ClassMetric, table: Floats) -> tuple[float, Floats]:
    """Metric of a table of shares and its gradient ``[K, K]``."""
    classes = len(table)
    identity: Floats = np.eye(classes)
    distance = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes)))
    linear: dict[str, Floats] = {"accuracy": identity, "within_one": (distance <= 1).astype(np.float64), "mae": distance.astype(np.float64)}
    if metric in linear:
        return float((table * linear[metric]).sum()), linear[metric]
    rows, columns, hits = table.sum(axis=1), table.sum(axis=0), np.diag(table)
    if metric in ("kappa", "quadratic_kappa"):
        penalty = 1.0 - (identity if metric == "kappa" else quadratic_weights(classes))
        observed, expected = float((table * penalty).sum()), float(rows @ penalty @ columns)
        if expected == 0.0:
            return math.nan, identity
        margins = (penalty @ columns)[:, None] + (rows @ penalty)[None, :]
        return 1.0 - observed / expected, -penalty / expected + observed * margins / expected**2
    if metric == "balanced_accuracy":
        present = rows > 0
        inverse = np.divide(1.0, rows, out=np.zeros(classes), where=present)
        recall = hits * inverse
        slope = np.diag(inverse) - (recall * inverse)[:, None] * np.ones(classes)
        return float(recall[present].mean()), slope / present.sum()
    both = rows + columns
    counted = both > 0 if metric == "macro_f1" else (np.arange(classes) == 1) & (both > 0)
    if not counted.any():
        return math.nan, identity
    inverse = np.divide(1.0, both, out=np.zeros(classes), where=counted)
    score = 2 * hits * inverse
    share = score * inverse
    slope = np.diag(2 * inverse) - share[:, None] - share[None, :]
    return float(score[counted].mean()), slope / counted.sum()
