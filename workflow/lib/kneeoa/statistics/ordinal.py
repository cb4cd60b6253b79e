"""AUCs of an ordinal level: at a cut, of adjacent grades, and over all pairs of grades (C-index),
with paired tests.

An AUC of two grades is the chance that a case of the higher grade scores higher, ties counting
half. The mean of the K - 1 adjacent AUCs and the C-index (Harrell 1982, JAMA 247:2543; without
censoring) are weighted sums of the AUCs of pairs of grades, the grades' sizes taken as fixed: a
K-sample U-statistic. A case's influence is the same weighted sum of its placements, and the
variance is DeLong's in the Gram form (:mod:`kneeoa.statistics.auc_placements`). With two grades
both equal DeLong 1988, with clusters Obuchowski 1997.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.probabilities import class_share
from kneeoa.statistics.auc_placements import gram_rows, placements
from kneeoa.statistics.delong import auc_interval, paired_difference, weighted_contrast
from kneeoa.statistics.influence_functions import Estimate, PairedDifference, described, interval, seeds_first
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, finite, same_length, subject_count
from kneeoa.statistics.wald import wald


def at_least(probabilities: ArrayLike, cut: int) -> Floats:
    """Probability that the grade is ``cut`` or higher, from class probabilities ``[..., n, K]``,
    shape ``[..., n]``. Cases are ranked by :func:`kneeoa.probabilities.class_odds`, which is apart
    where this is 1 in double.

    Raises:
        KneeoaError: ``cut`` is not from 1 to K - 1.
    """
    values = finite(probabilities, "probabilities")
    if not 1 <= cut < values.shape[-1]:
        raise KneeoaError(f"cut: expected 1 to {values.shape[-1] - 1} for {values.shape[-1]} classes, got {cut}.")
    return class_share(values, range(cut, values.shape[-1]))


def c_index(truth: ArrayLike, scores: ArrayLike, cluster: ArrayLike | None = None, confidence: float = 0.95) -> Estimate:
    """Share of pairs of cases of different grades that the score orders rightly, ties half, with
    its logit interval.

    Args:
        truth: grade of each case, ``[n]``, whole numbers from 0.
        scores: ``[n]``, or ``[S, n]`` for the mean over S seeds; higher means a higher grade, never
            flipped.
        cluster: subject of each case, or None.
        confidence: of the interval.

    Raises:
        KneeoaError: shapes that do not fit.
        ValueError: values that are not finite, lengths that differ.
    """
    return _estimate(truth, scores, "c-index", cluster, confidence)


def c_index_test(
    truth: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike, cluster: ArrayLike | None = None, confidence: float = 0.95
) -> PairedDifference:
    """Paired test of two C-indices, a - b; arguments and errors as :func:`c_index`."""
    return _test(truth, scores_a, scores_b, "c-index", cluster, confidence)


def adjacent_auc(truth: ArrayLike, scores: ArrayLike, classes: int, cluster: ArrayLike | None = None, confidence: float = 0.95) -> Estimate:
    """Mean over k of the AUC of grade k + 1 against grade k, of ``classes`` grades; NaN where a
    grade has no case.

    Other arguments and errors as :func:`c_index`.
    """
    return _estimate(truth, scores, "mean adjacent AUC", cluster, confidence, classes)


def adjacent_auc_test(
    truth: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    classes: int,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
) -> PairedDifference:
    """Paired test of two mean adjacent AUCs, a - b; arguments and errors as
    :func:`adjacent_auc`.
    """
    return _test(truth, scores_a, scores_b, "mean adjacent AUC", cluster, confidence, classes)


def cut_auc(truth: ArrayLike, scores: ArrayLike, cut: int, cluster: ArrayLike | None = None, confidence: float = 0.95) -> Estimate:
    """AUC of "grade >= cut", DeLong's with a logit interval; arguments as :func:`c_index`, scores
    e.g. of :func:`at_least`.
    """
    labels, stack = classes_of(truth), seeds_first(scores, "scores", 1)
    interval = auc_interval((labels >= cut).astype(np.int64), stack.T, cluster, confidence=confidence)
    codes = cluster_codes(cluster, labels.size)
    return replace(interval, method=described(f"AUC of grade >= {cut}, DeLong", codes, "logit interval"))


def cut_auc_test(
    truth: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike, cut: int, cluster: ArrayLike | None = None, confidence: float = 0.95
) -> PairedDifference:
    """Paired DeLong test of the AUC of "grade >= cut", a - b; arguments and errors as
    :func:`cut_auc`.
    """
    labels = classes_of(truth)
    stack, weights, seeds = _two(scores_a, scores_b)
    same_length(labels.size, scores=stack.T)
    contrast = weighted_contrast((labels >= cut).astype(np.int64), stack.T, weights, cluster, confidence)
    codes = cluster_codes(cluster, labels.size)
    return replace(paired_difference(contrast, seeds), method=described(f"AUC of grade >= {cut}, DeLong", codes))


def _estimate(
    truth: ArrayLike, scores: ArrayLike, name: str, cluster: ArrayLike | None, confidence: float, classes: int | None = None
) -> Estimate:
    labels, stack = classes_of(truth, classes), seeds_first(scores, "scores", 1)
    same_length(labels.size, scores=stack.T)
    codes = cluster_codes(cluster, labels.size)
    aucs, variance = _contrast(labels, stack, np.full(len(stack), 1.0 / len(stack)), name, codes, classes)[1:]
    value = float(aucs.mean())
    low, high = interval(value, variance, confidence, "logit")
    return Estimate(
        estimate=value,
        standard_error=math.sqrt(variance),
        low=low,
        high=high,
        n=labels.size,
        subjects=subject_count(codes, labels.size),
        degenerate=variance == 0.0,
        method=described(f"{name}, DeLong (Gram)", codes, "logit interval"),
    )


def _test(
    truth: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    name: str,
    cluster: ArrayLike | None,
    confidence: float,
    classes: int | None = None,
) -> PairedDifference:
    labels = classes_of(truth, classes)
    stack, weights, seeds = _two(scores_a, scores_b)
    same_length(labels.size, scores=stack.T)
    codes = cluster_codes(cluster, labels.size)
    difference, aucs, variance = _contrast(labels, stack, weights, name, codes, classes)
    return _paired(aucs, difference, variance, seeds, labels, codes, confidence, f"{name}, DeLong (Gram)")


def _paired(
    aucs: Floats, difference: float, variance: float, seeds: int, labels: Integers, codes: Integers | None, confidence: float, method: str
) -> PairedDifference:
    return PairedDifference(
        estimate_a=float(aucs[:seeds].mean()),
        estimate_b=float(aucs[seeds:].mean()),
        difference=difference,
        variance=variance,
        n=labels.size,
        subjects=subject_count(codes, labels.size),
        method=described(method, codes),
        **vars(wald(difference, variance, confidence)),
    )


def _two(scores_a: ArrayLike, scores_b: ArrayLike) -> tuple[Floats, Floats, int]:
    """Scores of both models' seeds ``[Sa + Sb, n]``, the weights of their difference, and Sa."""
    first, second = seeds_first(scores_a, "scores_a", 1), seeds_first(scores_b, "scores_b", 1)
    same_length(first.shape[1], scores_b=second.T)
    weights = np.concatenate([np.full(len(first), 1.0 / len(first)), np.full(len(second), -1.0 / len(second))])
    return np.concatenate([first, second]), weights, len(first)


