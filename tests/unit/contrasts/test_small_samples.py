"""The rule of few subjects: which test makes a row, by how many subjects there are and how many
carry the difference.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from kneeoa.config.hierarchy import Level
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.paired import PairedTests
from kneeoa.contrasts.small_samples import rankings_of, sums_of
from kneeoa.probabilities import class_odds
from kneeoa.statistics.delong import delong_test
from kneeoa.statistics.kernels import KERNELS
from kneeoa.statistics.sign_permutation import effective_number, lack_of_subjects, sign_test

GRADES = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))
OA = Level(name="oa", kind="binary", classes=("no", "yes"))


def two_models(level: Level, people: int, knees: int, seed: int) -> tuple[LevelPredictions, LevelPredictions]:
    """Both models' predictions of ``knees`` knees of each of ``people``, all classes in equal
    parts; the second is the noisier.
    """
    rng, count, classes = np.random.default_rng(seed), people * knees, len(level.classes)
    truth = np.arange(count) % classes
    subjects = np.array([f"p{place:03d}" for place in np.arange(count) // knees])
    base = 1.5 * (np.arange(classes) == truth[:, None]) + rng.normal(size=(count, classes))
    sides = []
    for arm, noise in (("a", 0.8), ("b", 2.5)):
        logits = base + noise * rng.normal(size=(count, classes))
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        names = tuple(f"c{case}" for case in range(count))
        sides.append(LevelPredictions(arm, level, level.name, (0,), names, subjects, truth, probabilities[None], unread=0))
    return sides[0], sides[1]


METRICS = ("macro_auc", "weighted_auc", "c_index", "adjacent_auc", "cut_auc_1", "cut_auc_4")


@pytest.mark.parametrize("knees", [1, 2])
@pytest.mark.parametrize("name", METRICS)
def test_fewer_than_forty_people_have_every_auc_tested_by_exchange(name: str, knees: int) -> None:
    tests = PairedTests(*two_models(GRADES, 39, knees, seed=3), Statistics(resamples=10))
    outcome = tests.run(name, "delong")
    sums = sums_of(tests.parts(name), tests.candidate.subjects)
    assert outcome.p == sign_test(sums, rankings=1).p >= sign_test(sums).p
    assert outcome.df == pytest.approx(effective_number(sums) - 1)
    assert "39, below 40" in outcome.note or "below 6" in outcome.note
    assert (outcome.p < 0.05) == (outcome.low > 0 or outcome.high < 0)


def test_forty_people_have_delongs_test_and_an_interval_that_agrees_with_it() -> None:
    for seed in range(3):
        a, b = two_models(OA, 40, 2, seed)
        tests = PairedTests(a, b, Statistics(resamples=10))
        outcome = tests.run("auc", "delong")
        effective = effective_number(sums_of(tests.parts("auc"), a.subjects))
        assert effective > 6
        by_formula = delong_test(a.truth, class_odds(a.probabilities, [1])[0], class_odds(b.probabilities, [1])[0], a.subjects)
        assert (outcome.p, outcome.low, outcome.high) == (by_formula.p, by_formula.low, by_formula.high)
        assert math.isinf(outcome.df)


def test_the_two_numbers_of_the_rule() -> None:
    assert lack_of_subjects("delong", 39, 20.0) == "39, below 40"
    assert lack_of_subjects("delong", 2000, 5.94) == "effective number 5.9, below 6"
    assert lack_of_subjects("delong", 40, 6.0) == lack_of_subjects("delta", 16, 15.0) == ""
    assert lack_of_subjects("delta", 2000, 14.0) == "effective number 14.0, below 15"


def test_ranks_are_those_of_aucs() -> None:
    assert {name for name in KERNELS if rankings_of(name)} == {"auc", "macro_auc", "weighted_auc", "c_index", "adjacent_auc", "cut_auc"}


def test_models_that_are_equal_in_few_people_differ_by_nothing() -> None:
    a, _ = two_models(OA, 12, 2, seed=1)
    outcome = PairedTests(a, replace(a, arm="b"), Statistics(resamples=10)).run("auc", "delong")
    assert (outcome.difference, outcome.p, outcome.degenerate) == (0.0, 1.0, True)
