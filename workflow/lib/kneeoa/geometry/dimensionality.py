"""Explained variance along an axis, and the participation ratio of the representation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from kneeoa.geometry.estimates import Floats, IntervalEstimate, MeasureFamily


def variance_measures(scaled: Floats, direction: Floats) -> MeasureFamily:
    """``explained_variance``: the share of the total variance of ``scaled`` ``[cases, kept]`` along
    the unit ``direction`` ``[kept]``.

    On the training cases and for the first principal direction this is PCA's explained variance
    ratio (paper A).
    """
    along = scaled @ direction
    squares = np.einsum("ij,ij->i", scaled, scaled)

    def variance(weights: Floats, values: Floats, square: Floats) -> Floats:
        total = np.maximum(weights.sum(axis=1), 1)
        centre = weights @ values / total[:, None]
        spread: Floats = weights @ square / total - np.einsum("ij,ij->i", centre, centre)
        return spread

    def compute(weights: Floats) -> dict[str, Floats]:
        total_variance = variance(weights, scaled, squares)
        along_variance = variance(weights, along[:, None], along**2)
        # One distinct case leaves rounding errors alone: undefined rather than their ratio.
        defined = total_variance > np.finfo(np.float32).eps * squares.max(initial=0.0)
        return {"explained_variance": np.where(defined, along_variance / np.where(defined, total_variance, 1.0), np.nan)}

    return MeasureFamily(compute, {"explained_variance": "the cases do not vary"})


def _participation_from_sums(second: Floats, first: Floats, cases: int) -> float:
    """Participation ratio from the sums of outer products ``[kept, kept]`` and of vectors
    ``[kept]`` of ``cases`` cases.
    """
    covariance = second / cases - np.outer(first, first) / cases**2
    trace, square = float(np.trace(covariance)), float(np.einsum("ij,ij->", covariance, covariance))
    return trace**2 / square if square > np.finfo(np.float64).eps * (np.trace(second) / cases) ** 2 else np.nan


def participation_ratio(scaled: Floats, subjects: NDArray[np.str_], *, confidence: float) -> IntervalEstimate:
    """(sum of eigenvalues) squared over the sum of their squares: the effective number of
    dimensions of ``[cases, kept]``.

    The interval is the delete-one-subject jackknife's normal one: a bootstrap resample repeats
    cases, which lowers the ratio by itself. The ratio is biased downwards where cases are fewer
    than directions, so compare it between runs on the same cases only.
    """
    names, member = np.unique(subjects, return_inverse=True)
    second, first = scaled.T @ scaled, scaled.sum(axis=0)
    value = _participation_from_sums(second, first, len(scaled)) if len(scaled) > 1 else np.nan
    if not np.isfinite(value):
        return IntervalEstimate(None, None, None, None, "undefined: the cases do not vary")
    if names.size < 2:
        return IntervalEstimate(value, None, None, None, "no interval: fewer than two subjects")
    left_out = np.array([_without(second, first, scaled, member == index) for index in range(names.size)])
    if not np.isfinite(left_out).all():
        return IntervalEstimate(value, None, None, None, "no interval: without one of the subjects the cases do not vary")
    error = float(np.sqrt((names.size - 1) * left_out.var()))
    half = float(norm.ppf((1 + confidence) / 2)) * error
    return IntervalEstimate(value, value - half, value + half, None, "jackknife interval over subjects")


def _without(second: Floats, first: Floats, scaled: Floats, out: NDArray[np.bool_]) -> float:
    removed = scaled[out]
    cases = len(scaled) - len(removed)
    return _participation_from_sums(second - removed.T @ removed, first - removed.sum(axis=0), cases) if cases > 1 else np.nan
