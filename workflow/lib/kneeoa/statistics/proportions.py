"""The share of cases with a property, and its interval where subjects have several cases.

Wilson's score interval (Wilson 1927, J Am Stat Assoc 22:209) with the effective number of cases n /
deff in place of n, where the design effect deff is the clustered variance of the share over the
binomial one (Korn and Graubard 1998, Surv Methodol 24:193; Rao and Scott 1992, Biometrics 48:577).
"""

from __future__ import annotations

import math

import numpy as np

from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import Estimate, Sampled, described, estimate_of, of_mean
from kneeoa.statistics.inputs import Booleans, Floats, Integers, subject_count
from kneeoa.statistics.wald import normal_quantile


def wilson(share: float, size: float, confidence: float) -> tuple[float, float]:
    """Wilson's interval of a share of ``size`` cases, which need not be a whole number; NaN for no
    case.

    Raises:
        KneeoaError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise KneeoaError(f"confidence: expected a number between 0 and 1, got {confidence}.")
    if not size > 0 or math.isnan(share):
        return math.nan, math.nan
    return wilson_at(share, size, normal_quantile(confidence))


def wilson_at(share: float, size: float, z: float) -> tuple[float, float]:
    """Wilson's interval of ``z`` standard errors either side, for a share of ``size`` cases."""
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * math.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    return min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)


def share(values: Floats, codes: Integers | None, confidence: float, method: str, members: Booleans | None = None) -> Estimate:
    """The share of ``members`` for which ``values`` is 1, with Wilson's interval at the effective
    number of cases.

    The effective number is at most n. Where all or none have the property the design effect cannot
    be estimated, and the number of subjects is used. ``values`` between 0 and 1 (a probability
    mass, a mean over seeds) get the logit interval.

    Args:
        values: ``[n]``, 0 to 1.
        codes: subject of each case, or None.
        confidence: of the interval.
        method: words for the result.
        members: the cases that count, ``[n]``; default all. ``n`` and ``subjects`` of the result
            are theirs.
    """
    chosen = np.ones(values.size, dtype=np.bool_) if members is None else members
    kept = values[chosen]
    codes_of_kept = None if codes is None else _codes_of(codes[chosen])
    if not kept.size:
        nan = math.nan
        return Estimate(estimate=nan, standard_error=nan, low=nan, high=nan, n=0, subjects=0, degenerate=False, method=f"{method}: no case")
    sampled = of_mean(kept)
    if not ((kept == 0.0) | (kept == 1.0)).all():
        return estimate_of(sampled, codes_of_kept, confidence, method, "logit")
    subjects = subject_count(codes_of_kept, kept.size)
    squares = _squares(sampled, codes_of_kept)
    effective = effective_cases(kept, codes_of_kept)
    low, high = wilson(sampled.value, effective if codes_of_kept is not None else kept.size, confidence)
    words = "Wilson interval" if codes_of_kept is None else f"Wilson interval at {effective:.4g} effective cases"
    return Estimate(
        estimate=sampled.value,
        standard_error=math.sqrt(squares * subjects / (subjects - 1)) if subjects > 1 else math.nan,
        low=low,
        high=high,
        n=kept.size,
        subjects=subjects,
        degenerate=squares == 0.0,
        method=described(method, codes_of_kept, words),
    )


def effective_cases(values: Floats, codes: Integers | None) -> float:
    """The effective number of cases of a share, n / deff, at most n: p (1 - p) over the clustered
    variance of the share p. Where nothing varies it is the number of subjects.

    The design effect deff is the sum over subjects of (the sum of x - p over their cases)^2, over n
    p (1 - p) (Kish 1965, Survey Sampling; Rao and Scott 1992, Biometrics 48:577): 1 where each
    subject has one case, m where the m cases of each subject are alike.

    Args:
        values: 0 to 1, ``[n]``, of one case at least; a mean over seeds lies between.
        codes: subject of each case, or None.
    """
    if codes is None:
        return float(values.size)
    sampled = of_mean(values)
    squares = _squares(sampled, codes)
    return float(min(sampled.value * (1 - sampled.value) / squares, values.size) if squares > 0 else subject_count(codes, values.size))


def _squares(sampled: Sampled, codes: Integers | None) -> float:
    """The sum of squares of the influence of each subject."""
    sums = sampled.influence if codes is None else np.bincount(codes, weights=sampled.influence)
    return float(sums @ sums)


def codes_of_some(codes: Integers | None, chosen: Booleans) -> Integers | None:
    """The subjects of the chosen cases, as :func:`kneeoa.statistics.inputs.cluster_codes` gives
    them.
    """
    return None if codes is None else _codes_of(codes[chosen])


def _codes_of(codes: Integers) -> Integers | None:
    """The codes of some of the cases, from 0 without a gap; None where each is its own subject."""
    held = np.bincount(codes) > 0
    return None if np.count_nonzero(held) == codes.size else (np.cumsum(held) - 1)[codes]
