"""The table of metrics: which there are, of which levels, how they are tested and printed. All that
needs a metric's name follows from it; how each is computed: :mod:`kneeoa.statistics.kernels`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from kneeoa.config.section import MemberOf

FixedTest = Literal["bootstrap", "delong", "mcnemar", "delta"]
"""Tests of these very networks: subjects are sampled, seeds are fixed. delta: normal test from the
metric's influence function.
"""


@dataclass(frozen=True)
class Metric:
    """One row of the table."""

    name: str
    """What the configuration and the tables call it."""
    kinds: tuple[str, ...]
    """The kinds of level that have it."""
    tests: tuple[FixedTest, ...]
    """The tests that apply to it."""
    label: str
    """How it is printed."""
    better: Literal["more", "less", "one value"] = "more"
    """Which end is better; of a metric that is best at one value neither is, and no margin makes
    sense.
    """
    of_calls: bool = False
    """It judges predicted classes, which of a binary level depend on the threshold."""
    in_grades: bool = False
    """It is in units of a grade; others are shares, probabilities or coefficients from -1 to 1."""
    absent_class: Literal["", "fewer", "undefined"] = ""
    """What a class without a case does to it: an average over fewer classes, or no value."""
    by_cut: bool = False
    """It has one value for each cut of the grades: the rows are called cut_auc_1, cut_auc_2, ...,
    for "grade 1 or more", and so on.
    """
    of_two_heads: bool = False
    """It is of a level with a finer one, for arms with a head of each: how often, and by how much
    probability, the heads disagree.
    """
    in_paper: bool = False
    """It is in the printed table; the CSV holds all."""


_BINARY, _CLASSES, _ORDINAL = ("binary",), ("multiclass", "ordinal"), ("ordinal",)
_ALL = ("binary", "multiclass", "ordinal")
_UNDEFINED: Literal["undefined"] = "undefined"

TABLE: tuple[Metric, ...] = (
    Metric("auc", _BINARY, ("delong", "bootstrap"), "AUC", absent_class=_UNDEFINED, in_paper=True),
    Metric("accuracy", _ALL, ("mcnemar", "bootstrap", "delta"), "accuracy", of_calls=True, in_paper=True),
    Metric("f1", _BINARY, ("bootstrap", "delta"), "F1", of_calls=True, absent_class="fewer", in_paper=True),
    Metric("balanced_accuracy", _ALL, ("bootstrap", "delta"), "balanced accuracy", of_calls=True, absent_class="fewer", in_paper=True),
    Metric("brier", _BINARY, ("bootstrap", "delta"), "Brier score", better="less", in_paper=True),
    Metric("scaled_brier", _BINARY, ("bootstrap", "delta"), "scaled Brier score", absent_class=_UNDEFINED),
    Metric("calibration_slope", _BINARY, ("delta",), "calibration slope", better="one value", absent_class=_UNDEFINED, in_paper=True),
    Metric("calibration_in_the_large", _BINARY, ("delta",), "calibration in the large", better="one value", absent_class=_UNDEFINED),
    Metric("sensitivity", _BINARY, ("delta",), "sensitivity", of_calls=True),
    Metric("specificity", _BINARY, ("delta",), "specificity", of_calls=True),
    Metric("contradiction", _ALL, ("delta",), "head contradiction", better="less", of_calls=True, of_two_heads=True, in_paper=True),
    Metric("contradiction_mass", _ALL, ("delta",), "head contradiction, mass", better="less", of_two_heads=True),
    Metric("macro_auc", _CLASSES, ("delong", "bootstrap"), "macro AUC", absent_class=_UNDEFINED, in_paper=True),
    Metric("weighted_auc", _CLASSES, ("delong",), "weighted AUC", absent_class=_UNDEFINED),
    Metric("macro_f1", _CLASSES, ("bootstrap", "delta"), "macro F1", of_calls=True, absent_class="fewer", in_paper=True),
    Metric("quadratic_kappa", _ORDINAL, ("bootstrap", "delta"), "weighted kappa", of_calls=True, in_paper=True),
    Metric("mae", _ORDINAL, ("bootstrap", "delta"), "mean abs. error", better="less", of_calls=True, in_grades=True, in_paper=True),
    Metric("within_one", _ORDINAL, ("bootstrap", "delta"), "within one grade", of_calls=True),
    Metric("c_index", _ORDINAL, ("delong", "bootstrap"), "C-index", in_paper=True),
    Metric("adjacent_auc", _ORDINAL, ("delong", "bootstrap"), "mean adjacent AUC", absent_class=_UNDEFINED),
    Metric("cut_auc", _ORDINAL, ("delong",), "AUC at cut", by_cut=True),
    Metric("cut_slope", _ORDINAL, ("delta",), "calibration slope at cut", better="one value", by_cut=True),
)
"""Every metric, in the order in which tables list them."""

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in TABLE}
METRICS = tuple(BY_NAME)


def names() -> tuple[str, ...]:
    """Every metric's name."""
    return METRICS


MetricName = Annotated[str, MemberOf(names)]
"""A metric, as the configuration names it."""

BINARY_METRICS = tuple(metric.name for metric in TABLE if "binary" in metric.kinds and not metric.of_two_heads)
CLASS_METRICS = tuple(metric.name for metric in TABLE if "multiclass" in metric.kinds and not metric.of_two_heads)
"""Of levels with more than two classes."""
ORDINAL_METRICS = tuple(
    metric.name for metric in TABLE if "ordinal" in metric.kinds and not metric.of_two_heads and metric.name not in CLASS_METRICS
)
"""Of ordinal levels, besides ``CLASS_METRICS``."""
CONSISTENCY_METRICS = tuple(metric.name for metric in TABLE if metric.of_two_heads)
"""Of a level with a finer one, for arms with a head of each."""
CUT_METRICS = tuple(metric.name for metric in TABLE if metric.by_cut)
"""One value for each cut of the grades."""
LOWER_IS_BETTER = frozenset(metric.name for metric in TABLE if metric.better == "less")
"""Metrics of which less is better."""
WITHOUT_DIRECTION = tuple(metric.name for metric in TABLE if metric.better == "one value")
"""Metrics that are best at one value, so that neither more nor less is better and no margin makes
sense.
"""


def applicable(test: FixedTest) -> tuple[str, ...]:
    """The metrics that a test applies to."""
    return tuple(metric.name for metric in TABLE if test in metric.tests)


def metrics_of(kind: str, parent: bool = False) -> tuple[str, ...]:
    """The metrics of a level of this kind; ``parent``: it has a finer level below it."""
    single = BINARY_METRICS if kind == "binary" else CLASS_METRICS + (ORDINAL_METRICS if kind == "ordinal" else ())
    return single + (CONSISTENCY_METRICS if parent else ())


def rows_of(metric: str, classes: int) -> tuple[str, ...]:
    """The names of a metric's rows: itself, or one for each cut."""
    return tuple(f"{metric}_{cut}" for cut in range(1, classes)) if metric in CUT_METRICS else (metric,)


def base(name: str) -> str:
    """The metric of a row's name: ``cut_auc`` of ``cut_auc_2``."""
    stem = name.rpartition("_")[0]
    return stem if stem in CUT_METRICS else name


def cut_of(name: str) -> int:
    """The cut of a row's name: 2 of ``cut_auc_2``."""
    return int(name.rpartition("_")[2])
