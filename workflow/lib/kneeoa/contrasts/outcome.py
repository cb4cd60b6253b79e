"""The numbers of one row of CONTRASTS, and the smallest difference that its standard error can
find.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import t as t_distribution

from kneeoa.config.statistics import Statistics
from kneeoa.statistics.equivalence import minimal_detectable_difference
from kneeoa.statistics.influence_functions import PairedDifference


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Estimates, interval, p and what to say about them; differences are candidate - reference; NaN
    where undefined.
    """

    estimate_reference: float
    estimate_candidate: float
    difference: float
    low: float
    high: float
    p: float
    statistic: float
    standard_error: float
    df: float = math.inf
    degenerate: bool = False
    generalises: str = "subjects"
    margin: float = math.nan
    verdict: str = ""
    note: str = ""


def detectable(standard_error: float, df: float, statistics: Statistics) -> float:
    """The smallest difference that a two-sided test at 1 - confidence finds with the configured
    power; NaN where undefined.

    With finite degrees of freedom, as over random seeds, quantiles of t take the place of the
    normal ones.
    """
    if not standard_error > 0 or math.isnan(df):
        return math.nan
    alpha = 1 - statistics.confidence
    if math.isinf(df):
        return minimal_detectable_difference(standard_error, statistics.power, alpha)
    return float(t_distribution.isf(alpha / 2, df) + t_distribution.ppf(statistics.power, df)) * standard_error


def of_difference(result: PairedDifference, note: str, tested: bool = True) -> Outcome:
    """The outcome of a paired difference; with ``tested`` False its numbers without interval and
    p.
    """
    return Outcome(
        estimate_reference=result.estimate_b,
        estimate_candidate=result.estimate_a,
        difference=result.difference,
        low=result.low if tested else math.nan,
        high=result.high if tested else math.nan,
        p=result.p if tested else math.nan,
        statistic=result.z if tested else math.nan,
        standard_error=math.sqrt(result.variance),
        degenerate=result.degenerate,
        note=note,
    )


def of_limits(difference: float, low: float, high: float, p: float, note: str) -> Outcome:
    """The outcome of a difference that is not one of two arms' values, such as a slope or a
    difference of differences.
    """
    nan = math.nan
    return Outcome(
        estimate_reference=nan,
        estimate_candidate=nan,
        difference=difference,
        low=low,
        high=high,
        p=p,
        statistic=nan,
        standard_error=nan,
        note=note,
    )


def join(*notes: str) -> str:
    """The notes that are not empty, as one; each once."""
    return "; ".join(dict.fromkeys(note for note in notes if note))


def or_null(value: float) -> float | None:
    """The value as a table holds it: None where it is undefined."""
    return value if math.isfinite(value) else None
