"""Placement values of the AUC from one sort, and the Gram form of the variance of any contrast of
AUCs.

DeLong, DeLong and Clarke-Pearson 1988 (Biometrics 44:837); clusters by Obuchowski 1997 (Biometrics
53:567).

For a positive case the placement v is the share of negatives that it beats (ties count half); for a
negative, the share of positives that beat it. With m positives and n negatives, a case's influence
on the AUC is (v - auc)/m or (v - auc)/n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from kneeoa.statistics.influence_functions import sums_within, without_rounding
from kneeoa.statistics.inputs import Booleans, Floats, Integers
from kneeoa.statistics.wald import NOISE


@dataclass(frozen=True)
class Placements:
    """Placements of k models on the same cases, as whole numbers: ``twice[i, j]`` is 2 x the count
    behind v of case i.
    """

    positive: Booleans  # [n]
    twice: Integers  # [n, k]
    positives: int
    negatives: int

    @property
    def auc(self) -> Floats:
        """AUC of each model, shape ``[k]``; NaN where a class is absent. A whole number over 2mn,
        so exact to one rounding.
        """
        if not self.positives or not self.negatives:
            return np.full(self.twice.shape[1], np.nan)
        return self._wins() / (2.0 * self.positives * self.negatives)

    def combine(self, weights: Floats) -> tuple[Floats, Floats]:
        """Contrasts of the AUCs and the influence of every case on them.

        The placements are combined before anything is squared, so that two nearly equal models lose
        no digits.

        Args:
            weights: ``[k, c]``, one column a contrast.

        Returns:
            estimates ``auc @ weights`` ``[c]`` and influences ``[n, c]``: exact zeros where a value
            is rounding noise.
        """
        estimate = self._wins() @ weights / (2.0 * self.positives * self.negatives)
        is_positive = self.positive.view(np.int8)
        influence = np.zeros((weights.shape[1], self.positive.size)).T  # columns in one piece, as the placements are
        for column, factors in zip(influence.T, weights.T, strict=True):
            for twice, factor in zip(self.twice.T, factors, strict=True):
                column += twice * factor
            column /= np.array([2.0 * self.positives, 2.0 * self.negatives]).take(is_positive)
        influence -= estimate
        influence[np.abs(influence) <= NOISE] = 0.0
        influence /= np.array([float(self.negatives), float(self.positives)]).take(is_positive)[:, None]
        nothing = (np.abs(estimate) <= NOISE) & ~influence.any(axis=0)
        return np.where(nothing, 0.0, estimate), influence

    def _wins(self) -> Integers:
        """Twice the number of pairs that each model ranks rightly, ``[k]``."""
        return self.positive.astype(np.int64) @ self.twice


def placements(positive: Booleans, scores: Floats) -> Placements:
    """Placements of each column of ``scores`` (``[n, k]``, quickest column by column in memory)
    from one argsort a column.

    O(k n log n). Ties form runs of the sorted scores; a run's counts are whole numbers taken at its
    last case.
    """
    count, positives = positive.size, int(positive.sum())
    twice = np.zeros((scores.shape[1], count), dtype=np.int64).T
    for column in range(scores.shape[1] if count else 0):
        order = np.argsort(scores[:, column])  # the default kind is vectorised; ties need no stable order
        ranked = scores[order, column]
        steps = ranked[1:] != ranked[:-1]
        del ranked
        last = np.append(np.flatnonzero(steps), count - 1)  # where each run ends
        positive_here = positive[order]
        through = np.cumsum(positive_here)[last]  # positives up to the run's end
        values = 2 * positives - _with_previous(through)  # a negative's: 2 x positives above + positives tied
        last += 1
        of_positives = _with_previous(last - through)  # 2 x negatives below + negatives tied
        if last.size < count:
            run = np.concatenate(([0], np.cumsum(steps)))
            values, of_positives = values[run], of_positives[run]
        np.copyto(values, of_positives, where=positive_here)
        twice[order, column] = values
    return Placements(positive, twice, positives, count - positives)


def _with_previous(counts: Integers) -> Integers:
    """Each cumulative count plus the one before it (zero before the first)."""
    total = counts.copy()
    total[1:] += counts[:-1]
    return total


def scale(influence: Floats, positive: Booleans, codes: Integers | None) -> Floats | None:
    """Influences ``[n, c]`` times the square root of the small-sample factor I/(I - 1), I the
    clusters that hold the case's class.

    Returns None where fewer than two clusters hold positives, or negatives: the variance is
    undefined.
    """
    factors: list[float] = []
    for members in (positive, ~positive):
        clusters = int(members.sum()) if codes is None else int(np.count_nonzero(np.bincount(codes[members])))
        if clusters < 2:
            return None
        factors.append(math.sqrt(clusters / (clusters - 1)))
    scaled: Floats = influence * np.array(factors[::-1]).take(positive.view(np.int8))[:, None]
    return scaled


def gram_rows(scaled: Floats, classes: Integers, codes: Integers | None) -> Floats:
    """Rows whose sums of squares and products are the variances and covariances: ``covariance =
    rows.T @ rows``.

    Without clusters the rows are the scaled influences. With clusters, influences are summed within
    each cluster. A product of two classes' sums in one cluster carries Obuchowski's factor I/(I -
    1) instead of the root of the two classes' own factors F: each class enters the cluster's sum
    with a = sqrt(I/(I - 1)/F), and the rest, sqrt(1 - a^2), as a row of its own per cluster and
    class. The covariance is positive semi-definite by construction, equals Obuchowski 1997 for two
    classes and the unclustered form for singletons.

    Args:
        scaled: ``[n, k]``, from :func:`scale` (summed over levels of a one-vs-rest problem, if
            any).
        classes: class of each case, ``[n]``.
        codes: cluster of each case, ``[n]``, or None.
    """
    scaled = without_rounding(scaled)
    if codes is None:
        return scaled
    clusters = int(codes.max()) + 1
    width = int(classes.max()) + 1
    cells = codes * width + classes
    filled = np.bincount(cells, minlength=clusters * width).reshape(clusters, width) > 0
    held = filled.sum(axis=0)  # clusters that hold each class
    # Whole numbers until the division: a class that every cluster holds has exactly 1, and nothing
    # is left for its own rows.
    share = np.divide(clusters * (held - 1), (clusters - 1) * held, out=np.zeros(width), where=held > 0)
    together = sums_within(scaled * np.sqrt(share)[classes][:, None], codes, clusters)
    apart = sums_within(scaled * np.sqrt(np.clip(1 - share, 0, None))[classes][:, None], cells, clusters * width)
    return np.concatenate([together, apart])
