"""A coarse level read from a fine head."""

import numpy as np
import pytest

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
