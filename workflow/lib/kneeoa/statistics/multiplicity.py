"""Adjusted p-values: Holm 1979, Benjamini-Hochberg 1995, Benjamini-Yekutieli 2001, and max-T, which
takes the correlation of the tests.

Single-step max-T (Hothorn, Bretz and Westfall 2008, Biom J 50:346): the adjusted p of test i is
P(max_j |Z_j| >= |z_i|) for a normal vector Z with the tests' correlation. It uses what Holm cannot,
that tests on the same cases move together, and is never larger than Bonferroni's. The step-down
form (Westfall and Young 1993) drops tests already rejected from the maximum. Where nothing is known
of a correlation, 0 is on the safe side: of all correlations, none gives max |Z| a heavier tail
(Sidak 1967, J Am Stat Assoc 62:626).

The tail of the maximum is a union of events, computed by conditioning on each in turn (Owen,
Maximov and Chertkov 2019, Electron J Stat 13:231): P(union) = sum_j P(A_j) E[1 / #events | A_j].
The result lies between the largest single p and their sum whatever the sample, so it is as good
relative to a p of 1e-12 as to one of 0.05; a singular correlation is no obstacle.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import norm, qmc

from kneeoa.errors import InvalidInput
from kneeoa.statistics.inputs import Floats, Integers

_METHODS = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}
"""The names that statsmodels gives them."""

_POINTS = 12
"""2 to this many points of a scrambled Sobol sequence with a fixed seed: the relative error of p is
below 1 % (tested).
"""
_SAME = 1e-9


def adjust(p: ArrayLike, method: Literal["holm", "bh", "by", "none"] = "holm") -> Floats:
    """Adjusted p-values in the given order, shape ``[m]``.

    A NaN (an undefined test) is no test: it is not counted in m and comes back NaN.

    Raises:
        InvalidInput: a p outside [0, 1] or an unknown method.
    """
    if method not in ("holm", "bh", "by", "none"):
        raise InvalidInput(f"method: expected holm, bh, by or none, got '{method}'")
    values = np.asarray(p, dtype=np.float64).ravel()
    defined = np.flatnonzero(~np.isnan(values))
    if np.any((values[defined] < 0) | (values[defined] > 1)):
        raise InvalidInput("p: expected values from 0 to 1")
    adjusted = np.full(values.size, np.nan)
    if method == "none" or not defined.size:
        adjusted[defined] = values[defined]
        return adjusted
    from statsmodels.stats.multitest import multipletests  # slow to import: only where a family is corrected

    corrected = multipletests(values[defined], method=_METHODS[method])[1]
    adjusted[defined] = np.maximum(corrected, values[defined])  # no adjusted p below its own p by rounding
    return adjusted


def max_t(p: ArrayLike, correlation: ArrayLike) -> Floats:
    """Adjust two-sided p-values for each other by step-down max-T, shape ``[m]``.

    Args:
        p: ``[m]``; each is taken as that of a normal statistic, |z| = isf(p / 2). A NaN (an
            undefined test) is no test: it is not counted and comes back NaN.
        correlation: of the statistics, ``[m, m]``, positive semi-definite; 0 where it is unknown.

    Raises:
        InvalidInput: a p outside [0, 1], or a correlation of another shape or outside [-1, 1].
    """
    values, matrix = np.asarray(p, dtype=np.float64), np.asarray(correlation, dtype=np.float64)
    if values.ndim != 1 or matrix.shape != (values.size, values.size):
        raise InvalidInput(f"correlation: expected [m, m] for m tests, got shapes {matrix.shape} and {values.shape}")
    defined = np.flatnonzero(~np.isnan(values))
    if np.any((values[defined] < 0) | (values[defined] > 1)):
        raise InvalidInput("p: expected values from 0 to 1")
    matrix = matrix[np.ix_(defined, defined)]
    if not np.allclose(matrix, matrix.T) or not (np.abs(matrix) <= 1 + _SAME).all():
        raise InvalidInput("correlation: expected a symmetric matrix of values from -1 to 1")
    adjusted = np.full(values.size, np.nan)
    if not defined.size:
        return adjusted
    p_values = values[defined]
    order, draws, stepped = np.argsort(p_values, kind="stable"), _draws(matrix), np.empty(p_values.size)
    for place, test in enumerate(order):
        stepped[test] = _tail(matrix, draws, order[place:], float(p_values[test]))
    stepped[order] = np.maximum.accumulate(stepped[order])
    adjusted[defined] = np.clip(stepped, p_values, 1.0)  # no adjusted p below its own p by rounding
    return adjusted


def _draws(correlation: Floats) -> tuple[Floats, Floats]:
    """Uniforms ``[N]`` for the conditioning variable and normals with the tests' correlation ``[N,
    m]``.
    """
    points = qmc.Sobol(len(correlation) + 1, scramble=True, rng=np.random.default_rng(20070)).random_base2(_POINTS)
    points = np.clip(points, 1e-15, 1 - 1e-15)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return points[:, 0], ndtri(points[:, 1:]) @ root.T


def _tail(correlation: Floats, draws: tuple[Floats, Floats], tests: Integers, single: float) -> float:
    """P(max over ``tests`` of |Z| >= limit), where P(|Z| >= limit) is ``single``."""
    if tests.size == 1 or single >= 1.0 or single == 0.0:
        return single
    limit = float(norm.isf(single / 2))
    beyond = -ndtri(draws[0] * single / 2)  # |Z_j| given that it passes the limit; the sign does not matter by symmetry
    normal, total = draws[1][:, tests], 0.0
    for place, test in enumerate(tests):
        along = correlation[test, tests]
        given = normal + (beyond - normal[:, place])[:, None] * along
        events = (np.abs(given) >= limit - _SAME).sum(axis=1)
        total += float((1.0 / np.maximum(events, 1)).mean())
    return single * total
