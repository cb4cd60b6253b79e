"""Temperature scaling: one number that softens or sharpens every class probability, fitted on
validation cases only.

Guo et al. 2017 (ICML, PMLR 70:1321): softmax(logits / T) with T by maximum likelihood. Neither arg
max nor, for two classes, the order of cases changes, so accuracy and AUC stay what they were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import logsumexp, softmax

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, classes_of, finite, same_length

CLIP = 1e-12
"""Probabilities below this are raised to it before the logarithm."""
_RANGE = (1e-3, 1e3)


@dataclass(frozen=True)
class Temperature:
    """``temperature`` and the mean log loss without and with it.

    ``degenerate`` where the likelihood has no maximum in (0.001, 1000): every case is called
    rightly (T to 0), or the probabilities are no better than a constant (T to infinity); the nearer
    limit of the range is then given.
    """

    temperature: float
    loss_before: float
    loss_after: float
    n: int
    degenerate: bool
    method: str


def fit_temperature(truth: ArrayLike, logits: ArrayLike) -> Temperature:
    """The maximum-likelihood temperature of logits ``[n, K]``.

    The log likelihood is concave in 1/T, so the root of its derivative is the only maximum.

    Raises:
        KneeoaError: not ``[n, K]`` with two classes or more, or no case.
        ValueError: values that are not finite, classes out of range, lengths that differ.
    """
    values = finite(logits, "logits")
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise KneeoaError(f"logits: expected [cases, classes] with two classes or more and a case, got shape {values.shape}.")
    labels = classes_of(truth, values.shape[1])
    same_length(labels.size, logits=values)
    of_truth = values[np.arange(labels.size), labels]

    def slope(inverse: float) -> float:
        """Derivative of the mean log likelihood by 1/T."""
        return float((of_truth - (softmax(inverse * values, axis=1) * values).sum(axis=1)).mean())

    def loss(inverse: float) -> float:
        return float((logsumexp(inverse * values, axis=1) - inverse * of_truth).mean())

    sharpest, softest = 1 / _RANGE[0], 1 / _RANGE[1]
    degenerate = True
    if slope(sharpest) >= 0:
        inverse = sharpest
    elif slope(softest) <= 0:
        inverse = softest
    else:
        inverse, degenerate = float(brentq(slope, softest, sharpest, xtol=1e-14, rtol=1e-14)), False
    if not (values - values[:, :1]).any():  # constant logits: every temperature is the same
        inverse = 1.0
    return Temperature(1 / inverse, loss(1.0), loss(inverse), labels.size, degenerate, "maximum likelihood on validation cases")


def apply_temperature(logits: ArrayLike, temperature: float) -> Floats:
    """Class probabilities softmax(logits / temperature), ``[..., K]``.

    Raises:
        KneeoaError: the temperature is not above 0.
    """
    if not (temperature > 0 and math.isfinite(temperature)):
        raise KneeoaError(f"temperature: expected a number above 0, got {temperature}.")
    return np.asarray(softmax(finite(logits, "logits") / temperature, axis=-1))
