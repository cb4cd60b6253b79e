"""Margins of a difference with a standard error: non-inferiority, equivalence, and the smallest
difference that can be detected.

"Not significantly different" is no evidence of equality. Non-inferiority rejects "difference <=
-margin"; equivalence rejects "difference <= -margin" and "difference >= margin", each at alpha (two
one-sided tests, Schuirmann 1987, J Pharmacokinet Biopharm 15:657), which is the same as the 1 - 2
alpha interval lying within the margins.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from scipy.stats import norm
from scipy.stats import t as t_distribution

from kneeoa.errors import KneeoaError


@dataclass(frozen=True, kw_only=True)
class MarginTest:
    """A one-sided test against a margin; ``low`` and ``high`` limit the 1 - 2 alpha interval of the
    difference.

    ``z`` is the distance to the margin in standard errors (of the nearer margin for equivalence), a
    t where ``df`` is finite. ``established`` where p < alpha. Undefined parts are NaN, and nothing
    is then established.
    """

    difference: float
    standard_error: float
    margin: float
    z: float
    p: float
    log10_p: float
    low: float
    high: float
    alpha: float
    established: bool
    degenerate: bool
    method: str


def non_inferiority(
    difference: float, standard_error: float, margin: float, alpha: float = 0.025, df: float = math.inf, higher_is_better: bool = True
) -> MarginTest:
    """Is a worse than b by less than ``margin``? z = (difference + margin) / standard error.

    Args:
        difference: a - b.
        standard_error: its standard error (the root of a result's ``variance``).
        margin: above 0, in the metric's unit.
        alpha: one-sided; 0.025 goes with a 95 % interval.
        df: degrees of freedom of the standard error (:class:`kneeoa.statistics.seeds.RandomSeeds`),
            infinite for a normal test.
        higher_is_better: False for errors (MAE, Brier), whose difference is then bounded from
            above: z = (margin - difference)/se.

    Returns:
        A zero standard error (identical models) leaves nothing to test: z 0, p 1, flagged
        degenerate, not established.

    Raises:
        KneeoaError: a margin, alpha, df or standard error out of range.
    """
    _check(standard_error, margin, alpha, df)
    sign = 1.0 if higher_is_better else -1.0
    z = _ratio(sign * difference + margin, standard_error)
    return _result(difference, standard_error, margin, z, alpha, df, "non-inferiority, one-sided")


def equivalence(difference: float, standard_error: float, margin: float, alpha: float = 0.05, df: float = math.inf) -> MarginTest:
    """Is |a - b| below ``margin``? Two one-sided tests, p the larger of both; arguments and errors
    as :func:`non_inferiority`.

    With alpha 0.05 the interval is that of 90 %.
    """
    _check(standard_error, margin, alpha, df)
    z = _ratio(margin - abs(difference), standard_error)
    return _result(difference, standard_error, margin, z, alpha, df, "equivalence, two one-sided tests")


def _result(difference: float, error: float, margin: float, z: float, alpha: float, df: float, method: str) -> MarginTest:
    degenerate = error == 0.0
    if degenerate:
        p, log10_p = (1.0, 0.0) if difference == 0.0 else (math.nan, math.nan)
        z = 0.0 if difference == 0.0 else math.nan
        low = high = difference
        method += ": the standard error is zero, nothing to test"
    else:
        law = norm if math.isinf(df) else t_distribution(df)
        half = float(law.ppf(1 - alpha)) * error
        low, high = difference - half, difference + half
        p = math.nan if math.isnan(z) else max(float(law.sf(z)), sys.float_info.min)
        log10_p = float(law.logsf(z)) / math.log(10)
    return MarginTest(
        difference=difference,
        standard_error=error,
        margin=margin,
        z=z,
        p=p,
        log10_p=log10_p,
        low=low,
        high=high,
        alpha=alpha,
        established=not degenerate and p < alpha,
        degenerate=degenerate,
        method=method,
    )


def _ratio(top: float, error: float) -> float:
    return top / error if error > 0 else math.nan


def _check(error: float, margin: float, alpha: float, df: float) -> None:
    if not (margin > 0 and math.isfinite(margin)):
        raise KneeoaError(f"margin: expected a number above 0, got {margin}.")
    if not 0 < alpha < 0.5:
        raise KneeoaError(f"alpha: expected a number between 0 and 0.5, got {alpha}.")
    if error < 0 or math.isinf(error):
        raise KneeoaError(f"standard_error: expected a number from 0 on, got {error}.")
    if not df > 0:
        raise KneeoaError(f"df: expected a number above 0, got {df}.")


def minimal_detectable_difference(standard_error: float, power: float = 0.8, alpha: float = 0.05) -> float:
    """The difference that a two-sided test at ``alpha`` finds with chance ``power``: (z_{1-alpha/2}
    + z_power) se.

    The chance to reject on the wrong side is left out; it is below 1e-5 for a power of 0.5 or more
    at alpha 0.05.

    Raises:
        KneeoaError: arguments out of range.
    """
    _check_error(standard_error)
    _check_share("power", power)
    _check_share("alpha", alpha)
    return float(norm.isf(alpha / 2) + norm.ppf(power)) * standard_error


def _check_error(value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise KneeoaError(f"standard_error: expected a number above 0, got {value}.")


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise KneeoaError(f"{name}: expected a number between 0 and 1, got {value}.")
