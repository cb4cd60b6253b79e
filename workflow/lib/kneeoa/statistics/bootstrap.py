"""Bootstrap of subjects: percentile intervals and p of any value and any difference, by
re-weighting cases instead of copying them. Every bootstrap of the workflow ends in
:func:`percentiles`.

Each resample draws as many subjects as there are, with replacement; a subject brings all its cases.
Resamples in which the metric is undefined (a class not drawn) are left out and counted, never
redrawn. Efron and Tibshirani 1993, chapters 13 and 15.

A difference that is the same in every resample has no variance, and no test: equal models have p 1
and the interval [0, 0], other models neither p nor interval, as in
:func:`kneeoa.statistics.wald.wald`.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kneeoa.statistics.influence_functions import Estimate, PairedDifference
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, finite, same_length, subject_count
from kneeoa.statistics.metrics import Metric, value
from kneeoa.statistics.wald import NOISE

_CELLS = 1_000_000
"""Weights held at once (8 MB); fixed, since the order of additions follows it."""

_MOST_KEPT = 16_000_000
"""Counts of drawn subjects that are kept for the next metric (32 MB)."""

Plain = Callable[..., float]
"""A metric of (truth, prediction) without weights, such as scikit-learn's."""


@dataclass(frozen=True)
class Percentiles:
    """Percentile interval and two-sided p of "no difference" from resamples of a difference, NaN
    where undefined, and their variance; ``invalid`` of the ``resamples`` had no value.
    """

    low: float
    high: float
    p: float
    variance: float
    resamples: int
    invalid: int
    degenerate: bool

    @property
    def note(self) -> str:
        """Say how many resamples were left out; empty where none was."""
        return _invalid_note(self.invalid, self.resamples)


def percentiles(difference: float, draws: Floats, subjects: int, confidence: float) -> Percentiles:
    """The interval and p of a difference from its values in R resamples.

    p = 2 min((#{d <= 0} + 1)/(B + 1), (#{d >= 0} + 1)/(B + 1)), at most 1, over the B valid
    resamples. What is rounding of zero counts as zero.

    Args:
        difference: of the cases themselves; NaN: nothing is defined but the interval.
        draws: ``[R]``, NaN (or infinite) where undefined.
        subjects: how many were resampled; one leaves neither interval nor p.
        confidence: of the interval.

    Raises:
        ValueError: a confidence that is not between 0 and 1.
    """
    valid = draws[np.isfinite(draws)]
    valid = np.where(np.abs(valid) <= NOISE, 0.0, valid)  # sums over seeds differ in the last digit
    invalid = draws.size - valid.size
    low, high = _percentiles(valid, subjects, confidence)
    degenerate = bool(valid.size and subjects > 1 and not valid.any())
    if high - low <= NOISE * max(1.0, abs(low)) and low != 0.0:  # one value, but for a few resamples beyond the limits
        degenerate, low, high = True, math.nan, math.nan
    p = math.nan
    if not math.isnan(low) and not math.isnan(difference):
        p = min(1.0, 2.0 * (min(int((valid <= 0).sum()), int((valid >= 0).sum())) + 1) / (valid.size + 1))
    return Percentiles(low, high, p, _variance(valid), draws.size, invalid, degenerate)


def paired_bootstrap(
    metric: Metric | Plain,
    truth: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    cluster: ArrayLike | None = None,
    resamples: int = 10_000,
    seed: int = 42,
    confidence: float = 0.95,
) -> PairedDifference:
    """Bootstrap of ``metric(a) - metric(b)`` over subjects.

    The interval and p are those of :func:`percentiles` (paper A's rule). Models that are equal in
    every resample have p = 1 and are flagged degenerate. A single subject has neither interval nor
    p.

    Args:
        metric: function of (truth, prediction, weights), see :mod:`kneeoa.statistics.metrics`; or a
            plain one of (truth, prediction), which is called once a resample on copied cases (no
            seeds): the same numbers, slower.
        truth: class of each case, whole numbers, ``[n]``.
        a: prediction of a as the metric takes it: ``[n]``, ``[n, K]``, or with seeds first.
        b: prediction of b.
        cluster: subject of each case, ``[n]``, or None.
        resamples: number drawn.
        seed: of the random generator; the same seed and subjects give the same resamples for every
            metric.
        confidence: of the percentile interval.

    Raises:
        ValueError: no cases, values that are not finite, truth that is not whole numbers, clusters
            of another length, or a confidence that is not between 0 and 1.
    """
    rule = _weighted(metric)
    labels, first, second = classes_of(truth), finite(a, "a"), finite(b, "b")
    differences = np.concatenate(
        [
            rule(labels, first, weights) - rule(labels, second, weights)
            for weights in resampled_weights(labels.size, cluster, resamples, seed)
        ]
    )
    subjects = subject_count(cluster_codes(cluster, labels.size), labels.size)
    return paired_of((value(rule, labels, first), value(rule, labels, second)), differences, labels.size, subjects, confidence)


