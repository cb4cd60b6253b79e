import numpy as np
import pytest
from sklearn.decomposition import PCA

from kneeoa.geometry.held_out_measures import participation_ratio, variance_measures


def test_explained_variance_is_pcas_on_the_fitted_cases() -> None:
    values = np.random.default_rng(0).normal(size=(50, 6)) * [4, 2, 1, 1, 1, 1]
    pca = PCA(2).fit(values)
    share = variance_measures(values, pca.components_[0]).compute(np.ones((1, 50)))["explained_variance"][0]
    assert share == pytest.approx(pca.explained_variance_ratio_[0], abs=1e-12)


def test_explained_variance_with_weights_is_that_of_the_repeated_table() -> None:
    generator = np.random.default_rng(1)
    values, direction = generator.normal(size=(20, 3)) + 7, np.array([0.6, 0.8, 0])
    weights = generator.integers(0, 3, size=20).astype(float)
    copy = np.repeat(values, weights.astype(int), axis=0)
    share = variance_measures(values, direction).compute(weights[None])["explained_variance"][0]
    assert share == pytest.approx((copy @ direction).var() / copy.var(axis=0).sum(), abs=1e-12)


def test_one_distinct_case_has_no_variance_to_explain() -> None:
    values = np.random.default_rng(1).normal(size=(4, 3))
    measured = variance_measures(values, np.array([1.0, 0, 0])).compute(np.array([[0.0, 4, 0, 0]]))
    assert np.isnan(measured["explained_variance"][0])


@pytest.mark.parametrize("directions", [1, 2, 5])
def test_participation_ratio_counts_equal_directions(directions: int) -> None:
    corners = np.r_[np.eye(directions), -np.eye(directions)]  # equal variance along each direction, uncorrelated
    values = np.c_[corners, np.zeros((2 * directions, 3))] + 4.0
    estimate = participation_ratio(values, np.arange(2 * directions).astype(str), confidence=0.95)
    assert estimate.value == pytest.approx(directions)


def test_participation_ratio_has_a_jackknife_interval_over_subjects() -> None:
    values = np.random.default_rng(2).normal(size=(30, 4)) * [3, 1, 1, 1]
    subjects = np.repeat(np.arange(15), 2).astype(str)

    def ratio(rows: np.ndarray) -> float:
        spectrum = np.linalg.eigvalsh(np.cov(rows.T))
        return float(spectrum.sum() ** 2 / (spectrum**2).sum())

    left_out = np.array([ratio(values[subjects != name]) for name in np.unique(subjects)])
    error = np.sqrt(14 / 15 * ((left_out - left_out.mean()) ** 2).sum())
    estimate = participation_ratio(values, subjects, confidence=0.95)
    assert estimate.value == pytest.approx(ratio(values))
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.high - estimate.low == pytest.approx(2 * 1.959964 * error, rel=1e-6)


def test_participation_ratio_of_equal_embeddings_is_undefined() -> None:
    estimate = participation_ratio(np.full((5, 3), 0.1), np.arange(5).astype(str), confidence=0.95)
    assert estimate.value is None
    assert estimate.note == "undefined: the cases do not vary"
