"""Every metric of one run as a value with the influence of each case on it: what differences, seeds
and subgroups are made of (:mod:`kneeoa.statistics.kernels`).
"""

from __future__ import annotations

from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.statistics.influence_functions import Sampled
from kneeoa.statistics.kernels import cut_in, kernel_of
from kneeoa.statistics.metric_kernel import Run


def runs_of(name: str, predictions: LevelPredictions) -> list[Run]:
    """Return what each seed predicts, as the metric of a row's name (e.g. cut_auc_2) takes it."""
    calls = predictions.calls
    thresholds = predictions.thresholds or (0.5,) * len(predictions.seeds)
    return [
        Run(
            predictions.truth,
            predictions.probabilities[place],
            calls[place],
            cut_in(name),
            thresholds[place],
            None if predictions.fine is None else predictions.fine[place],
            predictions.parent_class,
        )
        for place in range(len(predictions.seeds))
    ]


def sampled_runs(name: str, predictions: LevelPredictions) -> list[Sampled]:
    """The metric called ``name`` (a row's name, e.g. cut_auc_2) of every seed, computed once.

    A consistency metric of an arm without a head of its own for both levels is undefined (NaN).
    """
    if name not in predictions.influences:
        kernel = kernel_of(name)
        predictions.influences[name] = [kernel.influence(run) for run in runs_of(name, predictions)]
    return predictions.influences[name]
