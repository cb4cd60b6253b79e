"""Quadratic weighted kappa with its large-sample standard error (Fleiss, Cohen and Everitt 1969, Psychol Bull 72:323)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from kneeoa.statistics.inputs import Floats, classes_of, same_length


@dataclass(frozen=True)
class Kappa:
    """Quadratic weighted kappa; NaN where both raters give one and the same class only (0/0)."""

    estimate: float
    standard_error: float
    low: float
    high: float
    n: int


def quadratic_weights(classes: int) -> Floats:
    """Agreement weights ``1 - (i - j)^2 / (K - 1)^2``, shape ``[K, K]``, over all K classes whether present or not."""
    grades = np.arange(classes)
    return 1.0 - (grades[:, None] - grades[None, :]) ** 2 / max(classes - 1, 1) ** 2


def quadratic_kappa(truth: ArrayLike, predicted: ArrayLike, classes: int, confidence: float = 0.95) -> Kappa:
    """Agreement of ordinal predictions with the truth, beyond chance.

    Args:
        truth: class of each case, ``[n]``.
        predicted: predicted class, ``[n]``.
        classes: number of classes of the level, also where some are absent (weights depend on it).
        confidence: of the Wald interval (independent cases; for clustered cases use the cluster bootstrap).

    Returns:
        A constant prediction has kappa 0 by chance agreement.

    Raises:
        ValueError: classes out of range, lengths that differ.
    """
    first, second = classes_of(truth, classes), classes_of(predicted, classes, "predicted")
    same_length(first.size, predicted=second)
    table = np.bincount(first * classes + second, minlength=classes * classes).reshape(classes, classes).astype(np.float64)
    count = int(table.sum())
    nan = math.nan
    if count == 0:
        return Kappa(nan, nan, nan, nan, 0)
    table /= count
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    weights = quadratic_weights(classes)
    disagreement = float(((1 - weights) * table).sum())
    by_chance = float(rows @ (1 - weights) @ columns)
    if by_chance == 0.0:
        return Kappa(nan, nan, nan, nan, count)
    estimate = 1.0 - disagreement / by_chance
    margins = (weights @ columns)[:, None] + (rows @ weights)[None, :]
    terms = weights * by_chance - margins * disagreement
    spread = float((table * (terms - (table * terms).sum()) ** 2).sum())
    error = math.sqrt(spread / count) / by_chance**2
    half = float(norm.ppf(0.5 + confidence / 2)) * error
    return Kappa(estimate, error, estimate - half, estimate + half, count)
