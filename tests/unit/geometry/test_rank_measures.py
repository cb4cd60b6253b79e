import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

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
