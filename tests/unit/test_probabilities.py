"""Sums of class probabilities rank cases as exact arithmetic does; what rounding explains is
accepted, the rest is refused with digits that show it.
"""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from kneeoa.errors import InvalidInput, KneeoaError
from kneeoa.level_derivation import derive_probabilities
from kneeoa.probabilities import (
    ROUNDING,
    class_odds,
    class_share,
    decimals_of,
    first_bad_row,
    mean_class,
    mean_class_rank,
    require_probabilities,
)
from kneeoa.statistics.kernels import kernel_of
from kneeoa.statistics.metric_kernel import Run
from kneeoa.statistics.metrics import predicted_class
from kneeoa.statistics.ordinal import at_least

GRADES = np.random.default_rng(0).integers(0, 5, 120)


def softmax(scale: float, seed: int = 1) -> np.ndarray:
    """Probabilities ``[120, 5]`` of a model that is the surer the larger the scale."""
    latent = GRADES + 1.2 * np.random.default_rng(seed).normal(size=GRADES.size)
    logits = -((latent[:, None] - np.arange(5)) ** 2) * scale
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


TABLES = {
    "double": softmax(2.0),
    "single": softmax(6.0).astype(np.float32).astype(np.float64),
    "single, saturated": softmax(9.0).astype(np.float32).astype(np.float64),
    "double, saturated": softmax(9.0),
    "half": softmax(1.0).astype(np.float16).astype(np.float64),
    "two decimals": softmax(0.8).round(2),
    "three decimals": softmax(0.8).round(3),
    "one decimal": softmax(0.8).round(1),
    "two decimals in single precision": softmax(0.8).round(2).astype(np.float32).astype(np.float64),
    "hard calls": np.eye(5)[predicted_class(softmax(0.8))],
}


def exact(name: str) -> list[list[Fraction]]:
    """The table's numbers: as written where they are decimals, else as they are held."""
    decimals = next((int(word) for word in ("1", "2", "3") if {"1": "one", "2": "two", "3": "three"}[word] in name), None)
    turn = Fraction if decimals is None else lambda value: Fraction(round(float(value) * 10**decimals), 10**decimals)
    return [[turn(value) for value in row] for row in TABLES[name]]


def wins(positive: np.ndarray, scores: list[Fraction]) -> Fraction:
    """The AUC by definition: every pair, ties half."""
    pairs = list(
        product(
            [a for a, flag in zip(scores, positive, strict=True) if flag], [b for b, flag in zip(scores, positive, strict=True) if not flag]
        )
    )
    return Fraction(sum(2 * (a > b) + (a == b) for a, b in pairs), 2 * len(pairs))


@pytest.mark.parametrize("name", TABLES)
def test_every_score_that_is_a_sum_of_columns_ranks_as_exact_arithmetic_does(name: str) -> None:
    table, rows = TABLES[name], exact(name)
    run = {cut: Run(GRADES, table, predicted_class(table), cut) for cut in range(1, 5)}
    for cut in range(1, 5):
        want = wins(cut <= GRADES, [sum(row[cut:]) / sum(row) for row in rows])
        assert kernel_of("cut_auc").influence(run[cut]).value == pytest.approx(float(want), abs=1e-14)
    coarse = derive_probabilities(table, (0, 0, 1, 1, 1), 2)
    want = wins(GRADES >= 2, [sum(row[2:]) / sum(row) for row in rows])
    derived = Run((GRADES >= 2).astype(np.int64), coarse, predicted_class(coarse))
    assert kernel_of("auc").influence(derived).value == pytest.approx(float(want), abs=1e-14)
    means = [sum(k * value for k, value in enumerate(row)) / sum(row) for row in rows]
    pairs = [(a, b) for a, b in product(range(GRADES.size), repeat=2) if GRADES[a] > GRADES[b]]
    ordered = Fraction(sum(2 * (means[a] > means[b]) + (means[a] == means[b]) for a, b in pairs), 2 * len(pairs))
    assert kernel_of("c_index").influence(run[1]).value == pytest.approx(float(ordered), abs=1e-14)


@pytest.mark.parametrize("name", TABLES)
def test_a_set_of_classes_and_the_rest_sum_to_one_and_lie_between_none_and_all(name: str) -> None:
    table = TABLES[name]
    parts = derive_probabilities(table, (0, 1, 0, 2, 1), 3)
    np.testing.assert_allclose(parts.sum(axis=1), 1.0, rtol=0, atol=4e-16)
    for cut in range(1, 5):
        share = at_least(table, cut)
        assert ((share >= 0) & (share <= 1)).all()
        np.testing.assert_allclose(share, [float(sum(row[cut:]) / sum(row)) for row in exact(name)], rtol=1e-14)
    np.testing.assert_allclose(mean_class(table), [float(sum(k * v for k, v in enumerate(r)) / sum(r)) for r in exact(name)], rtol=1e-14)
    assert class_share(table, []).tolist() == [0.0] * len(table)
    assert class_share(table, range(5)).tolist() == [1.0] * len(table)


