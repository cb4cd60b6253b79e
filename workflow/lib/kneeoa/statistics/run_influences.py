"""The metrics of one run, each with the influence of every case on it: what the table of kernels
(:mod:`kneeoa.statistics.kernels`) names for each metric.

The Brier score is the mean squared error of a probability (Brier 1950, Mon Weather Rev 78:1), a
mean over cases. Scaled, it is 1 - score / (share * (1 - share)): 1 for certainty that is right, 0
for the share of positives given to everyone (Steyerberg et al. 2010, Epidemiology 21:128).

Two heads of a network contradict each other by two measures per case. *Call*: the coarse head's
class is not the parent of the fine head's class (0 or 1). *Mass*: the probability that would have
to move for the two heads to agree, the total variation distance between the coarse probabilities
and the fine ones summed by parent (0 to 1); it sees disagreement that no arg max shows.

Average precision is the mean over positive cases of the share of positives among the cases that
score at least as high, which is scikit-learn's ``average_precision_score``, ties included.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_probabilities
from kneeoa.probabilities import class_odds, mean_class_rank
from kneeoa.statistics.auc_placements import placements
from kneeoa.statistics.calibration import sampled_in_the_large, sampled_slope
from kneeoa.statistics.confusion import ClassMetric, sampled_metric
from kneeoa.statistics.influence_functions import Sampled, of_mean, seeds_first, undefined
from kneeoa.statistics.inputs import Booleans, Floats, Integers
from kneeoa.statistics.mean_auc import Average
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.metrics import predicted_class
from kneeoa.statistics.ordinal import at_least
from kneeoa.statistics.reliability import Bins, sampled_error


def sampled_brier(labels: Integers, probability: Floats, scaled: bool = False) -> Sampled:
    """The score of one model and the influence of every case on it; labels 0/1 and probabilities
    ``[n]``.
    """
    score = of_mean((probability - labels) ** 2)
    if not scaled:
        return score
    share = of_mean(labels.astype(np.float64))
    reference = share.value * (1 - share.value)
    if reference == 0.0:
        return undefined(labels.size, "one class is absent")
    influence = -score.influence / reference + score.value * (1 - 2 * share.value) / reference**2 * share.influence
    return Sampled(1 - score.value / reference, influence)


def sampled_precision(positive: Booleans, scores: Floats) -> Sampled:
    """Average precision and the influence of every case on it; NaN where a class is absent.

    The influence is the derivative by the weight of a case: as a positive it is one of those that
    are averaged, and every case is among those that score at least as high as a positive below it.

    Args:
        positive: ``[n]``.
        scores: ``[n]``, higher means positive.
    """
    if positive.all() or not positive.any():
        return undefined(positive.size, "one class is absent")
    ranks = np.unique(-scores, return_inverse=True)[1]  # runs of equal scores, the highest first
    total = np.bincount(ranks).astype(np.float64)
    hits = np.bincount(ranks, weights=positive)
    called, right = total.cumsum(), hits.cumsum()
    precision = right / called
    value = float(hits @ precision) / float(hits.sum())
    # Sums over the positives that score at most as high: the last runs.
    gain = np.cumsum((hits / called)[::-1])[::-1]
    cost = np.cumsum((hits * precision / called)[::-1])[::-1]
    influence = np.where(positive, precision[ranks] - value + gain[ranks], 0.0) - cost[ranks]
    return Sampled(value, influence / float(hits.sum()))


def contradictions(coarse: ArrayLike, fine: ArrayLike, parent_class: Sequence[int], threshold: float = 0.5) -> tuple[Floats, Floats]:
    """Contradiction by call and by mass of each case, ``[n]`` each, averaged over seeds."""
    upper, lower = seeds_first(coarse, "coarse", 2), seeds_first(fine, "fine", 2)
    if upper.shape[:2] != lower.shape[:2]:
        raise KneeoaError(f"coarse, fine: expected the same seeds and cases, got {upper.shape[:2]} and {lower.shape[:2]}.")
    parents = np.asarray(parent_class, dtype=np.int64)
    derived = np.stack([derive_probabilities(seed, parent_class, upper.shape[2]) for seed in lower])
    calls = np.stack([predicted_class(a, threshold) != parents[predicted_class(b)] for a, b in zip(upper, lower, strict=True)])
    masses = np.minimum(0.5 * np.abs(upper - derived).sum(axis=2), 1.0)
    return calls.mean(axis=0), masses.mean(axis=0)


def sampled_auc(positive: Booleans, scores: Floats) -> Sampled:
    """An AUC and the influences on it; NaN where a class is absent."""
    if positive.all() or not positive.any():
        return undefined(positive.size, "one class is absent")
    value, influence = placements(positive, scores[:, None]).combine(np.ones((1, 1)))
    return Sampled(float(value[0]), influence[:, 0])


def of_calls(name: ClassMetric, run: Run) -> Sampled:
    """A metric of predicted classes."""
    return sampled_metric(name, run.truth, run.calls, run.probabilities.shape[1])


def auc(run: Run) -> Sampled:
    """The AUC of the positive class's odds."""
    return sampled_auc(run.truth == 1, class_odds(run.probabilities, [1]))


