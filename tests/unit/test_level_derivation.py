"""A coarse level read from a fine head."""

import numpy as np
import pytest
from scipy.special import softmax

from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_label, derive_probabilities

GROUPS = (0, 0, 1, 1, 1)


def test_probabilities_are_summed_by_group_in_rows_made_to_sum_to_one() -> None:
    fine = np.array([[0.1, 0.2, 0.3, 0.4, 0.0], [0.33, 0.33, 0.33, 0.0, 0.0]])
    assert derive_probabilities(fine, GROUPS, 2).tolist() == [[0.3, 0.7], [66 / 99, 33 / 99]]


def test_interleaved_groups_and_empty_parents() -> None:
    assert derive_probabilities(np.array([[0.2, 0.3, 0.5]]), (2, 0, 2), 3) == pytest.approx(np.array([[0.3, 0.0, 0.7]]))


def test_single_precision_is_summed_in_double() -> None:
    fine = np.full((1, 5), 0.2, dtype=np.float32)
    assert derive_probabilities(fine, GROUPS, 2).dtype == np.float64


def test_rounding_of_a_softmax_moves_no_sum_past_one() -> None:
    """A softmax in single precision, and one in double: both sum to more than 1 in some rows."""
    logits = np.random.default_rng(0).normal(size=(10_000, 5)) * 12
    double = softmax(logits, axis=1)
    for fine, rounding in ((double, 1e-15), (softmax(logits.astype(np.float32), axis=1), 1e-6)):
        p = fine.astype(float)
        bare = np.stack([p[:, 0] + p[:, 1], p[:, 2] + p[:, 3] + p[:, 4]], axis=1)
        coarse = derive_probabilities(fine, GROUPS, 2)
        assert (bare > 1).any()
        assert coarse.max() <= 1.0
        np.testing.assert_allclose(coarse, bare, rtol=rounding)


def test_a_row_that_does_not_sum_to_one_is_refused_with_its_sum() -> None:
    with pytest.raises(KneeoaError, match=r"sum to 0\.96;"):
        derive_probabilities(np.array([[0.0, 0.0, 0.45, 0.3, 0.21]]), GROUPS, 2)


def test_labels_follow_the_groups() -> None:
    assert [derive_label(grade, GROUPS) for grade in range(5)] == [0, 0, 1, 1, 1]


def test_misfits_are_refused() -> None:
    with pytest.raises(KneeoaError, match="5 fine classes"):
        derive_probabilities(np.zeros((2, 4)), GROUPS, 2)
    with pytest.raises(KneeoaError, match="0 to 0"):
        derive_probabilities(np.zeros((2, 5)), GROUPS, 1)
    with pytest.raises(KneeoaError, match="Label 5"):
        derive_label(5, GROUPS)
    with pytest.raises(KneeoaError, match="Label -1"):
        derive_label(-1, GROUPS)
