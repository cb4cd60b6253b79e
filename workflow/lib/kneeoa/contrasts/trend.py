"""Does a difference between two arms move with a dose, such as the noise of the labels they learn
from?

At each of R doses two arms, a and b, are trained with S seeds and predict the same cases. The slope
is that of least squares of the difference of a metric, a - b, on the dose; over all seeds it is the
mean of the seeds' own slopes, as every dose has every seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import interval_of, paired_of, percentiles, resampled_weights
from kneeoa.statistics.inputs import Floats, Integers, cluster_codes, subject_count
from kneeoa.statistics.metrics import Metric
from kneeoa.statistics.sampling import Estimate, PairedDifference
from kneeoa.statistics.wald import NOISE

LEAST_SEEDS = 3
"""With fewer seeds their variance says nothing, and no inference over random seeds is made."""


_Sample = tuple[int, int, float]
"""Cases, subjects and the confidence of intervals."""


@dataclass(frozen=True)
class Slope:
    """A slope of the difference on the dose, per unit of dose; undefined parts are NaN."""

    estimate: float
    low: float
    high: float
    p: float
    method: str


@dataclass(frozen=True)
class Trend:
    """Metrics at each dose, their differences, and the slope."""

    by_seed: Floats
    """``[2, R, S]``: the metric of a and of b at each dose and seed."""
    arms: tuple[tuple[Estimate, ...], tuple[Estimate, ...]]
    """Of a and of b: the mean over seeds at each dose."""
    differences: tuple[PairedDifference, ...]
    """a - b, mean over seeds, at each dose, by the bootstrap."""
    slopes: Floats
    """``[S]``: each seed's own slope (NaN with a single dose)."""
    over_subjects: Slope
    """Seeds fixed: about these very networks."""
    over_both: Slope
    """Subjects and seeds sampled: about networks trained like these; NaN with fewer than three
    seeds.
    """


def trend(
    dose: Floats,
    truth: Integers,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    metric: Metric,
    cluster: NDArray[np.str_] | None,
    resamples: int,
    seed: int,
    confidence: float,
) -> Trend:
    """Estimate the trend; every dose, arm and seed meets the same resamples of subjects, so that
    what they share cancels.

    The interval over subjects is the percentile one, p = 2 min((#{slope <= 0} + 1)/(B + 1),
    (#{slope >= 0} + 1)/(B + 1)). Over subjects and seeds the variance is that of the bootstrap plus
    that between the seeds' slopes over S, with Student's t on Satterthwaite's degrees of freedom
    (from subjects - 1 and S - 1). The part of the seeds' variance that differs between subjects is
    in both terms: the interval errs on the wide side.

    Args:
        dose: of each of the R settings, ``[R]``.
        truth: class of each case, ``[n]``.
        a: probabilities ``[R, S, n, K]``; seed s began from the same weights and order at every
            dose.
        b: of the other arm, the same shape but for K.
        metric: as :func:`kneeoa.statistics.kernels.metric` gives it.
        cluster: subject of each case, or None.
        resamples: number drawn.
        seed: of the resamples.
        confidence: of every interval.

    Raises:
        KneeoaError: the shapes do not fit each other.
    """
    if a.shape[:3] != b.shape[:3] or a.shape[0] != len(dose) or a.shape[2] != len(truth):
        raise KneeoaError(f"trend: {len(dose)} doses and {len(truth)} cases, but predictions of shapes {a.shape} and {b.shape}.")
    subjects = subject_count(cluster_codes(cluster, len(truth)), len(truth))
    by_seed = _values(metric, truth, a, b, np.ones((1, len(truth))))[..., 0]
    drawn = np.concatenate(
        [_values(metric, truth, a, b, weights) for weights in resampled_weights(len(truth), cluster, resamples, seed)], -1
    )
    means, mean_draws, sample = by_seed.mean(axis=2), drawn.mean(axis=2), (len(truth), subjects, confidence)
    contrast = _least_squares(dose)
    slopes = contrast @ (by_seed[0] - by_seed[1])
    return Trend(
        by_seed=by_seed,
        arms=(_of_arm(means[0], mean_draws[0], sample), _of_arm(means[1], mean_draws[1], sample)),
        differences=_of_difference(means, mean_draws, sample),
        slopes=slopes,
        over_subjects=_over_subjects(slopes, contrast @ (mean_draws[0] - mean_draws[1]), subjects, confidence),
        over_both=_over_both(slopes, contrast @ (mean_draws[0] - mean_draws[1]), subjects, confidence),
    )


def _values(metric: Metric, truth: Integers, a: Floats, b: Floats, weights: Floats) -> Floats:
    """``[2, R, S, len(weights)]``."""
    return np.array([[[metric(truth, run, weights) for run in seeds] for seeds in arm] for arm in (a, b)])


def _least_squares(dose: Floats) -> Floats:
    """The weights ``[R]`` whose product with R responses is their slope; NaN where all doses are
    one.
    """
    centred = dose - dose.mean()
    spread = float(centred @ centred)
    return centred / spread if spread > 0 else np.full(len(dose), np.nan)


def _of_arm(values: Floats, draws: Floats, sample: _Sample) -> tuple[Estimate, ...]:
    return tuple(interval_of(float(value), drawn, *sample) for value, drawn in zip(values, draws, strict=True))


def _of_difference(means: Floats, draws: Floats, sample: _Sample) -> tuple[PairedDifference, ...]:
    pairs = zip(means.T, draws[0] - draws[1], strict=True)
    return tuple(paired_of((float(first), float(second)), drawn, *sample) for (first, second), drawn in pairs)


def _over_subjects(slopes: Floats, draws: Floats, subjects: int, confidence: float) -> Slope:
    estimate = float(slopes.mean())
    found = percentiles(estimate, draws, subjects, confidence)
    if found.invalid == found.resamples:
        return Slope(estimate, math.nan, math.nan, math.nan, "undefined: one dose, or a class without cases")
    return Slope(
        estimate, found.low, found.high, found.p, "; ".join(filter(None, ["percentile bootstrap of subjects, seeds fixed", found.note]))
    )


def _over_both(slopes: Floats, draws: Floats, subjects: int, confidence: float) -> Slope:
    from scipy.stats import t  # heavy: only where an analysis runs

    estimate, seeds, known = float(slopes.mean()), len(slopes), draws[np.isfinite(draws)]
    if seeds < LEAST_SEEDS or known.size < 2 or subjects < 2 or not math.isfinite(estimate):
        why = f"{seeds} seeds, {LEAST_SEEDS} are needed" if seeds < LEAST_SEEDS else "undefined"
        return Slope(estimate, math.nan, math.nan, math.nan, why)
    of_subjects, of_seeds = float(known.var(ddof=1)), float(slopes.var(ddof=1)) / seeds
    variance = of_subjects + of_seeds
    if variance <= NOISE**2:  # without variance equal arms have p 1 and others no test, as everywhere
        equal = abs(estimate) <= NOISE
        nothing = (0.0, 0.0, 1.0) if equal else (math.nan, math.nan, math.nan)
        return Slope(estimate, *nothing, "no variance between resamples or seeds" + ("" if equal else ": no test"))
    degrees = variance**2 / (of_subjects**2 / (subjects - 1) + of_seeds**2 / (seeds - 1))
    reach = float(t.ppf((1 + confidence) / 2, degrees)) * math.sqrt(variance)
    p = float(2 * t.sf(abs(estimate) / math.sqrt(variance), degrees))
    return Slope(estimate, estimate - reach, estimate + reach, p, f"subjects and seeds sampled, t with {degrees:.1f} degrees of freedom")
