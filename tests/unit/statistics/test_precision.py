"""Average precision, calibration error, kappa and predictive values: values of scikit-learn, and
influences that are derivatives by the weight of a case.
"""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, cohen_kappa_score

from kneeoa.statistics.confusion import sampled_metric
from kneeoa.statistics.kernels import KERNELS, metric
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.precision import sampled_precision
from kneeoa.statistics.reliability import sampled_error
from tests.unit.statistics.references import expected_calibration_error

STEP = 1e-6


@pytest.fixture
def case() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = (rng.random(90) < 0.3).astype(int)
    return truth, np.round(np.clip(0.35 * truth + 0.6 * rng.random(90), 0, 1), 1)


def derivatives(value, count: int) -> np.ndarray:
    start = value(np.ones(count))
    return np.array([(value(np.ones(count) + STEP * (np.arange(count) == place)) - start) / STEP for place in range(count)])


def test_average_precision_is_scikit_learns_with_ties(case) -> None:
    truth, scores = case
    result = sampled_precision(truth == 1, scores)
    assert result.value == pytest.approx(average_precision_score(truth, scores), abs=1e-15)
    expected = derivatives(lambda weights: average_precision_score(truth, scores, sample_weight=weights), 90)
    assert result.influence == pytest.approx(expected, abs=1e-6)
    assert sampled_precision(truth == 1, np.full(90, 0.5)).value == pytest.approx(truth.mean())
    assert np.isnan(sampled_precision(np.ones(5, dtype=bool), np.arange(5.0)).value)


@pytest.mark.parametrize("kind", ["fixed", "equal_count"])
def test_calibration_error_by_fixed_and_by_equal_bins(case, kind) -> None:
    truth, scores = case[0], 0.98 * case[1] + 0.013  # no bin's gap is zero
    result = sampled_error(truth, scores, kind)
    assert result.value == pytest.approx(expected_calibration_error(truth, scores, kind=kind))
    assert result.influence.sum() == pytest.approx(0, abs=1e-12)
    if kind == "fixed":
        bins = np.minimum(np.floor(scores * 10), 9)

        def value(weights):
            gaps = [abs((weights * (truth - scores))[bins == one].sum()) for one in range(10)]
            return sum(gaps) / weights.sum()

        assert result.value == pytest.approx(value(np.ones(90)))
        assert result.influence == pytest.approx(derivatives(value, 90), abs=1e-6)


def test_a_calibrated_bin_adds_nothing() -> None:
    truth, scores = np.array([0, 1, 0, 1]), np.array([0.5, 0.5, 0.25, 0.75])
    result = sampled_error(truth, scores, "fixed")
    assert result.value == pytest.approx(0.125)
    assert result.influence[:2] == pytest.approx(-0.125 / 4)


def test_kappa_is_scikit_learns(case) -> None:
    rng = np.random.default_rng(4)
    truth, called = rng.integers(0, 3, 90), rng.integers(0, 3, 90)
    result = sampled_metric("kappa", truth, called, 3)
    assert result.value == pytest.approx(cohen_kappa_score(truth, called))
    expected = derivatives(lambda weights: cohen_kappa_score(truth, called, sample_weight=weights), 90)
    assert result.influence == pytest.approx(expected, abs=1e-6)
    assert metric("kappa")(truth, np.eye(3)[called], np.ones((2, 90))) == pytest.approx([result.value] * 2)


@pytest.mark.parametrize(
    ("name", "members"), [("ppv", (None, 1)), ("npv", (None, 0)), ("sensitivity", (1, None)), ("specificity", (0, None))]
)
def test_predictive_values_are_shares_of_what_is_called(case, name, members) -> None:
    truth, scores = case
    calls = (scores >= 0.5).astype(int)
    run = Run(truth, np.stack([1 - scores, scores], axis=1), calls)
    counted = truth == members[0] if members[0] is not None else calls == members[1]
    influence = KERNELS[name].influence(run)
    assert influence.value == pytest.approx(np.mean((truth == calls)[counted]))

    def value(weights):
        return (weights * (truth == calls))[counted].sum() / weights[counted].sum()

    assert influence.influence == pytest.approx(derivatives(value, 90), abs=1e-6)


def test_nothing_called_is_undefined() -> None:
    run = Run(np.array([0, 1, 1]), np.full((3, 2), 0.5), np.zeros(3, dtype=int))
    assert np.isnan(KERNELS["ppv"].influence(run).value)
    assert KERNELS["npv"].influence(run).value == pytest.approx(1 / 3)
    assert KERNELS["prevalence"].influence(run).value == pytest.approx(2 / 3)
