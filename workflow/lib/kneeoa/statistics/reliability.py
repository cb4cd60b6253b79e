"""Reliability curve and expected calibration error of a binary prediction.

Cases are binned by predicted probability: *fixed* bins are floor(B p), so that bin b holds b/B <= p
< (b + 1)/B and the last one p = 1 too; *equal count* bins hold about n/B cases each by rank, and
cases with the same prediction are never parted, so that the order of rows cannot matter. The
expected calibration error (Naeini et al. 2015, AAAI 29:2901) is the mean over cases of |observed
share - mean prediction| in the case's bin. It depends on the bins and is biased upward in small
samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import require_probabilities
from kneeoa.statistics.influence_functions import Sampled, of_mean
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, finite, same_length
from kneeoa.statistics.proportions import share
from kneeoa.statistics.wald import NOISE

Bins = Literal["fixed", "equal_count"]


@dataclass(frozen=True)
class ReliabilityCurve:
    """One entry a bin that holds a case; ``low`` and ``high`` limit the observed share (Wilson, at
    the effective number of cases).
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    cases: Integers
    subjects: Integers
    error: float
    """Expected calibration error over these bins."""
    n: int
    method: str


def reliability_curve(
    truth: ArrayLike,
    probability: ArrayLike,
    bins: int = 10,
    kind: Bins = "equal_count",
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> ReliabilityCurve:
    """Observed share against mean prediction, bin by bin, with intervals over subjects.

    Args:
        truth: 0 or 1, ``[n]``.
        probability: of 1, ``[n]``.
        bins: how many.
        kind: of the bins.
        cluster: subject of each case, or None.
        confidence: of the intervals.

    Raises:
        KneeoaError: probabilities outside [0, 1], an unknown kind, no bin.
        ValueError: values that are not finite, truth not binary, lengths that differ.
    """
    labels, values = classes_of(truth, 2), finite(probability, "probability")
    same_length(labels.size, probability=values)
    codes = cluster_codes(cluster, labels.size)
    places = bin_of(values, bins, kind)
    used = np.unique(places)
    shares = [share(labels.astype(np.float64), codes, confidence, "observed share", places == place) for place in used]
    predicted = np.array([values[places == place].mean() for place in used])
    observed, cases = np.array([one.estimate for one in shares]), np.array([one.n for one in shares], dtype=np.int64)
    error = float((cases * np.abs(observed - predicted)).sum() / labels.size) if labels.size else math.nan
    return ReliabilityCurve(
        predicted=predicted,
        observed=observed,
        low=np.array([one.low for one in shares]),
        high=np.array([one.high for one in shares]),
        cases=cases,
        subjects=np.array([one.subjects for one in shares], dtype=np.int64),
        error=error,
        n=labels.size,
        method=f"{bins} {kind.replace('_', ' ')} bins, Wilson intervals" + ("" if codes is None else " at the effective number of cases"),
    )


def sampled_error(labels: Integers, probability: Floats, kind: Bins, bins: int = 10) -> Sampled:
    """The expected calibration error of one model and the influence of every case on it, the bins
    taken as fixed; labels 0/1 and probabilities ``[n]``.

    A bin whose gap is zero has no derivative and adds nothing. Where a model is calibrated, gaps
    are noise, the error is biased upward, and an interval from the influences does not hold its
    level; the difference of two models has a test that rejects too seldom rather than too often.

    Raises:
        KneeoaError: as :func:`bin_of`.
    """
    residuals = labels - probability
    places = bin_of(probability, bins, kind)
    gaps = np.bincount(places, weights=residuals, minlength=bins)
    gaps[np.abs(gaps) <= NOISE * labels.size] = 0.0
    error = of_mean(np.sign(gaps)[places] * residuals)
    return replace(error, note="biased upward in small samples")


def bin_of(probability: Floats, bins: int, kind: Bins) -> Integers:
    """The bin of each case, ``[n]``, 0 to ``bins`` - 1.

    Raises:
        KneeoaError: probabilities outside [0, 1], an unknown kind, no bin.
    """
    if bins < 1:
        raise KneeoaError(f"bins: expected at least one, got {bins}.")
    if kind not in ("fixed", "equal_count"):
        raise KneeoaError(f"kind: expected fixed or equal_count, got '{kind}'.")
    probability = require_probabilities(probability, "probability")
    if kind == "fixed":
        return np.minimum(np.floor(probability * bins), bins - 1).astype(np.int64)
    _, tie, sizes = np.unique(probability, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - sizes / 2  # of each run of ties, in cases from the lowest
    return np.asarray(np.minimum(np.floor(middle * bins / max(probability.size, 1)), bins - 1).astype(np.int64)[tie])
