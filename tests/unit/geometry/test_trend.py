import numpy as np
import pytest
from scipy.stats import kendalltau, linregress, norm
from sklearn.isotonic import IsotonicRegression

from kneeoa.geometry.partial_correlation import partial_measures
from kneeoa.geometry.rank_measures import grade_measures


@pytest.fixture
def tied() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    grade = rng.integers(0, 5, size=60)
    return np.round(np.array([0, -0.5, 1, 0.8, 2])[grade] + rng.normal(scale=1.0, size=60), 1), grade


def test_trend_and_shares_are_those_of_scipy_and_sklearn(tied: tuple[np.ndarray, np.ndarray]) -> None:
    position, grade = tied
    measured = {name: value[0] for name, value in grade_measures(position, grade, range(5)).compute(np.ones((1, 60))).items()}
    reference = kendalltau(position, grade, method="asymptotic")
    assert 2 * norm.sf(measured["jonckheere_terpstra_z"]) == pytest.approx(reference.pvalue, rel=1e-9)
    assert measured["linear_r2"] == pytest.approx(linregress(grade, position).rvalue ** 2)
    fitted = IsotonicRegression().fit(grade, position).predict(grade)
    total = ((position - position.mean()) ** 2).sum()
    assert measured["isotonic_r2"] == pytest.approx(1 - ((position - fitted) ** 2).sum() / total)
    means = np.array([position[grade == k].mean() for k in range(5)])
    within = ((position - means[grade]) ** 2).sum()
    assert measured["eta2"] == pytest.approx(1 - within / total)
    assert measured["linear_r2"] <= measured["isotonic_r2"] < measured["eta2"]
    assert measured["adjacent_d_min"] == pytest.approx(np.diff(means).min() / np.sqrt(within / 60))


def test_an_axis_that_falls_explains_nothing_as_a_rising_one(tied: tuple[np.ndarray, np.ndarray]) -> None:
    _, grade = tied
    measured = grade_measures(np.array([2.0, 1.5, 1, 0.5, 0])[grade], grade, range(5)).compute(np.ones((1, 60)))
    assert measured["linear_r2"][0] == 0
    assert measured["isotonic_r2"][0] == pytest.approx(0, abs=1e-12)
    assert measured["eta2"][0] == pytest.approx(1)


def test_partial_correlation_removes_what_the_grade_tells() -> None:
    rng = np.random.default_rng(0)
    grade = rng.integers(0, 5, 400).astype(float)
    position, amount = grade + rng.normal(size=400), -grade + rng.normal(size=400)
    none = partial_measures(position, amount, grade).compute(np.ones((1, 400)))["partial_spearman"][0]
    assert np.corrcoef(position, amount)[0, 1] < -0.5
    assert abs(none) < 0.12
    partial = partial_measures(position, amount - position, grade).compute(np.ones((1, 400)))["partial_spearman"][0]
    assert partial < -0.5
    assert np.isnan(partial_measures(grade, amount, grade).compute(np.ones((1, 400)))["partial_spearman"][0])
