"""The smallest difference that a study can detect, from a standard error."""

from __future__ import annotations

import math

from scipy.stats import norm

from kneeoa.errors import KneeoaError


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
