"""Adapt class probabilities to another population by its own labels: its class shares, or an
intercept for each class and one slope, refitted on other people.

*Prior correction* multiplies each class by the ratio of its shares in the new and the old
population (Saerens et al. 2002, Neural Comput 14:21); it is right where classes look the same in
both. *Recalibration* fits softmax(a_k + b log p_k), one a_k being 0, by maximum likelihood: for two
classes Cox's logistic recalibration (Cox 1958, Biometrika 45:562), for more the multinomial one
with a common slope (after Van Hoorde et al. 2014, Stat Med 33:2585; in networks bias-corrected
temperature scaling, Alexandari et al. 2020, PMLR 119:222). b is 1 where the probabilities are
neither too extreme nor too timid. *Cross-fitting* recalibrates every person by a fit to people of
other folds, so that nobody's label has a part in his own probabilities.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax, logsumexp

from kneeoa.errors import KneeoaError
from kneeoa.statistics.inputs import Floats, Integers

LEAST_LOG = -700.0
"""The least log probability that a fit uses; below it nothing changes a sum."""


@dataclass(frozen=True)
class Recalibration:
    """A fitted recalibration, or the reason why there is none."""

    intercepts: Floats
    """``[K]``, the first class that occurs is 0; minus infinity for a class without a case."""
    slope: float
    intercept_influence: Floats
    """Influence of every case on each intercept, ``[n, K]``; 0 where it is not fitted."""
    slope_influence: Floats
    """``[n]``."""
    reason: str = ""


def prior_corrected(probabilities: Floats, shares: Floats, new_shares: Floats) -> tuple[Floats, str]:
    """Probabilities ``[n, K]`` times ``new_shares / shares``, made to sum to 1, and an empty text;
    or NaN and the reason why they are undefined.
    """
    nothing = np.full(probabilities.shape, np.nan)
    if ((shares <= 0) & (new_shares > 0)).any():
        return nothing, "a class of the cohort has no training case"
    ratio = np.divide(new_shares, shares, out=np.zeros_like(new_shares), where=shares > 0)
    weighted = probabilities * ratio
    total = weighted.sum(axis=1, keepdims=True)
    if not (total > 0).all():
        return nothing, "a case has probability in classes alone that the cohort does not have"
    return weighted / total, ""


def fit_recalibration(truth: Integers, log_probabilities: Floats) -> Recalibration:
    """Fit softmax(a_k + b log p_k) by Newton's method with halved steps; the log likelihood is
    concave.

    Args:
        truth: ``[n]``.
        log_probabilities: ``[n, K]``, up to a constant for each case.

    Returns:
        The fit with the influence of every case (a score over the information, as in the sandwich
        of Liang and Zeger 1986). Classes without a case have intercept minus infinity, as the
        likelihood would have it.
    """
    count, classes = log_probabilities.shape
    present = np.flatnonzero(np.bincount(truth, minlength=classes))
    scores = np.maximum(log_probabilities - logsumexp(log_probabilities, axis=1, keepdims=True), LEAST_LOG)[:, present]
    labels = np.searchsorted(present, truth)
    if present.size < 2:
        return _without(count, classes, "one class alone has cases")
    if not np.ptp(scores - scores[:, :1], axis=0).any():
        return _without(count, classes, "the probabilities are the same for all cases")
    of_truth = np.eye(present.size)[labels]
    parameters = np.zeros(present.size)  # the slope, then the intercepts but for the first
    parameters[0] = 1.0
    loss = _loss(parameters, scores, labels)
    for _ in range(100):
        fitted = np.exp(log_softmax(_scores(parameters, scores), axis=1))
        residual = of_truth - fitted
        gradients = np.concatenate([(residual * scores).sum(axis=1)[:, None], residual[:, 1:]], axis=1)
        gradient, information = gradients.sum(axis=0), _information(fitted, scores)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return _without(count, classes, _SEPARATED)
        last = float(step @ gradient) <= 1e-13 * max(loss, 1.0)
        following = _loss(parameters + step, scores, labels)
        while not last and not following <= loss and np.abs(step).max() > 1e-12:
            step = step / 2
            following = _loss(parameters + step, scores, labels)
        parameters = parameters + step
        if not np.abs(parameters).max() < _FAR or loss < 1e-6 * count:
            return _without(count, classes, _SEPARATED)
        if last:
            influence = np.linalg.solve(information, gradients.T).T
            intercepts, on_intercepts = np.full(classes, -np.inf), np.zeros((count, classes))
            intercepts[present] = np.concatenate([[0.0], parameters[1:]])
            on_intercepts[:, present[1:]] = influence[:, 1:]
            return Recalibration(intercepts, float(parameters[0]), on_intercepts, influence[:, 0])
        loss = following
    return _without(count, classes, _SEPARATED)


_SEPARATED = "the probabilities separate the classes, so the fit has no maximum"
_FAR = 1e3


def recalibrated(log_probabilities: Floats, fit: Recalibration) -> Floats:
    """Probabilities ``[n, K]`` by a fit."""
    inside = np.maximum(log_probabilities - logsumexp(log_probabilities, axis=1, keepdims=True), LEAST_LOG)
    probabilities: Floats = np.exp(log_softmax(fit.intercepts + fit.slope * inside, axis=1))
    return probabilities


def cross_fitted(truth: Integers, log_probabilities: Floats, folds: Integers) -> tuple[Floats, str]:
    """Recalibrate each fold by a fit to the others.

    Args:
        truth: ``[n]``.
        log_probabilities: ``[n, K]``.
        folds: of each case, ``[n]``; a person's cases are in one (:func:`folds_of_people`).

    Returns:
        Probabilities ``[n, K]`` and an empty text; or NaN and the reason why a fit is not there, or
        gives a label of its fold no probability.
    """
    values = np.full(log_probabilities.shape, np.nan)
    for fold in np.unique(folds):
        inside = folds == fold
        fit = fit_recalibration(truth[~inside], log_probabilities[~inside])
        if fit.reason:
            return np.full(values.shape, np.nan), f"without one fold of people, {fit.reason}"
        if not np.isfinite(fit.intercepts[truth[inside]]).all():
            return np.full(values.shape, np.nan), "a class has cases in one fold of people alone"
        values[inside] = recalibrated(log_probabilities[inside], fit)
    return values, ""


def folds_of_people(people: Sequence[str], truth: Integers, count: int, seed: int) -> Integers:
    """The fold of each case, ``[n]``: whole people, dealt out class by class (a person's highest),
    in the order of a hash of the seed and the person's name.

    Raises:
        KneeoaError: fewer than two folds.
    """
    if count < 2:
        raise KneeoaError(f"folds: expected two or more, got {count}.")
    highest: dict[str, int] = {}
    for person, label in zip(people, truth.tolist(), strict=True):
        highest[person] = max(highest.get(person, -1), label)
    groups: dict[int, list[str]] = defaultdict(list)
    for person in sorted(highest, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest()):
        groups[highest[person]].append(person)
    order = [person for label in sorted(groups) for person in groups[label]]
    fold_of = {person: place % count for place, person in enumerate(order)}
    return np.array([fold_of[person] for person in people], dtype=np.int64)


def _without(count: int, classes: int, reason: str) -> Recalibration:
    nan = np.nan
    return Recalibration(np.full(classes, nan), nan, np.full((count, classes), nan), np.full(count, nan), reason)


def _scores(parameters: Floats, scores: Floats) -> Floats:
    intercepts = np.concatenate([[0.0], parameters[1:]])
    values: Floats = intercepts + parameters[0] * scores
    return values


def _loss(parameters: Floats, scores: Floats, labels: Integers) -> float:
    return float(-log_softmax(_scores(parameters, scores), axis=1)[np.arange(labels.size), labels].sum())


def _information(fitted: Floats, scores: Floats) -> Floats:
    """Negative Hessian of the log likelihood by the slope and the intercepts but for the first."""
    mean = (fitted * scores).sum(axis=1)
    slope = float((fitted * (scores - mean[:, None]) ** 2).sum())
    mixed = (fitted[:, 1:] * (scores[:, 1:] - mean[:, None])).sum(axis=0)
    block = np.diag(fitted[:, 1:].sum(axis=0)) - fitted[:, 1:].T @ fitted[:, 1:]
    return np.block([[np.array([[slope]]), mixed[None]], [mixed[:, None], block]])
