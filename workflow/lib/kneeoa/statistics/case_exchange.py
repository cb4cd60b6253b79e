"""Each case's part in the difference of a metric between two models, were their results exchanged.

A smooth metric's difference is, to second order, the sum over cases of the influence of the case
under one model minus that under the other, both taken at the two models' pooled results (all cases
twice, once as each model sees them): the pooled results stay as they are when the models are
exchanged for some subjects, so that exchanging them turns the sign of those subjects' sums and
nothing else. For shares, means, balanced accuracy and AUCs the sum is the difference itself. One
call of the metric's own influence function gives it for any metric.

Two models' scores need not have one scale, so they are exchanged as ranks (Bandos, Rockette and Gur
2005, Stat Med 24:2873). Ranks are shares of the cases, in (0, 1), put where the metric reads the
score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kneeoa.probabilities import class_odds, mean_class_rank
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.metric_kernel import Kernel, Run
from kneeoa.statistics.midranks import midranks


def rank_positives(run: Run) -> Run:
    """Return the run with ranks of the probability of class 1."""
    return _two_point(run, run.probabilities[:, 1], 1)


def rank_classes(run: Run) -> Run:
    """Return the run with ranks of each class's own probability."""
    return replace(run, probabilities=np.stack([_shares(column) for column in run.probabilities.T], axis=1))


def rank_severity(run: Run) -> Run:
    """Return the run with ranks of the mean class."""
    return _two_point(run, mean_class_rank(run.probabilities), run.probabilities.shape[1] - 1)


def rank_tail(run: Run) -> Run:
    """Return the run with ranks of the probability of the run's cut or more."""
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


def exchanged(kernel: Kernel, a: Sequence[Run], b: Sequence[Run]) -> Floats:
    """Return what each case adds to the difference a - b of a metric, ``[n]``; NaN where the metric
    is undefined.

    Args:
        kernel: how the metric is computed; scores of which it takes the order alone are replaced by
            their ranks within each run, as two models' scores need not have one scale.
        a: the seeds of the first model, on the same cases.
        b: of the second; their number may differ.
    """
    shares = [] if kernel.share is None else [kernel.share(run) for run in (*a, *b)]
    if shares and all(members is None for _, members in shares):  # each run at a threshold of its own
        values = [each / each.size for each, _ in shares]
        mean: Floats = np.mean(values[: len(a)], axis=0) - np.mean(values[len(a) :], axis=0)
        return mean
    runs = [kernel.ranked(run) if kernel.ranked else run for run in (*a, *b)]
    parts = kernel.influence(pooled(runs)).influence.reshape(len(runs), -1) * len(runs)
    difference: Floats = parts[: len(a)].mean(axis=0) - parts[len(a) :].mean(axis=0)
    return difference


def pooled(runs: Sequence[Run]) -> Run:
    """All runs' cases, one run's after another's, as a single run."""
    fine = [run.fine for run in runs if run.fine is not None]
    return replace(
        runs[0],
        truth=np.concatenate([run.truth for run in runs]),
        probabilities=np.concatenate([run.probabilities for run in runs]),
        calls=np.concatenate([run.calls for run in runs]),
        fine=np.concatenate(fine) if len(fine) == len(runs) else None,
    )
