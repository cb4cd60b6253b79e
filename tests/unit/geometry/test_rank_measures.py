import numpy as np
import pytest
from scipy import stats
from scipy.stats import kendalltau, linregress, norm
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from kneeoa.geometry.held_out_measures import partial_measures
from kneeoa.geometry.rank_measures import SortedValues, binary_measures, correlation_measures, grade_measures, weighted_pearson


@pytest.fixture
def tied() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    grade = generator.integers(0, 5, size=60)
    position = np.round(grade + generator.normal(scale=1.5, size=60), 0)  # many ties
    return position, grade


def test_unit_weights_give_scipys_values(tied: tuple[np.ndarray, np.ndarray]) -> None:
    position, grade = tied
    measured = {name: value[0] for name, value in grade_measures(position, grade, range(5)).compute(np.ones((1, 60))).items()}
    assert measured["spearman"] == pytest.approx(stats.spearmanr(position, grade).statistic, abs=1e-12)
    assert measured["kendall_tau_b"] == pytest.approx(stats.kendalltau(position, grade).statistic, abs=1e-12)
    assert measured["somers_d"] == pytest.approx(stats.somersd(grade, position).statistic, abs=1e-12)
    for low in range(4):
        pair = (grade == low) | (grade == low + 1)
        assert measured[f"adjacent_auc_{low}_{low + 1}"] == pytest.approx(roc_auc_score(grade[pair] == low + 1, position[pair]), abs=1e-12)
    assert measured["adjacent_auc_min"] == min(measured[f"adjacent_auc_{low}_{low + 1}"] for low in range(4))
    assert measured["centroid_position_3"] == pytest.approx(position[grade == 3].mean())


def test_weights_equal_a_repeated_table(tied: tuple[np.ndarray, np.ndarray]) -> None:
    position, grade = tied
    weights = np.random.default_rng(1).integers(0, 4, size=(3, 60)).astype(float)
    severity = position**2 / 7 + grade
    families = (
        lambda p, g, s: grade_measures(p, g, range(5)),
        lambda p, g, s: binary_measures(p, g >= 2, flip=False),
        lambda p, g, s: correlation_measures(p, s),
    )
    for family in families:
        together = family(position, grade, severity).compute(weights)
        for row, weight in enumerate(weights):
            copy = np.repeat(np.arange(60), weight.astype(int))
            alone = family(position[copy], grade[copy], severity[copy]).compute(np.ones((1, len(copy))))
            for name, values in together.items():
                assert values[row] == pytest.approx(alone[name][0], abs=1e-12), name


def test_a_flipped_probe_has_the_reversed_auc(tied: tuple[np.ndarray, np.ndarray]) -> None:
    position, grade = tied
    families = [binary_measures(position, grade >= 2, flip=flip) for flip in (False, True)]
    auc, reversed_auc = (family.compute(np.ones((1, 60)))["probe_auc"][0] for family in families)
    assert auc == pytest.approx(roc_auc_score(grade >= 2, position))
    assert auc + reversed_auc == pytest.approx(1)


def test_inversions_count_pairs_of_centroids() -> None:
    grade = np.arange(5)
    for position, inversions in (([0, 1, 2, 3, 4], 0), ([0, 2, 1, 3, 4], 1), ([4, 3, 2, 1, 0], 10), ([0, 1, 1, 3, 4], 1)):
        measured = grade_measures(np.array(position, dtype=float), grade, range(5)).compute(np.ones((1, 5)))
        assert measured["centroid_inversions"][0] == inversions
        assert measured["centroid_order"][0] == (inversions == 0)


def test_an_absent_grade_is_undefined_where_it_matters() -> None:
    grade = np.array([0, 0, 2, 2, 3, 4])
    family = grade_measures(np.arange(6.0), grade, range(5))
    measured = family.compute(np.ones((1, 6)))
    assert np.isnan(measured["adjacent_auc_0_1"][0])
    assert np.isnan(measured["adjacent_auc_1_2"][0])
    assert np.isnan(measured["adjacent_auc_min"][0])
    assert np.isnan(measured["centroid_position_1"][0])
    assert measured["adjacent_auc_2_3"][0] == 1
    assert measured["centroid_inversions"][0] == 0
    assert measured["somers_d"][0] == 1
    assert family.undefined["adjacent_auc_0_1"] == "no case of grade 1"
    lost = family.compute(np.array([[1.0, 1, 1, 1, 0, 1]]))  # this resample has no grade 3
    assert np.isnan(lost["centroid_inversions"][0])


def test_constant_positions_have_no_correlation() -> None:
    grade = np.array([0, 1, 2, 3, 4])
    measured = grade_measures(np.full(5, 0.3), grade, range(5)).compute(np.ones((1, 5)))
    assert np.isnan(measured["spearman"][0])
    assert np.isnan(measured["kendall_tau_b"][0])
    assert measured["somers_d"][0] == 0
    assert measured["adjacent_auc_0_1"][0] == 0.5
    assert np.isnan(weighted_pearson(np.ones((1, 5)), np.full(5, 0.1), np.arange(5.0))[0])


def test_ranks_and_empty_input() -> None:
    assert SortedValues(np.array([3.0, 1, 3, 2])).ranks(np.ones((1, 4))).tolist() == [[3.5, 1, 3.5, 2]]
    empty = grade_measures(np.zeros(0), np.zeros(0, dtype=np.int64), range(5)).compute(np.ones((1, 0)))
    assert all(np.isnan(value[0]) for value in empty.values())


@pytest.fixture
def grades_with_ties() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    grade = rng.integers(0, 5, size=60)
    return np.round(np.array([0, -0.5, 1, 0.8, 2])[grade] + rng.normal(scale=1.0, size=60), 1), grade


def test_trend_and_shares_are_those_of_scipy_and_sklearn(grades_with_ties: tuple[np.ndarray, np.ndarray]) -> None:
    position, grade = grades_with_ties
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


def test_an_axis_that_falls_explains_nothing_as_a_rising_one(grades_with_ties: tuple[np.ndarray, np.ndarray]) -> None:
    _, grade = grades_with_ties
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
