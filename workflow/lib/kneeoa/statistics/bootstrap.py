"""Paired bootstrap of subjects: percentile intervals and p of any metric, by re-weighting cases instead of copying them.

Each resample draws as many subjects as there are, with replacement; a subject brings all its cases. Resamples in which the
metric is undefined (a class not drawn) are left out and counted, never redrawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.statistics.inputs import Floats, Integers, cluster_codes, same_length
from kneeoa.statistics.metrics import Metric, value
from kneeoa.statistics.wald import NOISE

_CELLS = 1_000_000
"""Weights held at once (8 MB); fixed, since the order of additions follows it."""


@dataclass(frozen=True)
class PairedBootstrap:
    """Difference a - b of a metric; ``resamples`` were drawn, ``invalid`` of them undefined."""

    estimate_a: float
    estimate_b: float
    difference: float
    low: float
    high: float
    p: float
    resamples: int
    invalid: int
    degenerate: bool


@dataclass(frozen=True)
class Interval:
    """A metric and its percentile interval; ``resamples`` were drawn, ``invalid`` of them undefined."""

    estimate: float
    low: float
    high: float
    resamples: int
    invalid: int


def paired_bootstrap(
    metric: Metric,
    truth: Integers,
    a: Floats,
    b: Floats,
    cluster: ArrayLike | None = None,
    resamples: int = 10_000,
    seed: int = 42,
    confidence: float = 0.95,
) -> PairedBootstrap:
    """Bootstrap of ``metric(a) - metric(b)`` over subjects.

    p = 2 min((#{d <= 0} + 1)/(B + 1), (#{d >= 0} + 1)/(B + 1)), at most 1, over the B valid resamples (paper A's rule). Models
    that are equal in every resample have p = 1 and are flagged degenerate.

    Args:
        metric: function of (truth, prediction, weights), see :mod:`kneeoa.statistics.metrics`.
        truth: ``[n]``, integer classes.
        a: prediction of a as the metric takes it.
        b: prediction of b.
        cluster: subject of each case, or None.
        resamples: number drawn.
        seed: of the random generator; the same seed and subjects give the same resamples for every metric.
        confidence: of the percentile interval.

    Raises:
        ValueError: clusters of another length than truth.
    """
    values = [(metric(truth, a, weights), metric(truth, b, weights)) for weights in resampled_weights(truth.size, cluster, resamples, seed)]
    differences = np.concatenate([first - second for first, second in values])
    differences = np.where(np.abs(differences) <= NOISE, 0.0, differences)  # sums over seeds differ in the last digit
    valid = differences[~np.isnan(differences)]
    first, second = value(metric, truth, a), value(metric, truth, b)
    low, high = _percentiles(valid, confidence)
    p = math.nan
    if valid.size and not math.isnan(first - second):
        p = min(1.0, 2.0 * (min(int((valid <= 0).sum()), int((valid >= 0).sum())) + 1) / (valid.size + 1))
    degenerate = bool(valid.size and not valid.any())
    return PairedBootstrap(first, second, first - second, low, high, p, resamples, resamples - valid.size, degenerate)


def bootstrap_interval(
    metric: Metric,
    truth: Integers,
    prediction: Floats,
    cluster: ArrayLike | None = None,
    resamples: int = 10_000,
    seed: int = 42,
    confidence: float = 0.95,
) -> Interval:
    """Percentile interval of one metric over subjects; arguments as :func:`paired_bootstrap`."""
    values = np.concatenate([metric(truth, prediction, weights) for weights in resampled_weights(truth.size, cluster, resamples, seed)])
    valid = values[~np.isnan(values)]
    low, high = _percentiles(valid, confidence)
    return Interval(value(metric, truth, prediction), low, high, resamples, resamples - valid.size)


def resampled_weights(count: int, cluster: ArrayLike | None, resamples: int, seed: int) -> Iterator[Floats]:
    """Blocks of case weights ``[r, count]``: how often each case's subject was drawn."""
    if cluster is not None:
        same_length(count, cluster=np.asarray(cluster))
    codes = cluster_codes(cluster, count)
    subjects = count if codes is None else int(codes.max()) + 1
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // max(count, 1))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(0, subjects, size=(rows, subjects))
        drawn += np.arange(rows)[:, None] * subjects
        counts = np.bincount(drawn.ravel(), minlength=rows * subjects).reshape(rows, subjects).astype(np.float64)
        yield counts if codes is None else counts[:, codes]


def _percentiles(values: Floats, confidence: float) -> tuple[float, float]:
    if not values.size:
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