def test_ties_of_a_table_of_few_decimals_are_kept() -> None:
    table = np.array([[0.7, 0.1, 0.2], [0.7, 0.3, 0.0], [0.7, 0.0, 0.3], [0.35, 0.25, 0.4]])
    for stored in (table, table.astype(np.float32).astype(np.float64)):
        assert decimals_of(stored) == 2
        for scores in (class_share(stored, [1, 2]), class_odds(stored, [1, 2])):
            assert scores[0] == scores[1] == scores[2] < scores[3]
    assert class_share(table, [1, 2])[0] == 0.3
    assert class_share(TABLES["two decimals"], [2, 3, 4]).round(9).size > len(set(class_share(TABLES["two decimals"], [2, 3, 4])))
    means = mean_class(np.array([[0.1, 0.7, 0.2], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4]]))
    assert len(set(means)) == 1


def test_the_order_of_columns_cannot_part_equal_sums() -> None:
    row = TABLES["double"][3, 1:]
    table = np.array([[TABLES["double"][3, 0], *row[list(order)]] for order in ((0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1))])
    assert len(set(class_odds(table, [1, 2, 3, 4]))) == len(set(class_share(table, [2, 3, 4, 1]))) == 1


def test_cases_that_a_double_cannot_part_are_parted_by_their_odds() -> None:
    table = np.array([[1e-20, 1.0 - 1e-9, 1e-9], [1e-25, 1.0 - 1e-9, 1e-9], [0.0, 1.0, 0.0], [1.0, 1e-30, 0.0], [1.0, 0.0, 0.0]])
    assert class_share(table, [1, 2]).tolist()[:3] == [1.0] * 3
    assert np.argsort(class_odds(table, [1, 2])).tolist() == [4, 3, 0, 1, 2]
    assert np.isfinite(class_odds(table, [1, 2])).all()
    near = np.array([[[1e-18, 1.0, 0.0], [1e-20, 1.0, 0.0], [0.0, 1.0, 1e-20], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]])
    assert mean_class_rank(near).tolist() == [[1, 2, 4, 3, 0]]


@pytest.mark.parametrize(
    ("row", "explained"),
    [
        ([0.32, 0.32, 0.32, 0.0, 0.0], False),  # 0.96 in two decimals
        ([0.33, 0.33, 0.33, 0.0, 0.0], True),
        ([0.48, 0.48], False),
        ([0.495, 0.495], False),
        ([0.3, 0.3, 0.3], True),  # of one decimal
        ([1.0000001192, 0.0], True),
        ([0.50000005, 0.50000007], True),
        ([0.5001, 0.5003], False),
        ([0.333333, 0.333333, 0.333333], True),
        ([1.23e-5, 0.123, 0.876], True),  # of three significant digits: 0.9990123
        ([0.0123, 0.988], True),
        ([0.0123, 0.990], False),
        ([0.9, 0.06], False),
        ([1.23e-5, 0.123, 0.87], False),
        ([0.96 / 3] * 3, False),
        ([np.float16(1 / 3)] * 3, True),
    ],
)
def test_rows_are_refused_by_more_than_their_precision_explains(row: list[float], explained: bool) -> None:
    good = [1.0] + [0.0] * (len(row) - 1)
    assert first_bad_row(np.array([good, row], dtype=np.float64)) == (None if explained else 1)


def test_what_passes_the_ends_by_rounding_is_moved_there() -> None:
    assert require_probabilities(np.array([-1e-9, 0.5, 1.0000001192]), "p").tolist() == [0.0, 0.5, 1.0]
    assert require_probabilities(np.array([]), "p").size == 0
    with pytest.raises(KneeoaError, match=r"^p: expected values from 0 to 1, found 2\.5e-09 to 1\.00001\.$"):
        require_probabilities(np.array([2.5e-09, 1.00001]), "p")
    with pytest.raises(KneeoaError, match=r"found -1e-05 to 0\.5\."):
        require_probabilities(np.array([-1e-05, 0.5]), "p")
    assert ROUNDING == 1e-6


def test_what_has_no_sum_is_refused() -> None:
    with pytest.raises(KneeoaError, match=r"sum to 0; they must sum to 1"):
        class_share(np.array([[0.5, 0.5], [0.0, 0.0]]), [1])
    with pytest.raises(KneeoaError, match=r"classes from 0 to 1, got \[2\]"):
        class_odds(np.array([[0.5, 0.5]]), [2])
    with pytest.raises(InvalidInput, match="finite"):
        mean_class(np.array([[0.5, np.nan]]))
