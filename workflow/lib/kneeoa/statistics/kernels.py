"""How each metric of :data:`kneeoa.config.metrics.TABLE` is computed: its value in one run with the
influence of each case on it, its value in weighted resamples, and what has an interval or a test of
its own.

A metric's variance over subjects, its covariance with the same metric of another run and the
variance of any difference follow from the influences alone (:mod:`kneeoa.statistics.sampling`), so
differences, random seeds, margins and subgroups need nothing else.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kneeoa.config.metrics import base, cut_of
from kneeoa.errors import KneeoaError
from kneeoa.probabilities import class_odds, mean_class_rank
from kneeoa.statistics import metrics, ordinal, ranks
from kneeoa.statistics.brier import sampled_brier
from kneeoa.statistics.calibration import sampled_in_the_large, sampled_slope
from kneeoa.statistics.confusion import ClassMetric, sampled_metric
from kneeoa.statistics.consistency import per_case
from kneeoa.statistics.delong import auc_covariance, auc_interval, paired_difference, weighted_contrast
from kneeoa.statistics.influence import placements
from kneeoa.statistics.inputs import Booleans, Floats, Integers
from kneeoa.statistics.multiclass import Average, ovr_auc_test
from kneeoa.statistics.ordinal import at_least
from kneeoa.statistics.precision import sampled_precision
from kneeoa.statistics.reliability import Bins, sampled_error
from kneeoa.statistics.sampling import Estimate, PairedDifference, Sampled, of_mean, undefined


@dataclass(frozen=True)
class Run:
    """What one run predicts of the n cases of a level."""

    truth: Integers
    """Class of each case, ``[n]``."""
    probabilities: Floats
    """``[n, K]``."""
    calls: Integers
    """Predicted class of each case, ``[n]``; of a binary level at ``threshold``."""
    cut: int = 0
    """Of a metric with a value for each cut: which."""
    threshold: float = 0.5
    fine: Floats | None = None
    """Probabilities of the run's own head of the next finer level, ``[n, K']``."""
    parent_class: tuple[int, ...] = ()
    """``[K']``."""


@dataclass(frozen=True, kw_only=True)
class DeLong:
    """DeLong's methods of an AUC; ``truth`` ``[n]``, ``probabilities`` of S seeds ``[S, n, K]``,
    ``subjects`` ``[n]``.
    """

    test: Callable[[Integers, Floats, Floats, Subjects, float, int], PairedDifference]
    """(truth, probabilities of a, of b, subjects, confidence, cut): the paired test, seeds
    averaged.
    """
    interval: Callable[[Integers, Floats, Subjects, float, int], Estimate] | None = None
    """(truth, probabilities, subjects, confidence, cut): of the mean over seeds; None: as any other
    metric.
    """
    covariance: Callable[[Integers, Floats, Subjects, int], tuple[Floats, Floats]] | None = None
    """(truth, probabilities, subjects, cut): the value of every seed ``[S]`` and their covariance
    ``[S, S]``; None: from the influences.
    """


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """How a metric is computed. ``of_tables`` or ``weighted`` make the bootstrap applicable, and
    ``delong`` DeLong's test.
    """

    influence: Callable[[Run], Sampled]
    """Its value and the influence of every case on it: all that is required."""
    of_tables: Callable[[Floats], Floats] | None = None
    """A metric of predicted classes: weighted confusion matrices ``[R, K, K]`` -> ``[R]``."""
    weighted: metrics.Metric | None = None
    """A metric of probabilities: (truth, probabilities ``[n, K]``, weights ``[R, n]``) ->
    ``[R]``.
    """
    share: Callable[[Run], tuple[Floats, Booleans | None]] | None = None
    """A share of cases: 0 or 1 for each case, and which cases count (None: all). Its interval is
    then Wilson's.
    """
    delong: DeLong | None = None
    scale: Literal["wald", "logit", "none"] = "wald"
    """Of its interval by the influences, where it has none of its own; none: they give no interval
    that holds.
    """
    ranked: Callable[[Run], Run] | None = None
    """Of a metric that takes only the order of scores: the run with ranks in their place
    (:mod:`kneeoa.statistics.ranks`).
    """


def kernel_of(name: str) -> Kernel:
    """The kernel of a row's name (e.g. cut_auc_2).

    Raises:
        KneeoaError: there is none.
    """
    if base(name) not in KERNELS:
        raise KneeoaError(f"Metric '{base(name)}' is not computed anywhere: 'KERNELS' of {__name__} lacks it.")
    return KERNELS[base(name)]


def cut_in(name: str) -> int:
    """The cut in a row's name; 0 where it has none."""
    return 0 if base(name) == name else cut_of(name)


def metric(name: str, threshold: float = 0.5) -> metrics.Metric:
    """The metric called ``name`` (configuration's word) on probabilities ``[n, K]``, with weights
    of the cases.

    Raises:
        ValueError: no such metric.
    """
    kernel = KERNELS.get(name)
    if kernel is None or (kernel.weighted is None and kernel.of_tables is None):
        usable = sorted(name for name, one in KERNELS.items() if one.weighted is not None or one.of_tables is not None)
        raise ValueError(f"metric: expected one of {usable}, got '{name}'")
    rule = kernel.of_tables
    if rule is None:
        assert kernel.weighted is not None
        return kernel.weighted

    def evaluate(truth: Integers, prediction: Floats, weights: Floats, /) -> Floats:
        classes = prediction.shape[1]
        return rule(metrics.confusions(truth, metrics.called(prediction, threshold), classes, weights))

    return evaluate


def sampled_auc(positive: Booleans, scores: Floats) -> Sampled:
    """An AUC and the influences on it; NaN where a class is absent."""
    if positive.all() or not positive.any():
        return undefined(positive.size, "one class is absent")
    value, influence = placements(positive, scores[:, None]).combine(np.ones((1, 1)))
    return Sampled(float(value[0]), influence[:, 0])


Subjects = np.ndarray[tuple[int, ...], np.dtype[np.str_]] | None


def _of_calls(name: ClassMetric, run: Run) -> Sampled:
    return sampled_metric(name, run.truth, run.calls, run.probabilities.shape[1])


def _auc(run: Run) -> Sampled:
    return sampled_auc(run.truth == 1, class_odds(run.probabilities, [1]))


def _brier(run: Run, scaled: bool) -> Sampled:
    return sampled_brier(run.truth, run.probabilities[:, 1], scaled)


def _slope(run: Run) -> Sampled:
    return sampled_slope(run.truth, run.probabilities[:, 1])


def _in_the_large(run: Run) -> Sampled:
    return sampled_in_the_large(run.truth, run.probabilities[:, 1])


def _right_of(run: Run, truth: int) -> tuple[Floats, Booleans | None]:
    right: Floats = (run.calls == run.truth).astype(np.float64)
    return right, run.truth == truth


def _right_among(run: Run, call: int) -> tuple[Floats, Booleans | None]:
    right: Floats = (run.calls == run.truth).astype(np.float64)
    return right, run.calls == call


def _share_of(run: Run, part: Callable[[Run], tuple[Floats, Booleans | None]], absent: str) -> Sampled:
    """The mean of what ``part`` gives over the cases that count, with the influences on it;
    ``absent``: what to say where none does.
    """
    values, members = part(run)
    counted = np.ones(values.size, dtype=np.bool_) if members is None else members
    if not counted.any():
        return undefined(values.size, f"undefined: {absent}")
    value = float(values[counted].mean())
    return Sampled(value, np.where(counted, values - value, 0.0) / counted.sum())


def _positives(run: Run) -> tuple[Floats, Booleans | None]:
    return (run.truth == 1).astype(np.float64), None


def _precision(run: Run) -> Sampled:
    return sampled_precision(run.truth == 1, class_odds(run.probabilities, [1]))


def _calibration_error(run: Run, kind: Bins) -> Sampled:
    return sampled_error(run.truth, run.probabilities[:, 1], kind)


def _contradictions(run: Run, place: int) -> tuple[Floats, Booleans | None]:
    """By call (place 0) or by probability mass (1), per case; the caller asks only where there is a
    finer head.
    """
    assert run.fine is not None
    return per_case(run.probabilities, run.fine, run.parent_class, run.threshold)[place], None


def _contradiction(run: Run, place: int) -> Sampled:
    if run.fine is None:
        return undefined(run.truth.size, "no head of its own for this level or for the next finer one")
    return of_mean(_contradictions(run, place)[0])


def _rest_auc(run: Run, average: Average) -> Sampled:
    """The mean over classes of the AUC of a class against the rest."""
    classes = run.probabilities.shape[1]
    shares = np.full(classes, 1 / classes) if average == "macro" else np.bincount(run.truth, minlength=classes) / run.truth.size
    return _sum([(share, sampled_auc(run.truth == k, run.probabilities[:, k])) for k, share in enumerate(shares)])


def _ordering(run: Run, neighbours: bool) -> Sampled:
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
    return _sum([(weight / total, part) for weight, part in parts])


def _sum(parts: list[tuple[float, Sampled]]) -> Sampled:
    value = sum(weight * part.value for weight, part in parts)
    influence: Floats = np.sum([weight * part.influence for weight, part in parts], axis=0)
    return Sampled(float(value), influence, next((part.note for _, part in parts if part.note), ""))


def _tail_odds(probabilities: Floats, cut: int) -> Floats:
    """The odds of the cut's grade or more, ``[..., n]``."""
    return class_odds(probabilities, range(cut, probabilities.shape[-1]))


def _cut_auc(run: Run) -> Sampled:
    return sampled_auc(run.truth >= run.cut, _tail_odds(run.probabilities, run.cut))


def _cut_slope(run: Run) -> Sampled:
    return sampled_slope((run.truth >= run.cut).astype(np.int64), at_least(run.probabilities, run.cut))


def _auc_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return auc_interval(truth, class_odds(probabilities, [1]).T, subjects, confidence=confidence)


def _auc_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    first, second = class_odds(a, [1]), class_odds(b, [1])
    weights = np.concatenate([np.full(len(first), 1.0 / len(first)), np.full(len(second), -1.0 / len(second))])
    result = weighted_contrast(truth, np.concatenate([first, second]).T, weights, subjects, confidence)
    return paired_difference(result, len(first))


def _auc_covariance(truth: Integers, probabilities: Floats, subjects: Subjects, cut: int) -> tuple[Floats, Floats]:
    both = auc_covariance(truth, class_odds(probabilities, [1]).T, subjects)
    return both.auc, both.covariance


def _rest_auc_test(
    truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int, average: Average
) -> PairedDifference:
    return ovr_auc_test(truth, a, b, average, subjects, confidence)


def _c_index_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return ordinal.c_index(truth, mean_class_rank(probabilities), subjects, confidence)


def _c_index_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    return ordinal.c_index_test(truth, mean_class_rank(a), mean_class_rank(b), subjects, confidence)


def _adjacent_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return ordinal.adjacent_auc(truth, mean_class_rank(probabilities), probabilities.shape[2], subjects, confidence)


def _adjacent_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    return ordinal.adjacent_auc_test(truth, mean_class_rank(a), mean_class_rank(b), a.shape[2], subjects, confidence)


def _cut_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return ordinal.cut_auc(truth, _tail_odds(probabilities, cut), cut, subjects, confidence)


def _cut_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    return ordinal.cut_auc_test(truth, _tail_odds(a, cut), _tail_odds(b, cut), cut, subjects, confidence)


def _cut_covariance(truth: Integers, probabilities: Floats, subjects: Subjects, cut: int) -> tuple[Floats, Floats]:
    both = auc_covariance((truth >= cut).astype(np.int64), _tail_odds(probabilities, cut).T, subjects)
    return both.auc, both.covariance


_partial = functools.partial


def _rate(part: Callable[[Run], tuple[Floats, Booleans | None]], absent: str) -> Kernel:
    """The kernel of a share of cases; a mean over seeds whose cases differ has the logit scale."""
    return Kernel(influence=_partial(_share_of, part=part, absent=absent), share=part, scale="logit")


def _error(kind: Bins) -> Kernel:
    """The kernel of an expected calibration error over ten bins."""
    return Kernel(influence=_partial(_calibration_error, kind=kind), scale="none")


KERNELS: dict[str, Kernel] = {
    "auc": Kernel(
        influence=_auc,
        ranked=ranks.of_positives,
        weighted=metrics.binary_auc,
        delong=DeLong(test=_auc_test, interval=_auc_interval, covariance=_auc_covariance),
    ),
    "accuracy": Kernel(influence=_partial(_of_calls, "accuracy"), of_tables=metrics.accuracy),
    "f1": Kernel(influence=_partial(_of_calls, "f1"), of_tables=metrics.f1),
    "balanced_accuracy": Kernel(influence=_partial(_of_calls, "balanced_accuracy"), of_tables=metrics.balanced_accuracy),
    "brier": Kernel(influence=_partial(_brier, scaled=False), weighted=metrics.brier),
    "scaled_brier": Kernel(influence=_partial(_brier, scaled=True), weighted=metrics.scaled_brier),
    "calibration_slope": Kernel(influence=_slope),
    "calibration_in_the_large": Kernel(influence=_in_the_large),
    "calibration_error": _error("fixed"),
    "calibration_error_equal_count": _error("equal_count"),
    "sensitivity": _rate(_partial(_right_of, truth=1), "no case is positive"),
    "specificity": _rate(_partial(_right_of, truth=0), "no case is negative"),
    "ppv": _rate(_partial(_right_among, call=1), "no case is called positive"),
    "npv": _rate(_partial(_right_among, call=0), "no case is called negative"),
    "prevalence": _rate(_positives, "no case"),
    "average_precision": Kernel(influence=_precision, ranked=ranks.of_positives, scale="logit"),
    "contradiction": Kernel(influence=_partial(_contradiction, place=0), share=_partial(_contradictions, place=0)),
    "contradiction_mass": Kernel(influence=_partial(_contradiction, place=1), share=_partial(_contradictions, place=1)),
    "macro_auc": Kernel(
        influence=_partial(_rest_auc, average="macro"),
        ranked=ranks.of_classes,
        weighted=metrics.macro_auc,
        delong=DeLong(test=_partial(_rest_auc_test, average="macro")),
    ),
    "weighted_auc": Kernel(
        influence=_partial(_rest_auc, average="weighted"),
        ranked=ranks.of_classes,
        delong=DeLong(test=_partial(_rest_auc_test, average="weighted")),
        scale="logit",
    ),
    "macro_f1": Kernel(influence=_partial(_of_calls, "macro_f1"), of_tables=metrics.macro_f1),
    "kappa": Kernel(influence=_partial(_of_calls, "kappa"), of_tables=metrics.kappa),
    "quadratic_kappa": Kernel(influence=_partial(_of_calls, "quadratic_kappa"), of_tables=metrics.quadratic_kappa),
    "mae": Kernel(influence=_partial(_of_calls, "mae"), of_tables=metrics.mae),
    "within_one": Kernel(influence=_partial(_of_calls, "within_one"), of_tables=metrics.within_one),
    "c_index": Kernel(
        influence=_partial(_ordering, neighbours=False),
        ranked=ranks.of_severity,
        weighted=metrics.c_index,
        delong=DeLong(test=_c_index_test, interval=_c_index_interval),
    ),
    "adjacent_auc": Kernel(
        influence=_partial(_ordering, neighbours=True),
        ranked=ranks.of_severity,
        weighted=metrics.adjacent_auc,
        delong=DeLong(test=_adjacent_test, interval=_adjacent_interval),
    ),
    "cut_auc": Kernel(
        influence=_cut_auc, ranked=ranks.of_tail, delong=DeLong(test=_cut_test, interval=_cut_interval, covariance=_cut_covariance)
    ),
    "cut_slope": Kernel(influence=_cut_slope),
}
"""By the name in the table of metrics, in its order."""

FROM_CONFUSION: dict[str, Callable[[Floats], Floats]] = {
    name: kernel.of_tables for name, kernel in KERNELS.items() if kernel.of_tables is not None
}
"""Metrics of predicted classes: confusion matrices ``[R, K, K]`` -> values ``[R]``."""
