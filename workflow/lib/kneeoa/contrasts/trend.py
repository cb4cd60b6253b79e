"""Does a difference between two arms move with a dose, such as the noise of the labels they learn
from?

At each of R doses two arms, a and b, are trained with S seeds and predict the same cases. The slope
is that of least squares of the difference of a metric, a - b, on the dose; over all seeds it is the
mean of the seeds' own slopes, as every dose has every seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kneeoa.contrasts.outcome import Outcome, join, of_difference, of_limits
from kneeoa.contrasts.small_samples import with_few_degrees, with_few_subjects
from kneeoa.errors import KneeoaError
from kneeoa.statistics.bootstrap import interval_of, paired_of, percentiles, resampled_weights
from kneeoa.statistics.influence_functions import Estimate, PairedDifference
from kneeoa.statistics.inputs import Floats, Integers, cluster_codes, subject_count
from kneeoa.statistics.metrics import Metric
from kneeoa.statistics.wald import NOISE

LEAST_SEEDS = 3
"""With fewer seeds their variance says nothing, and no inference over random seeds is made."""


_Sample = tuple[int, int, float]
"""Cases, subjects and the confidence of intervals."""


@dataclass(frozen=True)
class Trend:
    """Metrics at each dose, their differences, and the slope."""

    by_seed: Floats
    """``[2, R, S]``: the metric of a and of b at each dose and seed."""
    arms: tuple[tuple[Estimate, ...], tuple[Estimate, ...]]
    """Mean over seeds at each dose, of a and of b."""
    differences: tuple[PairedDifference, ...]
    """a - b, mean over seeds, at each dose, by the bootstrap."""
    slopes: Floats
    """``[S]``: each seed's own slope (NaN with a single dose)."""
    over_subjects: Outcome
    """The slope per unit of dose, seeds fixed: about these very networks."""
    over_both: Outcome
    """Mean slope with subjects and seeds sampled: about networks trained like these; NaN with fewer
    than three seeds.
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
    parts: Floats | None = None,
    rankings: int = 0,
) -> Trend:
    """Estimate the trend; every dose, arm and seed meets the same resamples of subjects, so that
    what they share cancels.

    The interval over subjects is the percentile one, p = 2 min((#{slope <= 0} + 1)/(B + 1),
    (#{slope >= 0} + 1)/(B + 1)). Over subjects and seeds the variance is that of the bootstrap plus
    that between the seeds' slopes over S, with Student's t on Satterthwaite's degrees of freedom
    (from subjects - 1 and S - 1). The part of the seeds' variance that differs between subjects is
    in both terms: the interval errs on the wide side. Where few subjects carry a difference or a
    slope, p and interval are those of :mod:`kneeoa.contrasts.small_samples`.

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
        parts: what each case adds to the difference at each dose, ``[R, n]``
            (:func:`kneeoa.contrasts.small_samples.case_parts`); None: without the rule of few
            subjects.
        rankings: of the parts (:func:`kneeoa.contrasts.small_samples.rankings_of`).

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
    slopes, slope_draws = contrast @ (by_seed[0] - by_seed[1]), contrast @ (mean_draws[0] - mean_draws[1])
    differences = _of_difference(means, mean_draws, sample)
    over_subjects, over_both = (
        _over_subjects(slopes, slope_draws, subjects, confidence),
        _over_both(slopes, slope_draws, subjects, confidence),
    )
    if parts is not None:
        people = np.arange(len(truth)) if cluster is None else cluster
        how = (people, rankings, confidence)
        differences = tuple(_few_in_difference(one, of_dose, *how) for one, of_dose in zip(differences, parts, strict=True))
        over_subjects = with_few_subjects(over_subjects, "bootstrap", contrast @ parts, *how)
        over_both = with_few_degrees(over_both, contrast @ parts, people, confidence)
    return Trend(
        by_seed=by_seed,
        arms=(_of_arm(means[0], mean_draws[0], sample), _of_arm(means[1], mean_draws[1], sample)),
        differences=differences,
        slopes=slopes,
        over_subjects=over_subjects,
        over_both=over_both,
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


def _few_in_difference(
    difference: PairedDifference, parts: Floats, subjects: ArrayLike, rankings: int, confidence: float
) -> PairedDifference:
    few = with_few_subjects(of_difference(difference, difference.note), "bootstrap", parts, subjects, rankings, confidence)
    return difference if few.note == difference.note else replace(difference, low=few.low, high=few.high, note=few.note)


def _over_subjects(slopes: Floats, draws: Floats, subjects: int, confidence: float) -> Outcome:
    estimate = float(slopes.mean())
    drawn = percentiles(estimate, draws, subjects, confidence)
    if drawn.invalid == drawn.resamples:
        return _undefined(estimate, "undefined: one dose, or a class without cases")
    return of_limits(estimate, drawn.low, drawn.high, drawn.p, join("percentile bootstrap of subjects, seeds fixed", drawn.note))


def _over_both(slopes: Floats, draws: Floats, subjects: int, confidence: float) -> Outcome:
    from scipy.stats import t  # heavy: only where an analysis runs

    estimate, seeds, defined = float(slopes.mean()), len(slopes), draws[np.isfinite(draws)]
    if seeds < LEAST_SEEDS or defined.size < 2 or subjects < 2 or not math.isfinite(estimate):
        return _undefined(estimate, f"{seeds} seeds, {LEAST_SEEDS} are needed" if seeds < LEAST_SEEDS else "undefined")
    of_subjects, of_seeds = float(defined.var(ddof=1)), float(slopes.var(ddof=1)) / seeds
    variance = of_subjects + of_seeds
    if variance <= NOISE**2:  # without variance equal arms have p 1 and others no test, as everywhere
        words = "no variance between resamples or seeds"
        return of_limits(estimate, 0.0, 0.0, 1.0, words) if abs(estimate) <= NOISE else _undefined(estimate, f"{words}: no test")
    degrees = variance**2 / (of_subjects**2 / (subjects - 1) + of_seeds**2 / (seeds - 1))
    error = math.sqrt(variance)
    reach, p = float(t.ppf((1 + confidence) / 2, degrees)) * error, float(2 * t.sf(abs(estimate) / error, degrees))
    words = f"subjects and seeds sampled, t with {degrees:.1f} degrees of freedom"
    slope = of_limits(estimate, estimate - reach, estimate + reach, p, words)
    return replace(slope, standard_error=error, statistic=estimate / error, df=degrees)


def _undefined(estimate: float, why: str) -> Outcome:
    return of_limits(estimate, math.nan, math.nan, math.nan, why)
