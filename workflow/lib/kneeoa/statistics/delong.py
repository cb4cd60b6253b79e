"""Paired tests and intervals of binary AUCs: DeLong 1988, for clustered cases Obuchowski 1997, for
seeds by weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from kneeoa.statistics.auc_placements import Placements, gram_rows, placements, scale
from kneeoa.statistics.influence_functions import Estimate, PairedDifference
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, finite, same_length, subject_count
from kneeoa.statistics.wald import Wald, normal_quantile, wald


@dataclass(frozen=True, kw_only=True)
class AucContrast(Wald):
    """Test of ``sum_k w_k AUC_k = 0`` (z, p, log10_p, low, high, degenerate: see :class:`Wald`);
    undefined parts are NaN.
    """

    auc: tuple[float, ...]
    estimate: float
    variance: float
    n: int
    subjects: int
    method: str


@dataclass(frozen=True)
class AucCovariance:
    """AUCs of k models ``[k]`` and their covariance ``[k, k]`` (NaN where undefined)."""

    auc: Floats
    covariance: Floats
    n: int


def delong_test(
    truth: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike, cluster: ArrayLike | None = None, confidence: float = 0.95
) -> PairedDifference:
    """Paired test of AUC a against AUC b on the same cases.

    Args:
        truth: 0 or 1, shape ``[n]``.
        scores_a: scores of model a, ``[n]``; higher means positive, and a model worse than chance
            is never flipped.
        scores_b: scores of model b, ``[n]``.
        cluster: subject of each case, ``[n]``; None: every case is independent.
        confidence: of the interval.

    Raises:
        ValueError: scores are not finite, truth is not binary, or lengths differ.
    """
    first, second = finite(scores_a, "scores_a"), finite(scores_b, "scores_b")
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"scores_a, scores_b: expected two arrays of one length, got shapes {first.shape} and {second.shape}")
    test = weighted_contrast(truth, np.stack([first, second]).T, (1.0, -1.0), cluster, confidence)
    return paired_difference(test, 1)


def paired_difference(test: AucContrast, first: int) -> PairedDifference:
    """The contrast of the mean of the ``first`` AUCs with the mean of the others as a paired
    difference.
    """
    auc = np.array(test.auc)
    return PairedDifference(
        estimate_a=float(auc[:first].mean()),
        estimate_b=float(auc[first:].mean()),
        difference=test.estimate,
        variance=test.variance,
        n=test.n,
        subjects=test.subjects,
        method=test.method,
        **{field.name: getattr(test, field.name) for field in fields(Wald)},
    )


def weighted_contrast(
    truth: ArrayLike,
    scores: ArrayLike,
    weights: Sequence[float] | Floats,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AucContrast:
    """Test of a weighted sum of k AUCs on the same cases, e.g. +1/S for S seeds of a, -1/S for S
    seeds of b.

    Seeds are fixed: the variance is that of sampling test subjects only.

    Args:
        truth: 0 or 1, ``[n]``.
        scores: one column a model, ``[n, k]``.
        weights: ``[k]``.
        cluster: subject of each case, or None.
        confidence: of the interval.

    Raises:
        ValueError: as :func:`delong_test`.
    """
    placed, codes = _prepare(truth, scores, cluster)
    factors = finite(weights, "weights")
    if factors.shape != (placed.twice.shape[1],):
        raise ValueError(f"weights: {factors.size} weights for {placed.twice.shape[1]} models")
    estimate, variance = _contrast(placed, factors, codes)
    return AucContrast(
        auc=tuple(float(value) for value in placed.auc),
        estimate=estimate,
        variance=variance,
        n=placed.positive.size,
        subjects=subject_count(codes, placed.positive.size),
        method=_method(codes),
        **vars(wald(estimate, variance, confidence)),
    )


def auc_interval(
    truth: ArrayLike,
    scores: ArrayLike,
    cluster: ArrayLike | None = None,
    method: Literal["logit", "wald"] = "logit",
    confidence: float = 0.95,
) -> Estimate:
    """Interval of one AUC, or of the mean AUC of S seeds.

    Args:
        truth: 0 or 1, ``[n]``.
        scores: ``[n]``, or ``[n, S]`` for the mean over S models.
        cluster: subject of each case, or None.
        method: logit: symmetric on the logit scale, always inside (0, 1), undefined (NaN, flagged)
            at an AUC of 0 or 1; wald: symmetric, clipped to [0, 1], kept for parity with pROC (it
            undercovers near 1, and is one point there).
        confidence: of the interval.

    Raises:
        ValueError: as :func:`delong_test`, or an unknown method.
    """
    if method not in ("logit", "wald"):
        raise ValueError(f"method: expected 'logit' or 'wald', got '{method}'")
    placed, codes = _prepare(truth, scores, cluster)
    models = placed.twice.shape[1]
    auc, variance = _contrast(placed, np.full(models, 1.0 / models), codes)
    low, high = _limits(auc, variance, method, confidence)
    count = placed.positive.size
    name = f"{method} {_method(codes)}"
    return Estimate(
        estimate=auc,
        standard_error=math.sqrt(variance),
        low=low,
        high=high,
        n=count,
        subjects=subject_count(codes, count),
        degenerate=variance == 0.0,
        method=name,
    )


def _limits(auc: float, variance: float, method: str, confidence: float) -> tuple[float, float]:
    """Limits on the scale of ``method``, NaN where undefined."""
    quantile = normal_quantile(confidence)
    if math.isnan(variance):
        return math.nan, math.nan
    half = quantile * math.sqrt(variance)
    if method == "wald":
        return max(auc - half, 0.0), min(auc + half, 1.0)
    if variance == 0.0 or not 0.0 < auc < 1.0:
        return math.nan, math.nan
    centre, reach = logit(auc), half / (auc * (1 - auc))
    return float(expit(centre - reach)), float(expit(centre + reach))


def auc_covariance(truth: ArrayLike, scores: ArrayLike, cluster: ArrayLike | None = None) -> AucCovariance:
    """AUCs and covariance of the k models in the columns of ``scores`` (``[n, k]``); positive
    semi-definite by construction.

    Raises:
        ValueError: as :func:`delong_test`.
    """
    placed, codes = _prepare(truth, scores, cluster)
    models = placed.twice.shape[1]
    _, rows = _contrasts(placed, np.eye(models), codes)
    covariance = np.full((models, models), np.nan) if rows is None else rows.T @ rows
    return AucCovariance(placed.auc, covariance, placed.positive.size)


def _prepare(truth: ArrayLike, scores: ArrayLike, cluster: ArrayLike | None) -> tuple[Placements, Integers | None]:
    labels = classes_of(truth, 2)
    values = finite(scores, "scores")
    values = values[:, None] if values.ndim == 1 else values
    same_length(labels.size, scores=values)
    return placements(labels == 1, np.asfortranarray(values)), cluster_codes(cluster, labels.size)


def _contrasts(placed: Placements, weights: Floats, codes: Integers | None) -> tuple[Floats, Floats | None]:
    """Estimates of ``auc @ weights`` (weights ``[k, c]``) and the Gram rows of their covariance,
    None where undefined.
    """
    if min(placed.positives, placed.negatives) < 1:
        return np.full(weights.shape[1], np.nan), None
    estimates, influence = placed.combine(weights)
    scaled = scale(influence, placed.positive, codes)
    return estimates, None if scaled is None else gram_rows(scaled, placed.positive.astype(np.int64), codes)


def _contrast(placed: Placements, weights: Floats, codes: Integers | None) -> tuple[float, float]:
    """Estimate and variance of one contrast, NaN where undefined."""
    estimates, rows = _contrasts(placed, weights[:, None], codes)
    return float(estimates[0]), math.nan if rows is None else float(np.vdot(rows, rows))


def _method(codes: Integers | None) -> str:
    return "DeLong 1988" if codes is None else "DeLong, clustered (Obuchowski 1997)"
