"""Mean AUC over classes (one against the rest) or over findings, and its paired test in the Gram
form.

For class k the raw column of probabilities k ranks cases of k against the rest; rows are not
renormalised, which would move the value. The influences of a case on every class's AUC are added
before squaring, so that any average over classes and seeds is one sum of squares; with two classes
the test is DeLong's.

Findings of one knee are not independent, and one may be unread where another was read. As with
classes, the influences of a case on the AUCs of all findings are added before they are squared; a
single finding is DeLong's test, clustered by Obuchowski's formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import InvalidInput
from kneeoa.statistics.auc_placements import Placements, gram_rows, placements, scale
from kneeoa.statistics.influence_functions import PairedDifference, described
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, finite, subject_count
from kneeoa.statistics.wald import NOISE, wald

Average = Literal["macro", "weighted"]


def ovr_auc_test(
    truth: ArrayLike,
    probabilities_a: ArrayLike,
    probabilities_b: ArrayLike,
    average: Average = "macro",
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> PairedDifference:
    """Paired test of the averaged one-vs-rest AUC of a against that of b.

    Args:
        truth: class of each case, ``[n]``.
        probabilities_a: ``[n, K]``, or ``[S, n, K]`` for the mean over S seeds (fixed seeds).
        probabilities_b: as ``probabilities_a``; its number of seeds may differ.
        average: macro, or weighted by the class shares, which are taken as fixed.
        cluster: subject of each case, or None.
        confidence: of the interval of the difference.

    Raises:
        ValueError: not finite, shapes that disagree, truth out of range, or an unknown average.
    """
    first, second = _stack(probabilities_a, "probabilities_a"), _stack(probabilities_b, "probabilities_b")
    if first.shape[1:] != second.shape[1:]:
        raise ValueError(f"probabilities_a, probabilities_b: shapes {first.shape[1:]} and {second.shape[1:]} differ")
    labels = classes_of(truth, first.shape[2])
    codes = cluster_codes(cluster, labels.size)
    shares = _class_weights(labels, first.shape[2], average)
    placed = _placements(labels, np.concatenate([first, second]))
    weights = np.concatenate([np.full(len(first), 1.0 / len(first)), np.full(len(second), -1.0 / len(second))])
    difference, variance = _contrast(placed, weights, shares, labels, codes)
    averages = shares @ _aucs(placed)
    return PairedDifference(
        estimate_a=float(averages[: len(first)].mean()),
        estimate_b=float(averages[len(first) :].mean()),
        difference=difference,
        variance=variance,
        n=labels.size,
        subjects=subject_count(codes, labels.size),
        method="one-vs-rest DeLong (Gram)" + ("" if codes is None else ", clustered"),
        **vars(wald(difference, variance, confidence)),
    )


def _stack(probabilities: ArrayLike, name: str) -> Floats:
    values = finite(probabilities, name)
    values = values[None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[2] < 2:
        raise ValueError(f"{name}: expected [cases, classes] with at least two classes, got an array of shape {values.shape}")
    return values


def _class_weights(labels: Integers, classes: int, average: str) -> Floats:
    if average == "macro":
        return np.full(classes, 1.0 / classes)
    if average == "weighted":
        return np.bincount(labels, minlength=classes) / max(labels.size, 1)
    raise ValueError(f"average: expected 'macro' or 'weighted', got '{average}'")


def _placements(labels: Integers, stack: Floats) -> list[Placements]:
    """Return the placements of the S models of ``stack`` ``[S, n, K]``, of each class."""
    if labels.size != stack.shape[1]:
        raise ValueError(f"probabilities: {stack.shape[1]} rows, but truth has {labels.size}")
    return [placements(labels == k, np.ascontiguousarray(stack[:, :, k]).T) for k in range(stack.shape[2])]


def _aucs(placed: list[Placements]) -> Floats:
    """AUC of each class and model, ``[K, S]``."""
    return np.stack([of_class.auc for of_class in placed])


def _contrast(placed: list[Placements], weights: Floats, shares: Floats, labels: Integers, codes: Integers | None) -> tuple[float, float]:
    """Estimate and variance of the weighted sum over models of the averaged AUC, NaN where
    undefined.
    """
    if any(min(of_class.positives, of_class.negatives) < 1 for of_class in placed):
        return math.nan, math.nan
    estimate, total, defined = 0.0, np.zeros((labels.size, 1)), True
    for of_class, share in zip(placed, shares, strict=True):
        value, influence = of_class.combine(weights[:, None])
        scaled = scale(influence, of_class.positive, codes)
        estimate += float(share * value[0])
        if scaled is None:
            defined = False
        else:
            total += share * scaled
    if not defined:
        return estimate, math.nan
    rows = gram_rows(total, labels, codes)
    return estimate, float(np.vdot(rows, rows))


def mean_auc_test(
    rows: Sequence[Integers],
    truth: Sequence[ArrayLike],
    scores_a: Sequence[ArrayLike],
    scores_b: Sequence[ArrayLike],
    cluster: ArrayLike,
    confidence: float = 0.95,
) -> PairedDifference:
    """Paired test of the mean AUC over F findings, a - b; NaN where one has no AUC.

    Args:
        rows: of each finding, which of the n cases have it read: places without repetition,
            ``[n_f]``.
        truth: of each finding, 0 or 1, ``[n_f]``.
        scores_a: of each finding, ``[S, n_f]`` for S seeds (fixed).
        scores_b: as ``scores_a``; the number of seeds may differ.
        cluster: subject of each case, ``[n]``.
        confidence: of the interval of the difference.

    Raises:
        InvalidInput: lengths that differ, truth that is not binary, scores that are not finite.
    """
    subjects = np.asarray(cluster)
    codes = cluster_codes(subjects, subjects.size)
    clusters = subjects.size if codes is None else int(codes.max()) + 1
    total: Floats = np.zeros((3, clusters))  # of a cluster: all its cases, and what positives and negatives add apart
    estimates, defined, size = np.zeros(3), True, 0.0
    for places, labels, first, second in zip(rows, truth, scores_a, scores_b, strict=True):
        positive = classes_of(labels, 2) == 1
        a, b = finite(first, "scores_a"), finite(second, "scores_b")
        if not positive.size == places.size == a.shape[1] == b.shape[1]:
            raise InvalidInput(f"findings: {places.size} rows, but {positive.size} labels and {a.shape[1]} and {b.shape[1]} scores")
        weights = np.zeros((len(a) + len(b), 3))
        weights[: len(a), 0], weights[len(a) :, 1] = 1 / len(a), 1 / len(b)
        weights[:, 2] = weights[:, 0] - weights[:, 1]
        if positive.all() or not positive.any():
            return _undefined(subjects, codes, confidence)
        values, influence = placements(positive, np.asfortranarray(np.concatenate([a, b]).T)).combine(weights)
        estimates += values / len(rows)
        at = places if codes is None else codes[places]
        together = cluster_codes(at, at.size)
        scaled = scale(influence[:, 2:], positive, together)
        if scaled is None:
            defined = False
            continue
        size = max(size, float(np.abs(influence[:, :2]).max()))
        parts = gram_rows(scaled, positive.astype(np.int64), together)[:, 0] / len(rows)
        if together is None:
            total[0, at] += parts
        else:
            held = np.unique(at)
            whole, apart = parts[: held.size], parts[held.size :].reshape(held.size, 2)
            total[0, held] += whole
            total[1, held] += apart[:, 0]
            total[2, held] += apart[:, 1]
    total[np.abs(total) <= NOISE * size] = 0.0
    difference = 0.0 if not total.any() and abs(estimates[2]) <= NOISE else float(estimates[2])
    variance = float(np.vdot(total, total)) if defined else math.nan
    return PairedDifference(
        estimate_a=float(estimates[0]),
        estimate_b=float(estimates[1]),
        difference=difference,
        variance=variance,
        n=subjects.size,
        subjects=subject_count(codes, subjects.size),
        method=described("DeLong, influences added over findings", codes),
        **vars(wald(difference, variance, confidence)),
    )


def _undefined(subjects: Floats, codes: Integers | None, confidence: float) -> PairedDifference:
    nan = math.nan
    return PairedDifference(
        estimate_a=nan,
        estimate_b=nan,
        difference=nan,
        variance=nan,
        n=subjects.size,
        subjects=subject_count(codes, subjects.size),
        method="DeLong, influences added over findings",
        **vars(wald(nan, nan, confidence)),
    )
