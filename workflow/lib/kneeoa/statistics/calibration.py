"""Is a predicted probability true on average, and neither too bold nor too timid? Logistic
recalibration.

Cox 1958 (Biometrika 45:562): the outcome is regressed on the logit of the prediction. The *slope*
is 1 where predictions are neither too extreme (below 1) nor too timid (above 1); *calibration in
the large* is the intercept with the slope held at 1, 0 where predictions are right on average,
above 0 where they are too low (Van Calster et al. 2019, BMC Med 17:230). Errors are those of the
sandwich over subjects, which do not assume that the recalibration model is right.

A probability of 0 or 1 has no logit and is clipped. Where such predictions are right they hardly
matter; where they are wrong the result is the logit of the clip and nothing else, as for hard
calls. Both are therefore fitted again with a thousandth of the clip, and a result that moves by a
tenth of its standard error, or whose standard error does, is undefined.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import expit

from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import Sampled, undefined
from kneeoa.statistics.inputs import Floats, Integers

CLIP = 1e-6
"""Probabilities are moved into [CLIP, 1 - CLIP] before the logit; results say how many were."""
_MOVE = 0.1
"""Share of its standard error by which the place of the clip may move a result."""


def sampled_slope(labels: Integers, probability: Floats, clip: float = CLIP) -> Sampled:
    """The calibration slope of one model and the influence of every case on it; labels 0/1 and
    probabilities ``[n]``.
    """
    return _checked(_slope, labels, probability, clip)


def sampled_in_the_large(labels: Integers, probability: Floats, clip: float = CLIP) -> Sampled:
    """Calibration in the large of one model and the influence of every case on it; arguments as
    :func:`sampled_slope`.
    """
    return _checked(_in_the_large, labels, probability, clip)


def _checked(fit: Callable[[Integers, Floats], Sampled], labels: Integers, probability: Floats, clip: float) -> Sampled:
    """Return what ``fit`` finds, with how many probabilities were clipped; undefined where the clip
    decides.
    """
    score, clipped = _logits(probability, clip)
    fitted = fit(labels, score)
    if not clipped or math.isnan(fitted.value):
        return fitted
    share = f"{clipped} of {labels.size} probabilities are 0 or 1, or nearer to it than {clip:g}"
    other = fit(labels, _logits(probability, clip / 1000)[0])
    errors = [math.sqrt(float(one.influence @ one.influence)) for one in (fitted, other)]
    if abs(fitted.value - other.value) <= _MOVE * min(errors) and max(errors) <= (1 + _MOVE) * min(errors):
        return replace(fitted, note=f"{share}, and were clipped")
    return undefined(labels.size, f"{share}, and the result depends on where they are clipped")


_SEPARATED = "the prediction separates the classes: no finite slope"
_UNCONVERGED = "the recalibration did not converge: the prediction all but separates the classes"


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
    reason = _reason(labels, score)
    if reason:
        return undefined(labels.size, reason)
    design = np.stack([np.ones(labels.size), score], axis=1)
    fitted = _logistic(labels, design, np.zeros(labels.size))
    return undefined(labels.size, _UNCONVERGED) if fitted is None else Sampled(float(fitted[0][1]), fitted[1][:, 1])


def _in_the_large(labels: Integers, score: Floats) -> Sampled:
    if labels.all() or not labels.any():
        return undefined(labels.size, "one class is absent")
    fitted = _logistic(labels, np.ones((labels.size, 1)), score)
    return undefined(labels.size, _UNCONVERGED) if fitted is None else Sampled(float(fitted[0][0]), fitted[1][:, 0])


def _logistic(labels: Integers, design: Floats, offset: Floats) -> tuple[Floats, Floats] | None:
    """Maximum-likelihood coefficients ``[p]`` and every case's influence on them ``[n, p]``, by
    Newton's method with bounded steps; None where it does not converge.
    """
    coefficients = np.zeros(design.shape[1])
    loss = _loss(labels, offset)
    for _ in range(200):
        mean = expit(design @ coefficients + offset)
        information = design.T @ (design * (mean * (1 - mean))[:, None])
        gradient = design.T @ (labels - mean)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return None
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
    return None


def _loss(labels: Integers, score: Floats) -> float:
    return float((np.logaddexp(0.0, score) - labels * score).sum())
