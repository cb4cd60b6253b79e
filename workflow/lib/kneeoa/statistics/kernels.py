"""The kernel of each metric of :data:`kneeoa.config.metrics.TABLE`: its value in one run with the
influence of each case on it, its value in weighted resamples, and what has an interval or a test of
its own.

A metric's variance over subjects, its covariance with the same metric of another run and the
variance of any difference follow from the influences alone
(:mod:`kneeoa.statistics.influence_functions`), so differences, random seeds, margins and subgroups
need nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from kneeoa.config.metrics import cut_of, metric_of_row
from kneeoa.errors import KneeoaError
from kneeoa.statistics import case_exchange, metrics, run_delong
from kneeoa.statistics import run_influences as influences
from kneeoa.statistics.inputs import Booleans, Floats, Integers
from kneeoa.statistics.metric_kernel import Kernel, Run
from kneeoa.statistics.reliability import Bins


def kernel_of(name: str) -> Kernel:
    """The kernel of a row's name (e.g. cut_auc_2).

    Raises:
        KneeoaError: there is none.
    """
    if metric_of_row(name) not in KERNELS:
        raise KneeoaError(f"Metric '{metric_of_row(name)}' is not computed anywhere: 'KERNELS' of {__name__} lacks it.")
    return KERNELS[metric_of_row(name)]


def cut_in(name: str) -> int:
    """The cut in a row's name; 0 where it has none."""
    return 0 if metric_of_row(name) == name else cut_of(name)


def metric(name: str, threshold: float = 0.5) -> metrics.Metric:
    """The metric called ``name`` (configuration's word) on probabilities ``[n, K]``, with weights
    of the cases.

    Raises:
        ValueError: no such metric.
    """
    kernel = KERNELS.get(name)
    if kernel is None or not kernel.bootstraps:
        usable = sorted(name for name, one in KERNELS.items() if one.bootstraps)
        raise ValueError(f"metric: expected one of {usable}, got '{name}'")
    rule = kernel.of_tables
    if rule is None:
        assert kernel.weighted is not None
        return kernel.weighted

    def evaluate(truth: Integers, prediction: Floats, weights: Floats, /) -> Floats:
        classes = prediction.shape[1]
        return rule(metrics.confusions(truth, metrics.predicted_class(prediction, threshold), classes, weights))

    return evaluate


def _rate(part: Callable[[Run], tuple[Floats, Booleans | None]], absent: str) -> Kernel:
    """The kernel of a share of cases; a mean over seeds whose cases differ has the logit scale."""
    return Kernel(influence=partial(influences.share_of_cases, part=part, absent=absent), share=part, scale="logit")


def _contradiction(place: int) -> Kernel:
    """The kernel of the share of cases in which two heads contradict each other."""
    return Kernel(influence=partial(influences.contradiction, place=place), share=partial(influences.contradicting_cases, place=place))


def _error(kind: Bins) -> Kernel:
    """The kernel of an expected calibration error over ten bins."""
    return Kernel(influence=partial(influences.calibration_error, kind=kind), scale="none")


KERNELS: dict[str, Kernel] = {
    "auc": Kernel(
        influence=influences.auc,
        ranked=case_exchange.rank_positives,
        weighted=metrics.binary_auc,
        delong=run_delong.AUC,
    ),
    "accuracy": Kernel(influence=partial(influences.of_calls, "accuracy"), of_tables=metrics.accuracy),
    "f1": Kernel(influence=partial(influences.of_calls, "f1"), of_tables=metrics.f1),
    "balanced_accuracy": Kernel(influence=partial(influences.of_calls, "balanced_accuracy"), of_tables=metrics.balanced_accuracy),
    "brier": Kernel(influence=partial(influences.brier, scaled=False), weighted=metrics.brier),
    "scaled_brier": Kernel(influence=partial(influences.brier, scaled=True), weighted=metrics.scaled_brier),
    "calibration_slope": Kernel(influence=influences.calibration_slope),
    "calibration_in_the_large": Kernel(influence=influences.calibration_in_the_large),
    "calibration_error": _error("fixed"),
    "calibration_error_equal_count": _error("equal_count"),
    "sensitivity": _rate(partial(influences.right_where_true, truth=1), "no case is positive"),
    "specificity": _rate(partial(influences.right_where_true, truth=0), "no case is negative"),
    "ppv": _rate(partial(influences.right_where_called, call=1), "no case is called positive"),
    "npv": _rate(partial(influences.right_where_called, call=0), "no case is called negative"),
    "prevalence": _rate(influences.positives, "no case"),
    "average_precision": Kernel(influence=influences.average_precision, ranked=case_exchange.rank_positives, scale="logit"),
    "contradiction": _contradiction(0),
    "contradiction_mass": _contradiction(1),
    "macro_auc": Kernel(
        influence=partial(influences.one_vs_rest_auc, average="macro"),
        ranked=case_exchange.rank_classes,
        weighted=metrics.macro_auc,
        delong=run_delong.one_vs_rest("macro"),
    ),
    "weighted_auc": Kernel(
        influence=partial(influences.one_vs_rest_auc, average="weighted"),
        ranked=case_exchange.rank_classes,
        delong=run_delong.one_vs_rest("weighted"),
        scale="logit",
    ),
    "macro_f1": Kernel(influence=partial(influences.of_calls, "macro_f1"), of_tables=metrics.macro_f1),
    "kappa": Kernel(influence=partial(influences.of_calls, "kappa"), of_tables=metrics.kappa),
    "quadratic_kappa": Kernel(influence=partial(influences.of_calls, "quadratic_kappa"), of_tables=metrics.quadratic_kappa),
    "mae": Kernel(influence=partial(influences.of_calls, "mae"), of_tables=metrics.mae),
    "within_one": Kernel(influence=partial(influences.of_calls, "within_one"), of_tables=metrics.within_one),
    "c_index": Kernel(
        influence=partial(influences.ordered_pairs, neighbours=False),
        ranked=case_exchange.rank_severity,
        weighted=metrics.c_index,
        delong=run_delong.C_INDEX,
    ),
    "adjacent_auc": Kernel(
        influence=partial(influences.ordered_pairs, neighbours=True),
        ranked=case_exchange.rank_severity,
        weighted=metrics.adjacent_auc,
        delong=run_delong.ADJACENT_AUC,
    ),
    "cut_auc": Kernel(influence=influences.cut_auc, ranked=case_exchange.rank_tail, delong=run_delong.CUT_AUC),
    "cut_slope": Kernel(influence=influences.cut_slope),
}
"""By the name in the table of metrics, in its order."""

FROM_CONFUSION: dict[str, Callable[[Floats], Floats]] = {
    name: kernel.of_tables for name, kernel in KERNELS.items() if kernel.of_tables is not None
}
"""Metrics of predicted classes: confusion matrices ``[R, K, K]`` -> values ``[R]``."""
