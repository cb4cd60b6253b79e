"""Reliability bins against scikit-learn, ties, intervals by subjects and the expected calibration
error by hand.
"""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from kneeoa.errors import KneeoaError
from kneeoa.statistics.reliability import bin_of, reliability_curve
from tests.unit.statistics.references import expected_calibration_error


def cases(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    probability = rng.random(n)
    return (rng.random(n) < probability).astype(int), probability


@pytest.mark.parametrize(("kind", "strategy"), [("fixed", "uniform"), ("equal_count", "quantile")])
def test_curve_is_scikit_learns(kind: str, strategy: str) -> None:
    truth, probability = cases(0)
    curve = reliability_curve(truth, probability, 10, kind)
    observed, predicted = calibration_curve(truth, probability, n_bins=10, strategy=strategy)
    assert curve.observed == pytest.approx(observed, abs=0.02 if kind == "equal_count" else 1e-12)
    assert curve.predicted == pytest.approx(predicted, abs=0.01 if kind == "equal_count" else 1e-12)
    if kind == "equal_count":
        assert (curve.cases == 30).all()
    hits = round(curve.observed[3] * curve.cases[3])
    assert (curve.low[3], curve.high[3]) == pytest.approx(proportion_confint(hits, curve.cases[3], method="wilson"), abs=1e-12)


def test_error_is_the_weighted_gap() -> None:
    truth, probability = np.array([0, 1, 1, 1]), np.array([0.1, 0.1, 0.9, 1.0])
    by_hand = (2 * abs(0.5 - 0.1) + 2 * abs(1 - 0.95)) / 4  # 0.9 and 1.0 share the last of ten bins
    assert expected_calibration_error(truth, probability) == pytest.approx(by_hand)
    assert reliability_curve(truth, probability, kind="fixed").error == pytest.approx(by_hand)
    drawn = cases(1)
    for kind in ("fixed", "equal_count"):
        assert reliability_curve(*drawn, kind=kind).error == pytest.approx(expected_calibration_error(*drawn, kind=kind))


def test_ties_are_never_parted_and_rows_have_no_order() -> None:
    truth, probability = cases(2)
    probability = np.round(probability, 1)
    places = bin_of(probability, 7, "equal_count")
    assert all(len(np.unique(places[probability == value])) == 1 for value in np.unique(probability))
    order = np.random.default_rng(0).permutation(300)
    first, second = reliability_curve(truth, probability, 7), reliability_curve(truth[order], probability[order], 7)
    assert first.observed == pytest.approx(second.observed, abs=0)
    assert first.error == pytest.approx(second.error, abs=1e-15)
    assert set(bin_of(np.array([0.0, 0.1, 0.999, 1.0]), 10, "fixed").tolist()) == {0, 1, 9}


def test_copied_subjects_count_once() -> None:
    truth, probability = cases(3)
    once = reliability_curve(truth, probability)
    twice = reliability_curve(np.tile(truth, 2), np.tile(probability, 2), cluster=np.tile(np.arange(300), 2))
    assert (twice.low, twice.high) == (pytest.approx(once.low), pytest.approx(once.high))
    assert (twice.cases == 2 * twice.subjects).all()


def test_bad_input_is_refused() -> None:
    with pytest.raises(KneeoaError, match="bins"):
        reliability_curve([0, 1], [0.1, 0.2], 0)
    with pytest.raises(KneeoaError, match="kind"):
        bin_of(np.array([0.5]), 2, "quantile")
    with pytest.raises(KneeoaError, match="0 to 1"):
        reliability_curve([0, 1], [0.1, 1.2])
