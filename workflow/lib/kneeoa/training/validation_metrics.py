"""AUC or accuracy of an epoch's probabilities, for learning curves only; results come from the
statistics stage.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level

MISSING = -1


def auc(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: the probability that a positive outscores a negative, ties counting
    half (Mann and Whitney, 1947).

    None where there is no positive or no negative.
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if positives == 0 or negatives == 0:
        return None
    below = np.sort(scores[~positive])
    wins = np.searchsorted(below, scores[positive], side="left") + np.searchsorted(below, scores[positive], side="right")
    return float(wins.sum()) / (2.0 * positives * negatives)


def validation_metric(level: Level, probabilities: NDArray[np.floating], labels: NDArray[np.int64]) -> tuple[str, float] | None:
    """Compute the learning curve's measure of one level: ``auc`` where it is binary, else
    ``accuracy``.

    Args:
        level: whose labels they are.
        probabilities: ``[cases, classes]``; for a multilabel level ``[cases, findings]``, each
            called present at 0.5.
        labels: ``[cases]`` or ``[cases, findings]``, -1 where missing; those do not count.

    Returns:
        The measure's name and value, or None where it is undefined.
    """
    labelled = labels != MISSING
    if not labelled.any():
        return None
    if level.binary:
        area = auc(probabilities[labelled, 1], labels[labelled] == 1)
        return None if area is None else ("auc", area)
    predicted = probabilities.argmax(axis=1) if level.exclusive else probabilities >= 0.5
    return "accuracy", float((predicted[labelled] == labels[labelled]).mean())
