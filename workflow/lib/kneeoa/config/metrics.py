"""The table of metrics: their names, kinds of level, tests and labels. All that needs a metric's
name follows from it; :mod:`kneeoa.statistics.kernels` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from kneeoa.config.hierarchy import Level
from kneeoa.config.section import MemberOf
from kneeoa.levels.registry import declaration

FixedTest = Literal["bootstrap", "delong", "mcnemar", "delta"]
"""Tests of the given networks: subjects are sampled, seeds are fixed. delta: normal test from the
metric's influence function.
"""
Suits = Literal["all", "exclusive", "yes or no", "several classes", "grades"]
"""Levels by what their kinds declare. yes or no: binary levels and findings; several classes:
exclusive ones, but for a binary level.
"""


@dataclass(frozen=True)
class Metric:
    """One row of the table."""

    name: str
    """Its name in the configuration and in tables."""
    levels: Suits
    """The levels that have it."""
    tests: tuple[FixedTest, ...]
    """The tests that apply to it."""
    label: str
    """Its printed name."""
    better: Literal["more", "less", "one value"] = "more"
    """The better direction. A metric that is best at one value has none, so no margin makes
    sense.
    """
    of_calls: bool = False
    """Whether it is of predicted classes, which for a binary level depend on the threshold."""
    in_grades: bool = False
    """Whether its unit is a grade; others are shares, probabilities or coefficients from -1 to
    1.
    """
    absent_class: Literal["", "fewer", "undefined"] = ""
    """Effect of a class without a case: an average over fewer classes, or no value."""
    by_cut: bool = False
    """Whether it has one value for each cut of the grades: the rows are called cut_auc_1,
    cut_auc_2, ..., for "grade 1 or more", and so on.
    """
    of_each_class: bool = False
    """Whether a level of several classes has it for each class against the rest: the rows are
    called auc[mild], auc[severe], and so on.
    """
    of_two_heads: bool = False
    """Whether it compares the heads of a level and of a finer one: how often, and by how much
    probability, they disagree.
    """
    in_paper: bool = False
    """Whether it is in the printed table; the CSV has all."""


_BINARY: Suits = "yes or no"
_CLASSES: Suits = "several classes"
_ORDINAL: Suits = "grades"
_SINGLE: Suits = "exclusive"
_ALL: Suits = "all"
_UNDEFINED: Literal["undefined"] = "undefined"

TABLE: tuple[Metric, ...] = (
    Metric("auc", _ALL, ("delong", "bootstrap"), "AUC", of_each_class=True, absent_class=_UNDEFINED, in_paper=True),
    Metric("accuracy", _ALL, ("mcnemar", "bootstrap", "delta"), "accuracy", of_calls=True, in_paper=True),
    Metric("f1", _BINARY, ("bootstrap", "delta"), "F1", of_calls=True, absent_class="fewer", in_paper=True),
    Metric("balanced_accuracy", _ALL, ("bootstrap", "delta"), "balanced accuracy", of_calls=True, absent_class="fewer", in_paper=True),
    Metric("brier", _BINARY, ("bootstrap", "delta"), "Brier score", better="less", in_paper=True),
    Metric("scaled_brier", _BINARY, ("bootstrap", "delta"), "scaled Brier score", absent_class=_UNDEFINED),
    Metric("calibration_slope", _BINARY, ("delta",), "calibration slope", better="one value", absent_class=_UNDEFINED, in_paper=True),
    Metric("calibration_in_the_large", _BINARY, ("delta",), "calibration in the large", better="one value", absent_class=_UNDEFINED),
    Metric("calibration_error", _BINARY, ("delta",), "expected calibration error", better="less"),
    Metric("calibration_error_equal_count", _BINARY, ("delta",), "expected calibration error, equal counts", better="less"),
    Metric("sensitivity", _ALL, ("delta",), "sensitivity", of_calls=True, of_each_class=True),
    Metric("specificity", _ALL, ("delta",), "specificity", of_calls=True, of_each_class=True),
    Metric("ppv", _ALL, ("delta",), "positive predictive value", of_calls=True, of_each_class=True),
    Metric("npv", _ALL, ("delta",), "negative predictive value", of_calls=True, of_each_class=True),
    Metric("prevalence", _ALL, (), "prevalence", better="one value", of_each_class=True),
    Metric("average_precision", _ALL, ("delta",), "average precision", of_each_class=True, absent_class=_UNDEFINED),
    Metric("contradiction", _SINGLE, ("delta",), "head contradiction", better="less", of_calls=True, of_two_heads=True, in_paper=True),
    Metric("contradiction_mass", _SINGLE, ("delta",), "head contradiction, mass", better="less", of_two_heads=True),
    Metric("macro_auc", _CLASSES, ("delong", "bootstrap"), "macro AUC", absent_class=_UNDEFINED, in_paper=True),
    Metric("weighted_auc", _CLASSES, ("delong",), "weighted AUC", absent_class=_UNDEFINED),
    Metric("macro_f1", _CLASSES, ("bootstrap", "delta"), "macro F1", of_calls=True, absent_class="fewer", in_paper=True),
    Metric("kappa", _CLASSES, ("bootstrap", "delta"), "kappa", of_calls=True),
    Metric("quadratic_kappa", _ORDINAL, ("bootstrap", "delta"), "weighted kappa", of_calls=True, in_paper=True),
    Metric("mae", _ORDINAL, ("bootstrap", "delta"), "mean abs. error", better="less", of_calls=True, in_grades=True, in_paper=True),
    Metric("within_one", _ORDINAL, ("bootstrap", "delta"), "within one grade", of_calls=True),
    Metric("c_index", _ORDINAL, ("delong", "bootstrap"), "C-index", in_paper=True),
    Metric("adjacent_auc", _ORDINAL, ("delong", "bootstrap"), "mean adjacent AUC", absent_class=_UNDEFINED),
    Metric("cut_auc", _ORDINAL, ("delong",), "AUC at cut", by_cut=True),
    Metric("cut_slope", _ORDINAL, ("delta",), "calibration slope at cut", better="one value", by_cut=True),
)
"""All metrics, in the order of tables."""

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in TABLE}
METRICS = tuple(BY_NAME)


def names() -> tuple[str, ...]:
    """Names of all metrics."""
    return METRICS


MetricName = Annotated[str, MemberOf(names)]
"""A metric's name in the configuration."""

