"""Variances, intervals and paired tests of any smooth statistic from its influence function, with
subjects as what is sampled.

To first order a statistic is its value plus a sum of one influence per case (Hampel 1974, J Am Stat
Assoc 69:383). Influences are summed within subjects before they are squared, and the sum of squares
carries I/(I - 1) for I subjects (the cluster sandwich of Liang and Zeger 1986, Biometrika 73:13;
for a mean of independent cases exactly s^2/n). A difference between models, or a mean over seeds,
is taken between influences and not between variances, so two equal models have variance zero.

What is only rounding of zero is zero, by one rule for all tests (:func:`without_rounding`): models
without variance have no test, and no p is made of rounding errors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, Integers, finite, subject_count
from kneeoa.statistics.wald import NOISE, Wald, normal_quantile, wald


def without_rounding(influence: Floats, value: float = 1.0) -> Floats:
    """Influences ``[n]`` or ``[n, k]`` in which what is only rounding of zero is zero.

    A case moves a statistic by 1/n of what it adds; what it adds to less than 1e-12 of the
    statistic's own size (of 1, where that is smaller) is rounding of the numbers that were
    subtracted.
    """
    size = max(1.0, abs(value)) if math.isfinite(value) else 1.0
    return np.where(np.abs(influence) * len(influence) <= NOISE * size, 0.0, influence)


def sums_within(values: Floats, groups: Integers, count: int) -> Floats:
    """Sums of each column of ``values`` ``[n, k]`` within groups, ``[count, k]``; what is only
    rounding of zero is zero.

    Influences that cancel within every subject must have variance zero: rounding would be a
    variance of 1e-32, and any difference beyond all doubt.
    """
    sums = np.stack([np.bincount(groups, weights=column, minlength=count) for column in values.T], axis=1)
    return np.where(np.abs(sums) > NOISE * np.abs(values).max(axis=0, initial=0.0), sums, 0.0)


@dataclass(frozen=True)
class Sampled:
    """A statistic's value and the influence of every case on it, ``[n]`` (their sum is zero); NaN
    where undefined.
    """

    value: float
    influence: Floats
    note: str = ""
    """Reason why it is undefined, or words on how it was computed."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic with its interval over subjects; ``degenerate`` where the estimated variance is
    zero; undefined parts are NaN.
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    n: int
    subjects: int
    degenerate: bool
    method: str
    note: str = ""

    @property
    def variance(self) -> float:
        """The square of the standard error."""
        return self.standard_error**2


@dataclass(frozen=True, kw_only=True)
class PairedDifference(Wald):
    """Difference a - b of a statistic on the same cases; z, p, log10_p, low, high and degenerate as
    in :class:`Wald`.
    """

    estimate_a: float
    estimate_b: float
    difference: float
    variance: float
    n: int
    subjects: int
    method: str
    note: str = ""


def undefined(count: int, why: str) -> Sampled:
    """A statistic of ``count`` cases that has no value, and why."""
    return Sampled(math.nan, np.full(count, math.nan), why)


def seeds_first(values: ArrayLike, name: str, dimensions: int) -> Floats:
    """``values`` of one model (``dimensions`` axes) or of S seeds (one more axis, first) as ``[S,
    ...]``.

    Raises:
        KneeoaError: another number of axes, or no case.
        ValueError: a value that is not finite.
    """
    array = finite(values, name)
    array = array[None] if array.ndim == dimensions else array
    if array.ndim != dimensions + 1 or array.size == 0:
        raise KneeoaError(f"{name}: expected {dimensions} axes, or {dimensions + 1} with seeds first, and a case; got {np.shape(values)}.")
    return array


def of_mean(values: Floats) -> Sampled:
    """The mean of a value per case, ``[n]``."""
    mean = float(values.mean())
    return Sampled(mean, (values - mean) / values.size)


def over_seeds(members: Sequence[Sampled]) -> Sampled:
    """The mean of a statistic over S models on the same cases: seeds are fixed, subjects are
    sampled. Its note has those of the models, and in how many it is undefined.
    """
    notes = "; ".join(dict.fromkeys(one.note for one in members if one.note))
    lost = sum(math.isnan(one.value) for one in members)
    if lost and len(members) > 1:
        notes = f"undefined in {lost} of {len(members)} runs" + (f" ({notes})" if notes else "")
    return Sampled(float(np.mean([one.value for one in members])), np.mean([one.influence for one in members], axis=0), notes)


