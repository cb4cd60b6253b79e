"""Placement values of the AUC from one sort, and the Gram form of the variance of any contrast of AUCs.

DeLong, DeLong and Clarke-Pearson 1988 (Biometrics 44:837); clusters by Obuchowski 1997 (Biometrics 53:567).

For a positive case the placement v is the share of negatives that it beats (ties count half); for a negative, the share
of positives that beat it. With m positives and n negatives, a case's influence on the AUC is (v - auc)/m or (v - auc)/n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kneeoa.statistics.inputs import Booleans, Floats, Integers
from kneeoa.statistics.wald import NOISE


@dataclass(frozen=True)
class Placements:
    """Placements of k models on the same cases, as whole numbers: ``twice[i, j]`` is 2 x the count behind v of case i."""

    positive: Booleans  # [n]
    twice: Integers  # [n, k]
    positives: int
    negatives: int

    @property
    def auc(self) -> Floats:
        """AUC of each model, shape ``[k]``; NaN where a class is absent. A whole number over 2mn, so exact to one rounding."""
        if not self.positives or not self.negatives:
            return np.full(self.twice.shape[1], np.nan)
        return (self.positive.astype(np.int64) @ self.twice) / (2.0 * self.positives * self.negatives)

    def combine(self, weights: Floats) -> tuple[Floats, Floats]:
        """Contrasts of the AUCs and the influence of every case on them.

        The placements are combined before anything is squared, so that two nearly equal models lose no digits.

        Args:
            weights: ``[k, c]``, one column a contrast.

        Returns:
            estimates ``auc @ weights`` ``[c]`` and influences ``[n, c]``: exact zeros where a value is rounding noise.
        """
        pairs = 2.0 * self.positives * self.negatives
        estimate = (self.positive.astype(np.int64) @ self.twice) @ weights / pairs
        others = np.where(self.positive, self.negatives, self.positives)[:, None]
        own = np.where(self.positive, self.positives, self.negatives)[:, None]
        influence = self.twice @ weights
        influence /= 2.0 * others
        influence -= estimate
        influence[np.abs(influence) <= NOISE] = 0.0
        influence /= own
        nothing = (np.abs(estimate) <= NOISE) & ~influence.any(axis=0)
        return np.where(nothing, 0.0, estimate), influence


def placements(positive: Booleans, scores: Floats) -> Placements:
    """Placements of each column of ``scores`` (``[n, k]``) from one argsort a column, in O(n log n)."""
    count = positive.size
    positives = int(positive.sum())
    twice = np.empty(scores.shape, dtype=np.int64)
    for column in range(scores.shape[1]):
        order = np.argsort(scores[:, column])  # the default kind is vectorised; ties need no stable order
        ranked = scores[order, column]
        flags = positive[order]
        starts = np.concatenate(([0], np.flatnonzero(ranked[1:] != ranked[:-1]) + 1)) if count else np.zeros(0, dtype=np.int64)
        ends = np.append(starts[1:], count)
        cumulative = np.concatenate(([0], np.cumsum(flags)))
        positive_ranks = cumulative[starts] + cumulative[ends]  # positives below + positives below or tied, one a run of ties
        negative_ranks = starts + ends - positive_ranks
        if starts.size < count:
            lengths = ends - starts
            positive_ranks, negative_ranks = np.repeat(positive_ranks, lengths), np.repeat(negative_ranks, lengths)
        twice[order, column] = np.where(flags, negative_ranks, 2 * positives - positive_ranks)
    return Placements(positive, twice, positives, count - positives)


def scale(influence: Floats, positive: Booleans, codes: Integers | None) -> Floats | None:
    """Influences ``[n, c]`` times the square root of the small-sample factor I/(I - 1), I the clusters that hold the case's class.

    Returns None where fewer than two clusters hold positives, or negatives: the variance is undefined.
    """
    factors: list[float] = []
    for members in (positive, ~positive):
        clusters = int(members.sum()) if codes is None else int(np.unique(codes[members]).size)
        if clusters < 2:
            return None
        factors.append(math.sqrt(clusters / (clusters - 1)))
    scaled: Floats = influence * np.where(positive[:, None], factors[0], factors[1])
    return scaled


def gram_rows(scaled: Floats, classes: Integers, codes: Integers | None) -> Floats:
    """Rows whose sums of squares and products are the variances and covariances: ``covariance = rows.T @ rows``.

    Without clusters the rows are the scaled influences. With clusters, influences are summed within each cluster. A product
    of two classes' sums in one cluster carries Obuchowski's factor I/(I - 1) instead of the root of the two classes' own
    factors F: each class enters the cluster's sum with a = sqrt(I/(I - 1)/F), and the rest, sqrt(1 - a^2), as a row of its
    own per cluster and class. The covariance is positive semi-definite by construction, equals Obuchowski 1997 for two
    classes and the unclustered form for singletons.

    Args:
        scaled: ``[n, k]``, from :func:`scale` (summed over levels of a one-vs-rest problem, if any).
        classes: class of each case, ``[n]``.
        codes: cluster of each case, ``[n]``, or None.
    """
    if codes is None:
        return scaled
    clusters = int(codes.max()) + 1
    width = int(classes.max()) + 1
    cells = codes * width + classes
    held = np.bincount(np.unique(cells) % width, minlength=width)  # clusters that hold each class
    share = np.divide(clusters / (clusters - 1) * (held - 1), held, out=np.zeros(width), where=held > 0)
    together = _sums(scaled * np.sqrt(share)[classes][:, None], codes, clusters)
    apart = _sums(scaled * np.sqrt(np.clip(1 - share, 0, None))[classes][:, None], cells, clusters * width)
    return np.concatenate([together, apart])


def _sums(values: Floats, groups: Integers, count: int) -> Floats:
    return np.stack([np.bincount(groups, weights=column, minlength=count) for column in values.T], axis=1)
