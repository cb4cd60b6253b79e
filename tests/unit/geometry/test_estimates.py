import numpy as np
import pytest

from kneeoa.geometry.estimates import IntervalEstimate, MeasureFamily, evaluate


def mean_of(values: np.ndarray) -> MeasureFamily:
    return MeasureFamily(lambda weights: {"mean": weights @ values / weights.sum(axis=1)})


def test_the_two_knees_of_a_person_are_drawn_together() -> None:
    values = np.random.default_rng(0).normal(size=40)
    subjects = np.arange(40).astype(str)

    def interval(copies: int, names: np.ndarray) -> IntervalEstimate:
        return evaluate(mean_of(np.repeat(values, copies)), names, resamples=4000, seed=1, confidence=0.95)["mean"]

    once, twice, apart = interval(1, subjects), interval(2, np.repeat(subjects, 2)), interval(2, np.arange(80).astype(str))
    width = [one.high - one.low for one in (once, twice, apart)]  # type: ignore[operator]
    assert width[1] == pytest.approx(width[0], rel=0.06)
    assert width[2] == pytest.approx(width[0] / np.sqrt(2), rel=0.06)
    assert width[0] == pytest.approx(2 * 1.96 * values.std() / np.sqrt(40), rel=0.06)


def test_undefined_resamples_are_counted_and_left_out() -> None:
    def needs_the_first(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": np.where(weights[:, 0] > 0, 3.0, np.nan)}

    estimate = evaluate(MeasureFamily(needs_the_first), np.arange(5).astype(str), resamples=1000, seed=1, confidence=0.9)["x"]
    lost = int(estimate.note.split()[0])
    assert (estimate.value, estimate.low, estimate.high, estimate.mean) == (3, 3, 3, 3)
    assert estimate.note == f"{lost} of 1000 resamples undefined"
    assert lost == pytest.approx(1000 * 0.8**5, abs=50)


def test_what_is_undefined_has_no_interval_and_its_reason() -> None:
    measures = MeasureFamily(lambda weights: {"x": np.full(len(weights), np.nan)}, {"x": "one class only"})
    estimate = evaluate(measures, np.array(["a", "b"]), resamples=10, seed=1, confidence=0.95)["x"]
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    assert estimate.note == "undefined: one class only"


def test_one_subject_has_a_value_and_no_interval() -> None:
    estimate = evaluate(mean_of(np.array([1.0, 3.0])), np.array(["a", "a"]), resamples=10, seed=1, confidence=0.95)["mean"]
    assert (estimate.value, estimate.low) == (2, None)
    assert estimate.note == "no interval: fewer than two subjects"
