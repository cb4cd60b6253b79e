"""The names of metrics, and which of them a level has."""

from __future__ import annotations

from typing import Literal, get_args

Metric = Literal[
    "auc",
    "accuracy",
    "f1",
    "balanced_accuracy",
    "brier",
    "scaled_brier",
    "calibration_slope",
    "calibration_in_the_large",
    "sensitivity",
    "specificity",
    "contradiction",
    "contradiction_mass",
    "macro_auc",
    "weighted_auc",
    "macro_f1",
    "quadratic_kappa",
    "mae",
    "within_one",
    "c_index",
    "adjacent_auc",
    "cut_auc",
    "cut_slope",
]
METRICS: tuple[Metric, ...] = get_args(Metric)

BINARY_METRICS: tuple[Metric, ...] = (
    "auc",
    "accuracy",
    "f1",
    "balanced_accuracy",
    "brier",
    "scaled_brier",
    "calibration_slope",
    "calibration_in_the_large",
    "sensitivity",
    "specificity",
)
CLASS_METRICS: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "macro_auc", "weighted_auc", "macro_f1")
"""Of levels with more than two classes."""
ORDINAL_METRICS: tuple[Metric, ...] = ("quadratic_kappa", "mae", "within_one", "c_index", "adjacent_auc", "cut_auc", "cut_slope")
"""Of ordinal levels, besides ``CLASS_METRICS``."""
CONSISTENCY_METRICS: tuple[Metric, ...] = ("contradiction", "contradiction_mass")
"""Of a level with a finer one, for arms with a head of each: how often, and by how much
probability, the heads disagree.
"""
CUT_METRICS: tuple[Metric, ...] = ("cut_auc", "cut_slope")
"""One value for each cut of the grades: the rows are called cut_auc_1, cut_auc_2, ..., for "grade 1
or more", and so on.
"""

LOWER_IS_BETTER = frozenset({"brier", "mae", "contradiction", "contradiction_mass"})
"""Metrics of which less is better."""


def metrics_of(kind: str, parent: bool = False) -> tuple[Metric, ...]:
    """The metrics of a level of this kind; ``parent``: it has a finer level below it."""
    own = BINARY_METRICS if kind == "binary" else CLASS_METRICS + (ORDINAL_METRICS if kind == "ordinal" else ())
    return own + (CONSISTENCY_METRICS if parent else ())


def rows_of(metric: Metric, classes: int) -> tuple[str, ...]:
    """The names of a metric's rows: itself, or one for each cut."""
    return tuple(f"{metric}_{cut}" for cut in range(1, classes)) if metric in CUT_METRICS else (metric,)


def base(name: str) -> str:
    """The metric of a row's name: ``cut_auc`` of ``cut_auc_2``."""
    stem = name.rpartition("_")[0]
    return stem if stem in CUT_METRICS else name


def cut_of(name: str) -> int:
    """The cut of a row's name: 2 of ``cut_auc_2``."""
    return int(name.rpartition("_")[2])
