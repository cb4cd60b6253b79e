"""The signatures and result fields that users of the library rely on: positions, names and
defaults.
"""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kneeoa.statistics import metrics
from kneeoa.statistics.bootstrap import paired_bootstrap
from kneeoa.statistics.delong import auc_covariance, auc_interval, delong_test
from kneeoa.statistics.mcnemar import mcnemar_counts, mcnemar_test
from kneeoa.statistics.mean_auc import ovr_auc_test

Y, A, B = np.arange(12) % 2, np.arange(12.0), np.arange(12.0)[::-1] % 5
TEST = "estimate_a estimate_b difference variance z p log10_p low high degenerate n subjects method note"
CONTRACT: list[tuple[Callable[..., Any], str, dict[str, object], tuple[object, ...], str]] = [
    (delong_test, "truth scores_a scores_b cluster confidence", {"cluster": None, "confidence": 0.95}, (Y, A, B), TEST),
    (
        auc_interval,
        "truth scores cluster method",
        {"cluster": None, "method": "logit"},
        (Y, A),
        "estimate standard_error low high n subjects degenerate method note",
    ),
    (auc_covariance, "truth scores", {}, (Y, np.column_stack([A, B])), "auc covariance n"),
    (
        ovr_auc_test,
        "truth probabilities_a probabilities_b average cluster",
        {"average": "macro", "cluster": None},
        (Y, np.column_stack([-A, A]), np.column_stack([-B, B])),
        TEST,
    ),
    (
        mcnemar_test,
        "correct_a correct_b cluster method",
        {"cluster": None, "method": "midp"},
        (Y, 1 - Y),
        "accuracy_a accuracy_b difference low high b c statistic p log10_p n subjects degenerate method",
    ),
    (mcnemar_counts, "b c method", {"method": "midp"}, (3, 5), "b c odds_ratio low high statistic p log10_p degenerate method"),
    (
        paired_bootstrap,
        "metric truth a b cluster resamples seed",
        {"cluster": None, "resamples": 10_000},
        (metrics.auc, Y, A, B, None, 20),
        TEST,
    ),
]


@pytest.mark.parametrize(
    ("function", "names", "defaults", "arguments", "result"), CONTRACT, ids=lambda value: getattr(value, "__name__", "")
)
def test_contract(function, names: str, defaults: dict[str, object], arguments: tuple[object, ...], result: str) -> None:
    parameters = inspect.signature(function).parameters
    assert list(parameters)[: len(names.split())] == names.split()
    assert {name: parameters[name].default for name in defaults} == defaults
    outcome = function(*arguments)
    assert set(result.split()) == {field.name for field in dataclasses.fields(outcome)}
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome.p = 0.0


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_is_a_share_everywhere(confidence: float) -> None:
    calls: list[Callable[[], object]] = [
        lambda: delong_test(Y, A, B, confidence=confidence),
        lambda: auc_interval(Y, A, confidence=confidence),
        lambda: mcnemar_test(Y, 1 - Y, confidence=confidence),
        lambda: mcnemar_counts(3, 5, confidence=confidence),
        lambda: paired_bootstrap(metrics.auc, Y, A, B, resamples=20, confidence=confidence),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="confidence"):
            call()
