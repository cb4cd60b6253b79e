"""A rater errs as often and in such ways as its confusion states, on cases that are its own."""

import numpy as np
import pytest
from scipy.stats import chisquare

from kneeoa.config.raters import NoisyRater
from kneeoa.errors import KneeoaError
from kneeoa.labels.noise import reread, uniform_draws

COUNT = 20_000
REFERENCE = np.arange(COUNT) % 5
COHORTS = ["a"] * COUNT
CASES = [f"{number:06d}-R-00m" for number in range(COUNT)]
MEASURED = (
    (0.80, 0.15, 0.05, 0.0, 0.0),
    (0.2, 0.6, 0.2, 0.0, 0.0),
    (0.05, 0.1, 0.7, 0.1, 0.05),
    (0.0, 0.0, 0.0, 1.0, 0.0),
    (0.0, 0.1, 0.1, 0.3, 0.5),
)


def read(confusion: tuple[tuple[float, ...], ...], seed: int = 0) -> np.ndarray:
    return reread(REFERENCE, COHORTS, CASES, confusion, seed)


def adjacent(share: float) -> tuple[tuple[float, ...], ...]:
    return NoisyRater(adjacent=share).matrix(5)


@pytest.mark.parametrize("confusion", [adjacent(0.1), adjacent(0.4), adjacent(1.0), MEASURED], ids=["10", "40", "all", "measured"])
@pytest.mark.parametrize("seed", [0, 7])
def test_the_confusion_is_realised_as_stated(confusion: tuple[tuple[float, ...], ...], seed: int) -> None:
    labels = read(confusion, seed)
    for grade, row in enumerate(confusion):
        counts = np.bincount(labels[np.equal(REFERENCE, grade)], minlength=5)
        possible = np.array(row) > 0
        assert counts[~possible].sum() == 0
        if possible.sum() > 1:
            assert chisquare(counts[possible], np.array(row)[possible] * counts.sum()).pvalue > 0.001


def test_an_adjacent_rater_is_reflected_at_the_ends() -> None:
    assert adjacent(0.2)[0] == pytest.approx((0.8, 0.2, 0, 0, 0))
    assert adjacent(0.2)[2] == pytest.approx((0, 0.1, 0.8, 0.1, 0))
    assert adjacent(0.2)[4] == pytest.approx((0, 0, 0, 0.2, 0.8))
    assert NoisyRater(adjacent=0.3).matrix(2) == pytest.approx(np.array([[0.7, 0.3], [0.3, 0.7]]))


def test_a_careless_rater_of_the_same_seed_misreads_what_the_careful_one_does_and_more() -> None:
    careful, careless, other = read(adjacent(0.1)), read(adjacent(0.4)), read(adjacent(0.1), seed=1)
    wrong = careful != REFERENCE
    assert (careless[wrong] == careful[wrong]).all()
    assert (careless != REFERENCE).sum() > 3 * wrong.sum()
    assert np.mean((other != REFERENCE)[wrong]) == pytest.approx(0.1, abs=0.03)  # another seed: other cases


def test_a_reading_belongs_to_the_case_whatever_stands_beside_it() -> None:
    order = np.random.default_rng(3).permutation(COUNT)[:500]
    part = reread(REFERENCE[order], [COHORTS[place] for place in order], [CASES[place] for place in order], MEASURED, 0)
    assert (part == read(MEASURED)[order]).all()
    assert uniform_draws(0, "a", "1") != uniform_draws(0, "b", "1")


def test_the_two_draws_of_a_case_are_uniform_and_independent() -> None:
    both = np.array([uniform_draws(4, "a", case) for case in CASES])
    assert both.min() >= 0
    assert both.max() < 1
    table = np.histogram2d(both[:, 0], both[:, 1], bins=5)[0]
    assert chisquare(table.ravel()).pvalue > 0.001


def test_the_input_is_left_alone_and_a_label_that_is_no_class_is_refused() -> None:
    before = REFERENCE.copy()
    read(adjacent(1.0))
    assert (before == REFERENCE).all()
    with pytest.raises(KneeoaError, match="Label 5 is not one of the 5 classes"):
        reread(np.array([0, 5]), ["a", "a"], ["1", "2"], adjacent(0.1), 0)
