"""Trend over grades: the Jonckheere-Terpstra statistic, and three nested shares of the position's
variance that grades explain.

``linear_r2``: a line that rises with the grade; ``isotonic_r2``: any means that do not fall;
``eta2``: any means. Each allows more than the one before, so 0 <= linear <= isotonic <= eta2 <= 1.
The axis is signed on training cases and not turned round: where it falls on held-out cases, the
linear and the isotonic share are 0. Grades are not an interval scale: the linear share is
descriptive.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats


def trend_z(ordered: Floats, sizes: Floats, ties: Floats) -> Floats:
    """Return Jonckheere and Terpstra's z, corrected for ties on both sides: Kendall's asymptotic
    one (scipy's ``kendalltau`` gives its p).

    Args:
        ordered: pairs of different grades in order minus those out of order, ``[resamples]``.
        sizes: cases of each grade, ``[resamples, grades]``.
        ties: cases of each position, ``[resamples, positions]``.
    """
    cases = sizes.sum(axis=1)
    pairs = cases * (cases - 1)
    first = [(groups * (groups - 1)).sum(axis=1) for groups in (sizes, ties)]
    second = [(groups * (groups - 1) * (groups - 2)).sum(axis=1) for groups in (sizes, ties)]
    third = [(groups * (groups - 1) * (2 * groups + 5)).sum(axis=1) for groups in (sizes, ties)]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (pairs * (2 * cases + 5) - third[0] - third[1]) / 18
        variance = variance + first[0] * first[1] / (2 * pairs) + second[0] * second[1] / (9 * pairs * (cases - 2))
        z: Floats = np.where(variance > 0, ordered / np.sqrt(variance), np.nan)
    return z


def variance_shares(weights: Floats, position: Floats, centroid: Floats, sizes: Floats) -> dict[str, Floats]:
    """Return ``linear_r2``, ``isotonic_r2``, ``eta2`` and ``adjacent_d_min`` of each resample;
    undefined without two grades.

    Args:
        weights: ``[resamples, cases]``.
        position: ``[cases]``.
        centroid: mean position of each grade, ``[resamples, grades]``, NaN where it has no case.
        sizes: cases of each grade, ``[resamples, grades]``; grades count in equal steps.
    """
    total = np.maximum(sizes.sum(axis=1), 1)
    middle = weights @ position / total
    variance = weights @ position**2 / total - middle**2
    floor = np.finfo(np.float32).eps ** 2 * (weights @ position**2) / total
    defined = ((sizes > 0).sum(axis=1) > 1) & (variance > floor)
    deviations = np.where(sizes > 0, centroid - middle[:, None], 0.0)
    grade = np.arange(sizes.shape[1], dtype=np.float64)
    from_mean = grade - (sizes @ grade / total)[:, None]
    covariance = (sizes * from_mean * deviations).sum(axis=1) / total
    spread = (sizes * from_mean**2).sum(axis=1) / total
    between = (sizes * deviations**2).sum(axis=1) / total
    steep = np.divide(np.maximum(covariance, 0.0) ** 2, spread, out=np.zeros(len(weights)), where=spread > 0)
    rising = (sizes * _rising(deviations, sizes) ** 2).sum(axis=1) / total

    def over(top: Floats, bottom: Floats, where: NDArray[np.bool_]) -> Floats:
        share: Floats = np.divide(top, bottom, out=np.full(len(weights), np.nan), where=where)
        return share

    within = np.sqrt(np.maximum(variance - between, 0.0))
    least = np.diff(centroid, axis=1).min(axis=1, initial=np.inf) if sizes.shape[1] > 1 else np.full(len(weights), np.nan)
    return {
        # The minimum of each share and those that contain it, which may differ in the last digit.
        "linear_r2": over(np.minimum(steep, np.minimum(rising, between)), variance, defined),
        "isotonic_r2": over(np.minimum(rising, between), variance, defined),
        "eta2": over(between, variance, defined),
        "adjacent_d_min": over(least, within, defined & (within > np.sqrt(floor))),
    }


def _rising(values: Floats, sizes: Floats) -> Floats:
    """Weighted isotonic regression of each row (grades are few: the max-min formula of Robertson,
    Wright and Dykstra 1988, chapter 1).
    """
    grades = values.shape[1]
    sums = np.cumsum(np.pad(values * sizes, ((0, 0), (1, 0))), axis=1)
    counts = np.cumsum(np.pad(sizes, ((0, 0), (1, 0))), axis=1)
    result = np.zeros_like(values)
    for k in range(grades):
        least = np.full((len(values), k + 1), -np.inf)
        for first in range(k + 1):
            top, bottom = sums[:, k + 1 :] - sums[:, [first]], counts[:, k + 1 :] - counts[:, [first]]
            means = np.divide(top, bottom, out=np.full_like(top, np.inf), where=bottom > 0)
            least[:, first] = means.min(axis=1)
        fitted = least.max(axis=1)
        result[:, k] = np.where(sizes[:, k] > 0, fitted, 0.0)
    return result
