"""Values, intervals and paired tests of one metric from its kernel, by which the rows of METRICS
and CONTRASTS are made: what the tests of the methods, and their simulations, call.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kneeoa.statistics.influence_functions import Estimate, PairedDifference, Sampled, difference_of, estimate_of, over_seeds
from kneeoa.statistics.inputs import cluster_codes
from kneeoa.statistics.kernels import cut_in, kernel_of
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.metrics import predicted_class


def sampled(
    name: str, truth: ArrayLike, probabilities: ArrayLike, threshold: float = 0.5, fine: ArrayLike | None = None, parents: Any = ()
) -> Sampled:
    """A metric of class probabilities ``[n, K]`` and the influence of every case; ``[S, n, K]``:
    the mean over seeds; ``[n]``: of the positive class.
    """
    labels, stack = np.asarray(truth).astype(np.int64), np.asarray(probabilities, dtype=np.float64)
    if stack.ndim == 1 or stack.shape[-2] != labels.size:
        stack = np.stack([1 - stack, stack], axis=-1)
    seeds = stack if stack.ndim == 3 else stack[None]
    finer = [None] * len(seeds) if fine is None else np.reshape(np.asarray(fine), (len(seeds), labels.size, -1))
    runs = [
        Run(labels, seed, predicted_class(seed, threshold), cut_in(name), threshold, below, tuple(parents))
        for seed, below in zip(seeds, finer, strict=True)
    ]
    return over_seeds([kernel_of(name).influence(run) for run in runs])


def estimate(name: str, truth: ArrayLike, probabilities: ArrayLike, cluster: ArrayLike | None = None, **more: Any) -> Estimate:
    """The metric with its interval by the influences over subjects."""
    one = sampled(name, truth, probabilities, **more)
    return estimate_of(one, cluster_codes(cluster, one.influence.size), 0.95, name)


def difference(name: str, truth: ArrayLike, a: ArrayLike, b: ArrayLike, cluster: ArrayLike | None = None, **more: Any) -> PairedDifference:
    """The paired test of the metric, a - b, by the delta method."""
    first, second = sampled(name, truth, a, **more), sampled(name, truth, b, **more)
    return difference_of(first, second, cluster_codes(cluster, first.influence.size), 0.95, name)


def one_hot(predicted: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Predicted classes as probabilities of 0 and 1."""
    return np.eye(classes)[np.asarray(predicted, dtype=np.int64)]


def class_metric(name: str, truth: ArrayLike, predicted: ArrayLike, classes: int, cluster: ArrayLike | None = None) -> Estimate:
    """:func:`estimate` of predicted classes."""
    return estimate(name, truth, one_hot(predicted, classes), cluster)


def class_metric_test(
    name: str, truth: ArrayLike, a: ArrayLike, b: ArrayLike, classes: int, cluster: ArrayLike | None = None
) -> PairedDifference:
    """:func:`difference` of predicted classes."""
    return difference(name, truth, one_hot(a, classes), one_hot(b, classes), cluster)