CONSISTENCY_METRICS = tuple(metric.name for metric in TABLE if metric.of_two_heads)
"""Metrics that compare the heads of a level and of a finer one."""
CUT_METRICS = tuple(metric.name for metric in TABLE if metric.by_cut)
"""Metrics with one value for each cut of the grades."""
LOWER_IS_BETTER = frozenset(metric.name for metric in TABLE if metric.better == "less")
"""Metrics for which lower values are better."""
WITHOUT_DIRECTION = tuple(metric.name for metric in TABLE if metric.better == "one value")
"""Metrics that are best at one value, so that neither more nor less is better and no margin makes
sense.
"""


def applicable(test: FixedTest) -> tuple[str, ...]:
    """The metrics that a test applies to."""
    return tuple(metric.name for metric in TABLE if test in metric.tests)


def metrics_of(kind: str, parent: bool = False) -> tuple[str, ...]:
    """The metrics of a level of this kind; ``parent``: whether it has a finer level below it."""
    one = declaration(kind)
    several = one.exclusive and not one.binary
    suits = {"all": True, "exclusive": one.exclusive, "yes or no": not several, "several classes": several, "grades": one.ordered}
    alone = [metric for metric in TABLE if suits[metric.levels] and not metric.of_two_heads]
    pairs = [metric for metric in TABLE if suits[metric.levels] and metric.of_two_heads and parent]
    return tuple(metric.name for metric in (*alone, *pairs))


def rows_of(metric: str, level: Level) -> tuple[str, ...]:
    """Names of a metric's rows: one, or one for each cut, or one for each class against the rest.
    For a multilabel level: the mean over findings, then each finding.
    """
    each = tuple(f"{metric}[{name}]" for name in level.classes)
    if not level.exclusive:
        return (metric, *each)
    if not level.binary and BY_NAME[metric].of_each_class:
        return each
    return tuple(f"{metric}_{cut}" for cut in range(1, len(level.classes))) if metric in CUT_METRICS else (metric,)


def metric_of_row(name: str) -> str:
    """The metric of a row's name: ``cut_auc`` of ``cut_auc_2``, ``auc`` of ``auc[mild]``."""
    whole = name.partition("[")[0]
    stem = whole.rpartition("_")[0]
    return stem if stem in CUT_METRICS else whole


def cut_of(name: str) -> int:
    """The cut of a row's name: 2 of ``cut_auc_2``."""
    return int(name.rpartition("_")[2])


def class_of(name: str) -> str | None:
    """The class or finding of a row's name: ``mild`` of ``auc[mild]``; None without one."""
    metric, bracket, rest = name.partition("[")
    return rest[:-1] if bracket and metric in BY_NAME else None