def paired_of(estimates: tuple[float, float], differences: Floats, n: int, subjects: int, confidence: float) -> PairedDifference:
    """The paired difference of the estimates of a and b by the resamples' differences a - b (NaN
    where undefined); see :func:`paired_bootstrap`. Its variance is theirs, and it has no z.
    """
    difference = estimates[0] - estimates[1]
    drawn = percentiles(difference, differences, subjects, confidence)
    return PairedDifference(
        estimate_a=estimates[0],
        estimate_b=estimates[1],
        difference=difference,
        variance=drawn.variance,
        z=math.nan,
        low=drawn.low,
        high=drawn.high,
        p=drawn.p,
        log10_p=math.log10(drawn.p),
        n=n,
        subjects=subjects,
        degenerate=drawn.degenerate,
        method="paired percentile bootstrap of subjects",
        note=drawn.note,
    )


def interval_of(estimate: float, values: Floats, n: int, subjects: int, confidence: float) -> Estimate:
    """The percentile interval of an estimate over ``n`` cases of ``subjects``, from its values in
    the resamples (NaN where undefined), whose spread is its standard error; degenerate where every
    resample gave the same value.
    """
    valid = values[~np.isnan(values)]
    low, high = _percentiles(valid, subjects, confidence)
    return Estimate(
        estimate=estimate,
        standard_error=math.sqrt(_variance(valid)),
        low=low,
        high=high,
        n=n,
        subjects=subjects,
        degenerate=bool(valid.size and np.ptp(valid) <= NOISE),
        method="percentile bootstrap of subjects",
        note=_invalid_note(values.size - valid.size, values.size),
    )


def resampled_weights(count: int, cluster: ArrayLike | None, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks of case weights ``[r, count]``: how often each case's subject was drawn; errors as
    :func:`resampled_counts`.
    """
    codes = cluster_codes(cluster, count)
    for counts in resampled_counts(count, cluster, resamples, seed):
        yield counts if codes is None else counts[:, codes]


def resampled_counts(count: int, cluster: ArrayLike | None, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks of subjects' weights ``[r, subjects]``: how often each subject of ``count`` cases was
    drawn.

    Raises:
        ValueError: no cases, no resamples, or clusters of another length.
    """
    if count < 1 or resamples < 1:
        raise ValueError(f"bootstrap: expected cases and resamples, got {count} cases and {resamples} resamples")
    if cluster is not None:
        same_length(count, cluster=np.asarray(cluster))
    subjects = subject_count(cluster_codes(cluster, count), count)
    block = max(1, _CELLS // count)
    kept = resamples * subjects <= _MOST_KEPT and subjects <= np.iinfo(np.uint16).max
    for counts in (_kept_counts if kept else _drawn_counts)(subjects, resamples, block, seed):
        yield counts.astype(np.float64)


def _drawn_counts(subjects: int, resamples: int, block: int, seed: int) -> Iterator[Integers]:
    """Yield how often each of ``subjects`` is drawn, in blocks of so many resamples."""
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(0, subjects, size=(rows, subjects))
        drawn += np.arange(rows)[:, None] * subjects
        yield np.bincount(drawn.ravel(), minlength=rows * subjects).reshape(rows, subjects)


@functools.lru_cache(maxsize=2)
def _kept_counts(subjects: int, resamples: int, block: int, seed: int) -> tuple[NDArray[np.uint16], ...]:
    """:func:`_drawn_counts` for the next metric or model, which is drawn in the same resamples."""
    return tuple(counts.astype(np.uint16) for counts in _drawn_counts(subjects, resamples, block, seed))


def _weighted(metric: Metric | Plain) -> Metric:
    """``metric`` itself where it takes weights; a plain one made to copy each case as often as it
    was drawn.
    """
    needed = [one for one in inspect.signature(metric).parameters.values() if one.default is one.empty]
    if len(needed) != 2:
        return cast(Metric, metric)
    plain = cast(Plain, metric)

    def evaluate(truth: Integers, prediction: Floats, weights: Floats, /) -> Floats:
        rows = [np.repeat(np.arange(truth.size), row.astype(np.int64)) for row in weights]
        return np.array([plain(truth[chosen], prediction[chosen]) for chosen in rows], dtype=np.float64)

    return evaluate


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1)) if values.size > 1 else math.nan


def _invalid_note(invalid: int, resamples: int) -> str:
    return f"{invalid} of {resamples} resamples undefined and left out" if invalid else ""


def _percentiles(values: Floats, subjects: int, confidence: float) -> tuple[float, float]:
    """Limits of the percentile interval; NaN without a value, or where a single subject leaves
    nothing to resample.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    if not values.size or subjects < 2:
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
