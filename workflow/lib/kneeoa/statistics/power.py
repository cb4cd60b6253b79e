"""What a study can detect: power, the smallest detectable difference and the subjects needed, from
a standard error.

The variance of a paired difference of AUCs (or of any mean over subjects) falls as 1/n at a fixed
mix of classes and knees per subject, so one test's standard error tells that of any other size.
McNemar's power is exact, by enumeration of every table (Duffy 1984, Biometrics 40:1005), or by
Connor's normal approximation (1987, Biometrics 43:207).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import binom, norm

from kneeoa.errors import KneeoaError

Goal = Literal["difference", "non_inferiority", "equivalence"]


@dataclass(frozen=True)
class Power:
    """Chance to reject the null, and how it was computed."""

    power: float
    alpha: float
    method: str


@dataclass(frozen=True)
class SampleSize:
    """Subjects needed, and the power at exactly that number."""

    subjects: int
    power: float
    alpha: float
    method: str


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


def standard_error_at(standard_error: float, subjects: int, target: int) -> float:
    """The standard error with ``target`` subjects, of one seen with ``subjects``: times
    sqrt(subjects / target).

    Raises:
        KneeoaError: arguments out of range.
    """
    _check_error(standard_error)
    if subjects < 1 or target < 1:
        raise KneeoaError(f"subjects: expected at least one, got {subjects} and {target}.")
    return standard_error * math.sqrt(subjects / target)


def normal_power(difference: float, standard_error: float, margin: float = 0.0, goal: Goal = "difference", alpha: float = 0.05) -> Power:
    """Power of a normal test at a true ``difference``.

    Args:
        difference: true a - b.
        standard_error: of the estimate.
        margin: for non_inferiority and equivalence, above 0.
        goal: difference: two-sided at alpha; non_inferiority: one-sided at alpha / 2 (the 1 - alpha
            interval); equivalence: two one-sided tests at alpha.
        alpha: of the test.

    Raises:
        KneeoaError: arguments out of range.
    """
    _check_error(standard_error)
    _check_share("alpha", alpha)
    _check_goal(goal, margin)
    upper, ratio = float(norm.isf(alpha / 2)), difference / standard_error
    if goal == "difference":
        power = float(norm.cdf(ratio - upper) + norm.cdf(-ratio - upper))
    elif goal == "non_inferiority":
        power = float(norm.cdf((difference + margin) / standard_error - upper))
    else:
        one_sided = float(norm.isf(alpha))
        high, low = (margin - difference) / standard_error - one_sided, (-margin - difference) / standard_error + one_sided
        power = max(float(norm.cdf(high) - norm.cdf(low)), 0.0)
    return Power(power, alpha, f"{goal}, normal")


def subjects_needed(
    standard_error: float,
    subjects: int,
    difference: float = 0.0,
    margin: float = 0.0,
    goal: Goal = "non_inferiority",
    power: float = 0.8,
    alpha: float = 0.05,
) -> SampleSize:
    """The fewest subjects with which :func:`normal_power` reaches ``power``, given the standard
    error seen with ``subjects``.

    Raises:
        KneeoaError: arguments out of range, or a true difference that lies on or beyond the margin
            (no size would do).
    """
    _check_share("power", power)
    _check_error(standard_error)
    _check_share("alpha", alpha)
    _check_goal(goal, margin)
    hopeless = {
        "difference": difference == 0.0,
        "non_inferiority": difference <= -margin,
        "equivalence": abs(difference) >= margin,
    }
    if hopeless[goal]:
        raise KneeoaError(f"difference: no number of subjects shows {goal} at a true difference of {difference} and margin {margin}.")

    def reached(count: int) -> float:
        return normal_power(difference, standard_error_at(standard_error, subjects, count), margin, goal, alpha).power

    high = 1
    while reached(high) < power:
        high *= 2
    low = high // 2  # not enough, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) >= power else (middle, high)
    return SampleSize(
        high, reached(high), alpha, f"{goal}, normal, standard error {standard_error:g} at {subjects} subjects scaled by 1/sqrt(n)"
    )


def mcnemar_power(n: int, only_a: float, only_b: float, alpha: float = 0.05, method: Literal["midp", "exact", "normal"] = "midp") -> Power:
    """Power of McNemar's test with n independent pairs.

    Args:
        n: pairs.
        only_a: chance that a pair has a right and b wrong.
        only_b: chance of the reverse.
        alpha: two-sided.
        method: midp or exact: that test's power by enumeration over every number of discordant
            pairs and every split of it; normal: Connor's approximation, which ignores the
            discreteness.

    Raises:
        KneeoaError: arguments out of range.
    """
    _check_share("alpha", alpha)
    discordant = only_a + only_b
    if n < 1 or min(only_a, only_b) < 0 or discordant > 1:
        raise KneeoaError(f"n, only_a, only_b: expected pairs and two shares that sum to at most 1, got {n}, {only_a} and {only_b}.")
    if method not in ("midp", "exact", "normal"):
        raise KneeoaError(f"method: expected midp, exact or normal, got '{method}'.")
    if discordant == 0.0:
        return Power(0.0, alpha, f"McNemar ({method}): no discordant pair can occur")
    gap = only_a - only_b
    if method == "normal":
        spread = math.sqrt(max(discordant - gap**2, 0.0))
        reach, edge = math.sqrt(n) * abs(gap), float(norm.isf(alpha / 2)) * math.sqrt(discordant)
        if spread == 0.0:
            return Power(float(reach > edge), alpha, "McNemar, normal (Connor 1987)")
        return Power(float(norm.cdf((reach - edge) / spread) + norm.cdf((-reach - edge) / spread)), alpha, "McNemar, normal (Connor 1987)")
    totals = np.arange(1, n + 1)
    chance = binom.pmf(totals, n, discordant)
    totals, chance = totals[chance > 1e-16], chance[chance > 1e-16]
    # Per total the test rejects where the smaller count is at most ``critical``; its p rises with
    # that count.
    critical = np.array([_critical(int(total), alpha, method) for total in totals])
    share = only_a / discordant
    rejected = np.where(critical < 0, 0.0, binom.cdf(critical, totals, share) + binom.sf(totals - critical - 1, totals, share))
    return Power(float(chance @ np.minimum(rejected, 1.0)), alpha, f"McNemar ({method}), exact by enumeration")


def _critical(total: int, alpha: float, method: str) -> int:
    """The largest smaller count at which the test of ``total`` discordant pairs rejects; -1 where
    it never does.
    """
    least = np.arange(total // 2 + 1)
    p = 2 * binom.cdf(least, total, 0.5) - (binom.pmf(least, total, 0.5) if method == "midp" else 0.0)
    return int(np.flatnonzero(np.minimum(p, 1.0) <= alpha)[-1]) if p[0] <= alpha else -1


def _check_error(value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise KneeoaError(f"standard_error: expected a number above 0, got {value}.")


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise KneeoaError(f"{name}: expected a number between 0 and 1, got {value}.")


def _check_goal(goal: str, margin: float) -> None:
    if goal not in ("difference", "non_inferiority", "equivalence"):
        raise KneeoaError(f"goal: expected difference, non_inferiority or equivalence, got '{goal}'.")
    if goal != "difference" and not margin > 0:
        raise KneeoaError(f"margin: expected a number above 0 for {goal}, got {margin}.")
