"""The mean AUC over several yes-or-no findings of the same cases, and its paired test.

Findings of one knee are not independent, and one may be unread where another was read. As in the
one-vs-rest AUC of classes (:mod:`kneeoa.statistics.multiclass`), the influences of a case on the
AUCs of all findings are added before they are squared; a single finding is DeLong's test, clustered
by Obuchowski's formula.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import InvalidInput
from kneeoa.statistics.auc_placements import gram_rows, placements, scale
from kneeoa.statistics.influence_functions import PairedDifference, described
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, finite, subject_count
from kneeoa.statistics.wald import NOISE, wald


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
