"""Is a predicted probability true on average, and neither too bold nor too timid? Logistic
recalibration.

Cox 1958 (Biometrika 45:562): the outcome is regressed on the logit of the prediction. The *slope*
is 1 where predictions are neither too extreme (below 1) nor too timid (above 1); *calibration in
the large* is the intercept with the slope held at 1, 0 where predictions are right on average,
above 0 where they are too low (Van Calster et al. 2019, BMC Med 17:230). Errors are those of the
sandwich over subjects, which do not assume that the recalibration model is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import require_probabilities
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, same_length
from kneeoa.statistics.ordinal import at_least
from kneeoa.statistics.sampling import Estimate, PairedDifference, Sampled, difference_of, estimate_of, over_seeds, seeds_first
from kneeoa.statistics.wald import Wald, wald

CLIP = 1e-6
"""Probabilities are moved into [CLIP, 1 - CLIP] before the logit; results say how many were."""


@dataclass(frozen=True)
class Recalibration:
    """Slope and calibration in the large, each with its test against the ideal (``slope_test``:
    slope - 1).

    ``clipped`` counts probabilities moved to ``clip`` or 1 - ``clip`` (over all seeds).
    ``separated``: the prediction parts the classes without overlap, so no finite slope exists.
    ``reason`` says why something is NaN.
    """

    slope: Estimate
    slope_test: Wald
    in_the_large: Estimate
    in_the_large_test: Wald
    clipped: int
    clip: float
    separated: bool
    reason: str


def recalibration(
    truth: ArrayLike, probability: ArrayLike, cluster: ArrayLike | None = None, confidence: float = 0.95, clip: float = CLIP
) -> Recalibration:
    """Calibration slope and calibration in the large of a binary prediction, with intervals over
    subjects.

    Args:
        truth: 0 or 1, ``[n]``.
        probability: of 1, ``[n]``, or ``[S, n]`` for the means over S seeds (fixed).
        cluster: subject of each case, or None.
        confidence: of the intervals.
        clip: probabilities nearer to 0 or 1 are moved to it.

    Returns:
        NaN with a ``reason``: both where one class is absent, the slope where the classes are
        separated or the prediction is constant.

    Raises:
        KneeoaError: probabilities outside [0, 1], wrong axes, no case.
        ValueError: values that are not finite, truth not binary, lengths that differ.
    """
    labels, stack = _prepare(truth, probability, "probability")
    codes = cluster_codes(cluster, labels.size)
    scores, clipped = _logits(stack, clip)
    reasons = [_reason(labels, row) for row in scores]
    slope = over_seeds([_slope(labels, row) for row in scores])
    level = over_seeds([_in_the_large(labels, row) for row in scores])
    method = f"logistic recalibration, sandwich error, clipped at {clip:g}"
    found, large = estimate_of(slope, codes, confidence, method), estimate_of(level, codes, confidence, method)
    return Recalibration(
        slope=found,
        slope_test=wald(found.estimate - 1.0, found.standard_error**2, confidence),
        in_the_large=large,
        in_the_large_test=wald(large.estimate, large.standard_error**2, confidence),
        clipped=clipped,
        clip=clip,
        separated=any(reason == _SEPARATED for reason in reasons),
        reason=next((reason for reason in reasons if reason), ""),
    )


def ordinal_recalibration(
    truth: ArrayLike, probabilities: ArrayLike, cluster: ArrayLike | None = None, confidence: float = 0.95, clip: float = CLIP
) -> tuple[Recalibration, ...]:
    """Recalibration of P(grade >= k) for k = 1 to K - 1, from class probabilities ``[n, K]`` or
    ``[S, n, K]``.

    Other arguments and errors as :func:`recalibration`.
    """
    stack = seeds_first(probabilities, "probabilities", 2)
    labels = classes_of(truth, stack.shape[2])
    tails = [at_least(stack, cut) for cut in range(1, stack.shape[2])]
    return tuple(recalibration(labels >= cut, tail, cluster, confidence, clip) for cut, tail in enumerate(tails, 1))


def slope_test(
    truth: ArrayLike,
    probability_a: ArrayLike,
    probability_b: ArrayLike,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    clip: float = CLIP,
) -> PairedDifference:
    """Paired test of two calibration slopes, a - b; arguments and errors as :func:`recalibration`.

    A difference is not an improvement by its sign: slopes are best at 1.
    """
    labels, first = _prepare(truth, probability_a, "probability_a")
    _, second = _prepare(truth, probability_b, "probability_b")
    a, b = (over_seeds([_slope(labels, row) for row in _logits(stack, clip)[0]]) for stack in (first, second))
    return difference_of(a, b, cluster_codes(cluster, labels.size), confidence, f"calibration slope, sandwich error, clipped at {clip:g}")


def sampled_slope(labels: Integers, probability: Floats, clip: float = CLIP) -> Sampled:
    """The calibration slope of one model and the influence of every case on it; labels 0/1 and
    probabilities ``[n]``.
    """
    return _slope(labels, _logits(probability, clip)[0])


def sampled_in_the_large(labels: Integers, probability: Floats, clip: float = CLIP) -> Sampled:
    """Calibration in the large of one model and the influence of every case on it; arguments as
    :func:`sampled_slope`.
    """
    return _in_the_large(labels, _logits(probability, clip)[0])


_SEPARATED = "the prediction separates the classes: no finite slope"


def _prepare(truth: ArrayLike, probability: ArrayLike, name: str) -> tuple[Integers, Floats]:
    labels, stack = classes_of(truth, 2), seeds_first(probability, name, 1)
    same_length(labels.size, **{name: stack.T})
    return labels, require_probabilities(stack, name)


def _logits(stack: Floats, clip: float) -> tuple[Floats, int]:
    if not 0 < clip < 0.5:
        raise KneeoaError(f"clip: expected a number between 0 and 0.5, got {clip}.")
    inside = np.clip(stack, clip, 1 - clip)
    return np.log(inside / (1 - inside)), int((inside != stack).sum())


def _reason(labels: Integers, score: Floats) -> str:
    if labels.all() or not labels.any():
        return "one class is absent"
    if np.ptp(score) == 0:
        return "the prediction is constant: no slope"
    high, low = score[labels == 1], score[labels == 0]
    return _SEPARATED if high.min() >= low.max() or high.max() <= low.min() else ""


def _slope(labels: Integers, score: Floats) -> Sampled:
    if _reason(labels, score):
        return Sampled(math.nan, np.full(labels.size, np.nan))
    design = np.stack([np.ones(labels.size), score], axis=1)
    coefficients, influence = _logistic(labels, design, np.zeros(labels.size))
    return Sampled(float(coefficients[1]), influence[:, 1])


def _in_the_large(labels: Integers, score: Floats) -> Sampled:
    if labels.all() or not labels.any():
        return Sampled(math.nan, np.full(labels.size, np.nan))
    coefficients, influence = _logistic(labels, np.ones((labels.size, 1)), score)
    return Sampled(float(coefficients[0]), influence[:, 0])


def _logistic(labels: Integers, design: Floats, offset: Floats) -> tuple[Floats, Floats]:
    """Maximum-likelihood coefficients ``[p]`` and every case's influence on them ``[n, p]``, by
    Newton's method with bounded steps.
    """
    coefficients = np.zeros(design.shape[1])
    loss = _loss(labels, offset)
    for _ in range(200):
        mean = expit(design @ coefficients + offset)
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        gradient = design.T @ (labels - mean)
        step = np.linalg.solve(information, gradient)
        # Where the loss can no longer fall by more than its own rounding, this step is the last.
        last = float(step @ gradient) <= 1e-15 * max(loss, 1.0)
        step /= max(1.0, float(np.abs(design @ step).max()) / 5)  # on the plateaus of extreme predictions Newton leaps too far
        while not last and (following := _loss(labels, design @ (coefficients + step) + offset)) > loss + 1e-14 * max(loss, 1.0):
            step /= 2
        coefficients = coefficients + step
        if last:
            influence: Floats = np.linalg.solve(information, (design * (labels - mean)[:, None]).T).T.astype(np.float64)
            return coefficients, influence - influence.mean(axis=0)
        loss = following
    raise KneeoaError("probability: the recalibration did not converge; the classes are all but separated by the prediction.")


def _loss(labels: Integers, score: Floats) -> float:
    return float((np.logaddexp(0.0, score) - labels * score).sum())