def _contrast(
    labels: Integers, scores: Floats, weights: Floats, name: str, codes: Integers | None, classes: int | None
) -> tuple[float, Floats, float]:
    """Weighted sum over models of the statistic, the statistic of every model ``[S]``, and the
    variance of the sum.
    """
    counts = np.bincount(labels, minlength=classes or 0)
    shares = _pair_weights(counts, name)
    values = np.zeros(len(scores))
    if shares is None:
        return math.nan, values * math.nan, math.nan
    estimate, influence, total = 0.0, np.zeros((labels.size, 1)), float(shares.sum())
    for low, high in np.argwhere(shares):
        rows = np.flatnonzero((labels == low) | (labels == high))
        placed = placements(labels[rows] == high, np.ascontiguousarray(scores[:, rows].T))
        part, part_influence = placed.combine(weights[:, None])
        weight = shares[low, high]
        estimate += float(weight * part[0]) / total
        influence[rows] += weight / total * part_influence
        won = placed.positive.astype(np.int64) @ placed.twice  # whole numbers as long as can be: a perfect order gives 1
        values += won * weight / (2.0 * placed.positives * placed.negatives)
    values /= total
    factors = _factors(labels, codes)
    if factors is None:
        return estimate, values, math.nan
    rows_of_sum = gram_rows(influence * factors[labels][:, None], labels, codes)
    return estimate, values, float(np.vdot(rows_of_sum, rows_of_sum))


def _pair_weights(counts: Integers, name: str) -> Floats | None:
    """Weight of the AUC of each pair (lower, higher) of grades, ``[K, K]``; None where the
    statistic is undefined.
    """
    classes = counts.size
    pairs = np.triu(np.outer(counts, counts), 1).astype(np.float64)
    if name == "c-index":
        return pairs if pairs.any() else None
    if classes < 2 or not counts.all():
        return None
    return np.eye(classes, k=1)


def _factors(labels: Integers, codes: Integers | None) -> Floats | None:
    """Roots of I/(I - 1), I the subjects that hold a grade, ``[K]``; None where a grade has a
    single subject.
    """
    held = np.bincount(labels) if codes is None else np.bincount(np.unique(np.stack([codes, labels]), axis=1)[1])
    if (held == 1).any():
        return None
    roots: Floats = np.sqrt(np.divide(held, held - 1.0, out=np.ones(held.size), where=held > 1))
    return roots