def covariance(members: Sequence[Sampled], codes: Integers | None) -> Floats:
    """Covariance ``[k, k]`` of k statistics on the same cases; positive semi-definite; NaN with
    fewer than two subjects.
    """
    rows = np.stack([without_rounding(one.influence, one.value) for one in members], axis=1)
    if codes is not None:
        rows = sums_within(rows, codes, int(codes.max()) + 1)
    if len(rows) < 2:
        return np.full((len(members), len(members)), np.nan)
    product: Floats = rows.T @ rows
    return product * (len(rows) / (len(rows) - 1))


def estimate_of(
    sampled: Sampled, codes: Integers | None, confidence: float, method: str, scale: Literal["wald", "logit"] = "wald"
) -> Estimate:
    """The interval of one statistic.

    Args:
        sampled: value and influences.
        codes: subject of each case, or None where each case is its own.
        confidence: of the interval.
        method: words for the result; the interval and clusters are added.
        scale: wald: symmetric, not clipped; logit: symmetric on the logit scale, inside (0, 1),
            undefined at 0 and 1.
    """
    count = sampled.influence.size
    variance = float(covariance([sampled], codes)[0, 0])
    low, high = interval(sampled.value, variance, confidence, scale)
    return Estimate(
        estimate=sampled.value,
        standard_error=math.sqrt(variance),
        low=low,
        high=high,
        n=count,
        subjects=subject_count(codes, count),
        degenerate=variance == 0.0,
        method=described(method, codes, f"{scale} interval"),
        note=sampled.note,
    )


def interval(value: float, variance: float, confidence: float, scale: Literal["wald", "logit"]) -> tuple[float, float]:
    """Low and high limits; NaN where the variance is zero or undefined, or for a logit at 0 or 1.

    Raises:
        KneeoaError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise KneeoaError(f"confidence: expected a number between 0 and 1, got {confidence}.")
    if not variance > 0.0 or math.isnan(value) or (scale == "logit" and not 0.0 < value < 1.0):
        return math.nan, math.nan
    half = normal_quantile(confidence) * math.sqrt(variance)
    if scale == "wald":
        return value - half, value + half
    centre, reach = math.log(value / (1 - value)), half / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-limit)) if limit > -700 else 0.0 for limit in (centre - reach, centre + reach))
    return low, high


def difference_of(a: Sampled, b: Sampled, codes: Integers | None, confidence: float, method: str) -> PairedDifference:
    """Paired normal test of a - b; equal models have z 0, p 1 and are flagged degenerate."""
    first, second = without_rounding(a.influence, a.value), without_rounding(b.influence, b.value)
    influence = first - second
    size = max(float(np.abs(first).max()), float(np.abs(second).max()))
    influence[np.abs(influence) <= NOISE * size] = 0.0  # means over permuted seeds differ in the last digit
    difference = a.value - b.value
    if not influence.any() and abs(difference) <= NOISE * max(1.0, abs(a.value)):
        difference = 0.0
    variance = float(covariance([Sampled(difference, influence)], codes)[0, 0])
    return PairedDifference(
        estimate_a=a.value,
        estimate_b=b.value,
        difference=difference,
        variance=variance,
        n=influence.size,
        subjects=subject_count(codes, influence.size),
        method=described(method, codes),
        note=notes_of_two(a.note, b.note),
        **vars(wald(difference, variance, confidence)),
    )


def notes_of_two(a: str, b: str) -> str:
    """Join the notes on two models, once where they are the same."""
    if a == b:
        return a
    return "; ".join(f"{side}: {note}" for side, note in (("candidate", a), ("reference", b)) if note)


def described(method: str, codes: Integers | None, *more: str) -> str:
    """Words on how a result was computed: the method, whether subjects were clusters, and whatever
    else.
    """
    return ", ".join([method, *([] if codes is None else ["clustered by subject"]), *more])
