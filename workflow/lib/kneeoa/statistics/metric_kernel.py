"""A run's predictions, and the kernel of a metric: the functions that compute it from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from kneeoa.statistics.influence_functions import Estimate, PairedDifference, Sampled
from kneeoa.statistics.inputs import Booleans, Floats, Integers
from kneeoa.statistics.metrics import Metric

Subjects = np.ndarray[tuple[int, ...], np.dtype[np.str_]] | None
"""Subject of each case, ``[n]``; None: each is its own."""


@dataclass(frozen=True)
class Run:
    """One run's predictions of the n cases of a level."""

    truth: Integers
    """Class of each case, ``[n]``."""
    probabilities: Floats
    """``[n, K]``."""
    calls: Integers
    """Predicted class of each case, ``[n]``; of a binary level at ``threshold``."""
    cut: int = 0
    """Cut of a metric that has a value for each."""
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
    """The functions that compute a metric. ``of_tables`` or ``weighted`` make the bootstrap
    applicable, and ``delong`` DeLong's test.
    """

    influence: Callable[[Run], Sampled]
    """Its value and the influence of every case on it: all that is required."""
    of_tables: Callable[[Floats], Floats] | None = None
    """A metric of predicted classes: weighted confusion matrices ``[R, K, K]`` -> ``[R]``."""
    weighted: Metric | None = None
    """A metric of probabilities: (truth, probabilities ``[n, K]``, weights ``[R, n]``) ->
    ``[R]``.
    """
    share: Callable[[Run], tuple[Floats, Booleans | None]] | None = None
    """A share of cases: 0 or 1 for each case, and which cases count (None: all). Its interval is
    then Wilson's.
    """
    delong: DeLong | None = None
    scale: Literal["wald", "logit", "none"] = "wald"
    """Scale of its interval by the influences, where it has none of its own; none: they give no
    interval that holds.
    """
    ranked: Callable[[Run], Run] | None = None
    """Function that puts ranks in the place of scores, of a metric that takes only their order
    (:mod:`kneeoa.statistics.case_exchange`).
    """

    @property
    def bootstraps(self) -> bool:
        """Whether the bootstrap applies."""
        return self.of_tables is not None or self.weighted is not None
