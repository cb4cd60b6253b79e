"""Adjusted p-values and simultaneous intervals of correlated tests from their joint covariance: the
maximum of |Z|.

Single-step max-T (Hothorn, Bretz and Westfall 2008, Biom J 50:346): the adjusted p of test i is
P(max_j |Z_j| >= |z_i|) for a normal vector Z with the tests' correlation. It uses what Holm cannot,
that tests on the same cases move together, and is never larger than Bonferroni's. The step-down
form (Westfall and Young 1993) drops tests already rejected from the maximum.

The tail of the maximum is a union of events, computed by conditioning on each in turn (Owen,
Maximov and Chertkov 2019, Electron J Stat 13:231): P(union) = sum_j P(A_j) E[1 / #events | A_j].
The result lies between the largest single p and their sum whatever the sample, so it is as good
relative to a p of 1e-12 as to one of 0.05; a singular correlation is no obstacle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import norm, qmc

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.wald import NOISE

_POINTS = 12
"""2 to this many points of a scrambled Sobol sequence with a fixed seed: the relative error of p is
below 1 % (tested).
"""
_SAME = 1e-9


@dataclass(frozen=True)
class MaxT:
    """Of every difference ``[m]``: z, unadjusted and adjusted p, and limits that hold for all at
    once.

    ``degenerate`` marks differences with zero variance (of equal models: z 0, p 1, limits 0); they
    and undefined ones (NaN) are not counted among the ``tests``.
    """

    z: Floats
    p: Floats
    adjusted: Floats
    low: Floats
    high: Floats
    critical: float
    tests: int
    degenerate: tuple[bool, ...]
    method: str


def max_t(differences: ArrayLike, covariance: ArrayLike, confidence: float = 0.95, step_down: bool = False) -> MaxT:
    """Adjusts tests of "difference = 0" for each other, e.g. of k modes against one, by their joint
    covariance.

    Args:
        differences: ``[m]``.
        covariance: of the differences, ``[m, m]``, e.g. ``C @ auc_covariance(...).covariance @
            C.T`` for contrasts C.
        confidence: of the simultaneous limits, which are those of the single-step form.
        step_down: adjust by the step-down form, which is uniformly more powerful and has no limits
            of its own.

    Raises:
        KneeoaError: shapes that disagree, a confidence out of range, or a covariance that is not
            symmetric.
    """
    values, sigma = np.asarray(differences, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    if values.ndim != 1 or sigma.shape != (values.size, values.size):
        raise KneeoaError(f"covariance: expected [m, m] for m differences, got shapes {sigma.shape} and {values.shape}.")
    if not 0 < confidence < 1:
        raise KneeoaError(f"confidence: expected a number between 0 and 1, got {confidence}.")
    if np.isinf(values).any() or np.isinf(sigma).any():
        raise KneeoaError("differences, covariance: expected finite numbers, or NaN where undefined.")
    if not np.allclose(sigma, sigma.T, rtol=1e-8, atol=NOISE * np.nanmax(np.abs(sigma), initial=0.0), equal_nan=True):
        raise KneeoaError("covariance: expected a symmetric matrix.")
    variance = np.diag(sigma)
    degenerate = variance == 0.0
    tested = np.flatnonzero((variance > 0) & ~np.isnan(values))
    known = tested[~np.isnan(sigma[np.ix_(tested, tested)]).any(axis=1)]
    z, p, adjusted, low, high = (np.full(values.size, np.nan) for _ in range(5))
    same = degenerate & (values == 0.0)
    z[same], p[same], adjusted[same], low[same], high[same] = 0.0, 1.0, 1.0, 0.0, 0.0
    critical = math.nan
    if known.size:
        error = np.sqrt(variance[known])
        correlation = sigma[np.ix_(known, known)] / np.outer(error, error)
        z[known] = values[known] / error
        p[known] = 2 * norm.sf(np.abs(z[known]))
        adjusted[known] = _adjusted(np.abs(z[known]), correlation, step_down)
        critical = _critical(correlation, 1 - confidence)
        low[known], high[known] = values[known] - critical * error, values[known] + critical * error
    method = f"{'step-down' if step_down else 'single-step'} max-T over {known.size} tests"
    return MaxT(z, p, adjusted, low, high, critical, int(known.size), tuple(bool(flag) for flag in degenerate), method)


def _adjusted(size: Floats, correlation: Floats, step_down: bool) -> Floats:
    order = np.argsort(-size, kind="stable")
    adjusted = np.empty(size.size)
    draws = _draws(correlation)
    for place, test in enumerate(order):
        left = order[place:] if step_down else order
        adjusted[test] = _tail(correlation, draws, left, float(size[test]))
    adjusted[order] = np.minimum(np.maximum.accumulate(adjusted[order]), 1.0)
    return adjusted


def _critical(correlation: Floats, alpha: float) -> float:
    """The value that max |Z| exceeds with chance ``alpha``: between that of one test and
    Bonferroni's.
    """
    tests = np.arange(len(correlation))
    lowest, highest = float(norm.isf(alpha / 2)), float(norm.isf(alpha / 2 / tests.size))
    if tests.size == 1:
        return lowest
    draws = _draws(correlation)

    def excess(limit: float) -> float:
        return _tail(correlation, draws, tests, limit) - alpha

    if excess(lowest) <= _SAME * alpha:  # all tests are the same test
        return lowest
    return float(brentq(excess, lowest, highest * (1 + _SAME), xtol=1e-6))


def _draws(correlation: Floats) -> tuple[Floats, Floats]:
    """Uniforms ``[N]`` for the conditioning variable and normals with the tests' correlation ``[N,
    m]``.
    """
    points = qmc.Sobol(len(correlation) + 1, scramble=True, rng=np.random.default_rng(20070)).random_base2(_POINTS)
    points = np.clip(points, 1e-15, 1 - 1e-15)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return points[:, 0], ndtri(points[:, 1:]) @ root.T


def _tail(correlation: Floats, draws: tuple[Floats, Floats], tests: Integers, limit: float) -> float:
    """P(max over ``tests`` of |Z| >= ``limit``)."""
    single = 2 * float(norm.sf(limit))
    if tests.size == 1 or single >= 1.0:
        return single
    beyond = -ndtri(draws[0] * single / 2)  # |Z_j| given that it passes the limit; the sign does not matter by symmetry
    normal, total = draws[1][:, tests], 0.0
    for place, test in enumerate(tests):
        along = correlation[test, tests]
        given = normal + (beyond - normal[:, place])[:, None] * along
        events = (np.abs(given) >= limit - _SAME).sum(axis=1)
        total += float((1.0 / np.maximum(events, 1)).mean())
    return single * total
