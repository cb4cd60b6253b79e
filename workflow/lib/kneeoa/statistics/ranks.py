"""A run whose scores are replaced by their ranks, for metrics that take only the order of scores.

Two models' scores need not have one scale, so they are exchanged as ranks (Bandos, Rockette and Gur
2005, Stat Med 24:2873). Ranks are shares of the cases, in (0, 1), put where the metric reads the
score.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kneeoa.probabilities import class_odds, mean_class_rank
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.midranks import midranks


def of_positives(run: Run) -> Run:
    """Of the probability of class 1."""
    return _two_point(run, run.probabilities[:, 1], 1)


def of_classes(run: Run) -> Run:
    """Of each class's own probability."""
    return replace(run, probabilities=np.stack([_shares(column) for column in run.probabilities.T], axis=1))


def of_severity(run: Run) -> Run:
    """Of the mean class."""
    return _two_point(run, mean_class_rank(run.probabilities), run.probabilities.shape[1] - 1)


def of_tail(run: Run) -> Run:
    """Of the probability of the run's cut or more."""
    return _two_point(run, class_odds(run.probabilities, range(run.cut, run.probabilities.shape[1])), run.cut)


def _two_point(run: Run, scores: Floats, column: int) -> Run:
    """Probabilities of class 0 and of ``column`` alone, ordered as ``scores``."""
    probabilities = np.zeros_like(run.probabilities)
    probabilities[:, column] = _shares(scores)
    probabilities[:, 0] = 1.0 - probabilities[:, column]
    return replace(run, probabilities=probabilities)


def _shares(scores: Floats) -> Floats:
    shares: Floats = (midranks(scores) - 0.5) / len(scores)
    return shares
