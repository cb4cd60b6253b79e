"""A coarse level read from a fine head."""

import numpy as np
import pytest
from scipy.special import softmax

from kneeoa.errors import KneeoaError
from kneeoa.hierarchy import derive_label, derive_probabilities

GROUPS = (0, 0, 1, 1, 1)


def test_probabilities_are_summed_by_group_and_not_renormalised() -> None:
    fine = np.array([[0.1, 0.2, 0.3, 0.4, 0.0], [0.5, 0.5, 0.1, 0.0, 0.0]])
    assert derive_probabilities(fine, GROUPS, 2) == pytest.approx(np.array([[0.3, 0.7], [1.0, 0.1]]))


def test_interleaved_groups_and_empty_parents() -> None:
    assert derive_probabilities(np.array([[0.2, 0.3, 0.5]]), (2, 0, 2), 3) == pytest.approx(np.array([[0.3, 0.0, 0.7]]))


def test_single_precision_is_summed_in_double() -> None:
    fine = np.full((1, 5), 0.2, dtype=np.float32)
    assert derive_probabilities(fine, GROUPS, 2).dtype == np.float64


def test_a_sum_that_passes_one_by_rounding_is_one_and_every_other_is_as_it_was() -> None:
    """A softmax in single precision, and one in double: both sum to more than 1 in some rows."""
    logits = np.random.default_rng(0).normal(size=(10_000, 5)) * 12
    double = softmax(logits, axis=1)
    for fine in (double, softmax(logits.astype(np.float32), axis=1)):
        p = fine.astype(float)
        bare = np.stack([p[:, 0] + p[:, 1], p[:, 2] + p[:, 3] + p[:, 4]], axis=1)
        coarse = derive_probabilities(fine, GROUPS, 2)
        above = bare > 1
        assert above.any()
        assert coarse.max() == 1.0
        assert (coarse[above] == 1.0).all()
        assert (coarse[~above] == bare[~above]).all()


def test_an_excess_that_is_no_rounding_stays_to_be_refused() -> None:
    fine = np.array([[0.0, 0.0, 0.5, 0.3, 0.21]])
    assert derive_probabilities(fine, GROUPS, 2)[0, 1] == pytest.approx(1.01)
    assert derive_probabilities(fine, GROUPS, 2, tolerance=0.05)[0, 1] == 1.0


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