def brier(run: Run, scaled: bool) -> Sampled:
    """The Brier score, or the scaled one."""
    return sampled_brier(run.truth, run.probabilities[:, 1], scaled)


def calibration_slope(run: Run) -> Sampled:
    """The calibration slope of the positive class's probability."""
    return sampled_slope(run.truth, run.probabilities[:, 1])


def calibration_in_the_large(run: Run) -> Sampled:
    """Calibration in the large of the positive class's probability."""
    return sampled_in_the_large(run.truth, run.probabilities[:, 1])


def right_where_true(run: Run, truth: int) -> tuple[Floats, Booleans | None]:
    """Whether each case is called rightly, and which cases are of the class ``truth``."""
    right: Floats = (run.calls == run.truth).astype(np.float64)
    return right, run.truth == truth


def right_where_called(run: Run, call: int) -> tuple[Floats, Booleans | None]:
    """Whether each case is called rightly, and which cases are called ``call``."""
    right: Floats = (run.calls == run.truth).astype(np.float64)
    return right, run.calls == call


def share_of_cases(run: Run, part: Callable[[Run], tuple[Floats, Booleans | None]], absent: str) -> Sampled:
    """The mean of what ``part`` gives over the cases that count; ``absent``: what to say where none
    does.
    """
    values, members = part(run)
    counted = np.ones(values.size, dtype=np.bool_) if members is None else members
    if not counted.any():
        return undefined(values.size, f"undefined: {absent}")
    value = float(values[counted].mean())
    return Sampled(value, np.where(counted, values - value, 0.0) / counted.sum())


def positives(run: Run) -> tuple[Floats, Booleans | None]:
    """Whether each case is positive, of all cases."""
    return (run.truth == 1).astype(np.float64), None


def average_precision(run: Run) -> Sampled:
    """The average precision of the positive class's odds."""
    return sampled_precision(run.truth == 1, class_odds(run.probabilities, [1]))


def calibration_error(run: Run, kind: Bins) -> Sampled:
    """The expected calibration error over ``kind`` of bins."""
    return sampled_error(run.truth, run.probabilities[:, 1], kind)


def contradicting_cases(run: Run, place: int) -> tuple[Floats, Booleans | None]:
    """Return how far the two heads contradict each other in each case, by call (place 0) or by
    probability mass (1); to be asked only where there is a finer head.
    """
    assert run.fine is not None
    return contradictions(run.probabilities, run.fine, run.parent_class, run.threshold)[place], None


def contradiction(run: Run, place: int) -> Sampled:
    """The share of cases in which the two heads contradict each other, by call (place 0) or by
    probability mass (1).
    """
    if run.fine is None:
        return undefined(run.truth.size, "no head of its own for this level or for the next finer one")
    return of_mean(contradicting_cases(run, place)[0])


def one_vs_rest_auc(run: Run, average: Average) -> Sampled:
    """The mean over classes of the AUC of a class against the rest."""
    classes = run.probabilities.shape[1]
    shares = np.full(classes, 1 / classes) if average == "macro" else np.bincount(run.truth, minlength=classes) / run.truth.size
    return _weighted_sum([(share, sampled_auc(run.truth == k, run.probabilities[:, k])) for k, share in enumerate(shares)])


def ordered_pairs(run: Run, neighbours: bool) -> Sampled:
    """Mean over pairs of grades of the AUC of the higher against the lower: all pairs of cases
    alike, or neighbours alone.
    """
    truth, severity, classes = run.truth, mean_class_rank(run.probabilities), run.probabilities.shape[1]
    counts = np.bincount(truth, minlength=classes)
    parts, total = [], 0.0
    for low, high in itertools.combinations(range(classes), 2):
        weight = float(high == low + 1) if neighbours else float(counts[low] * counts[high])
        if weight == 0.0:
            continue
        rows = np.flatnonzero((truth == low) | (truth == high))
        part = sampled_auc(truth[rows] == high, severity[rows])
        influence = np.zeros(truth.size)
        influence[rows] = part.influence
        parts.append((weight, Sampled(part.value, influence)))
        total += weight
    if not parts:
        return undefined(truth.size, "no two grades to compare")
    return _weighted_sum([(weight / total, part) for weight, part in parts])


def _weighted_sum(parts: list[tuple[float, Sampled]]) -> Sampled:
    value = sum(weight * part.value for weight, part in parts)
    influence: Floats = np.sum([weight * part.influence for weight, part in parts], axis=0)
    return Sampled(float(value), influence, next((part.note for _, part in parts if part.note), ""))


def tail_odds(probabilities: Floats, cut: int) -> Floats:
    """The odds of the cut's grade or more, ``[..., n]``."""
    return class_odds(probabilities, range(cut, probabilities.shape[-1]))


def cut_auc(run: Run) -> Sampled:
    """The AUC of the cut's grade or more."""
    return sampled_auc(run.truth >= run.cut, tail_odds(run.probabilities, run.cut))


def cut_slope(run: Run) -> Sampled:
    """The calibration slope of the probability of the cut's grade or more."""
    return sampled_slope((run.truth >= run.cut).astype(np.int64), at_least(run.probabilities, run.cut))
