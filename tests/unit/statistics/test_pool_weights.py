"""Weights of a pool, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.statistics.pool_weights import fit_pool_weights


def test_two_models_that_are_certain_of_their_own_cases_share_by_their_number() -> None:
    """Model a gives 0.9 and b 0.1 to three labels, the other way round for one: d/dw of 3 log(0.1 +
    0.8 w) + log(0.9 - 0.8 w) is zero at w = 13/16.
    """
    fitted = fit_pool_weights([[0.9, 0.1]] * 3 + [[0.1, 0.9]])
    assert fitted.weights == pytest.approx([13 / 16, 3 / 16], abs=1e-7)
    assert fitted.loss == pytest.approx(-(3 * np.log(0.75) + np.log(0.25)) / 4, abs=1e-12)
    assert fitted.loss_equal == pytest.approx(np.log(2))
    assert fitted.gap <= 1e-9


def test_a_model_that_is_worse_everywhere_has_no_weight_and_equal_ones_share_alike() -> None:
    worse = fit_pool_weights(np.array([[0.8, 0.4], [0.6, 0.3]]))
    assert worse.weights == pytest.approx([1.0, 0.0], abs=1e-6)
    far = fit_pool_weights(np.array([[0.9, 0.01], [0.8, 0.01]]))
    assert far.weights.tolist() == [1.0, 0.0]
    same = fit_pool_weights(np.repeat(np.random.default_rng(0).random((50, 1)), 3, axis=1))
    assert same.weights == pytest.approx([1 / 3] * 3, abs=1e-15)


def test_a_label_that_no_model_allows_for_does_not_decide() -> None:
    fitted = fit_pool_weights([[0.0, 0.0], [0.9, 0.1], [0.8, 0.2]])
    assert np.isfinite(fitted.loss)
    assert fitted.weights[0] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("values", [np.zeros((0, 2)), np.zeros(3)])
def test_nothing_to_fit_is_refused(values: np.ndarray) -> None:
    with pytest.raises(KneeoaError, match=r"expected \[cases, models\]"):
        fit_pool_weights(values)
