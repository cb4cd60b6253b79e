import numpy as np
import pytest

from kneeoa.anatomy.overlap import TOP_PERCENT, distributions, measure_names, measures, top_count, top_distribution


@pytest.fixture
def tissue() -> np.ndarray:
    share = np.zeros((10, 20))
    share[2:6, 3:8] = 1
    share[6, 3:8] = 0.5  # the edge of the tissue fills half of these cells
    return share


def value(saliency: np.ndarray, share: np.ndarray) -> dict[str, float]:
    found = distributions(saliency)
    return {one.name: one.of_hit(float((found[one.distribution] * share).sum())) for one in measures(share.size, float(share.mean()))}


def chance(share: np.ndarray) -> dict[str, float]:
    return {one.name: one.of_hit(float(share.mean())) for one in measures(share.size, float(share.mean()))}


def test_a_uniform_map_is_exactly_at_chance(tissue: np.ndarray) -> None:
    found = value(np.full(tissue.shape, 0.7), tissue)
    fraction = 22.5 / 200
    assert found["mass"] == pytest.approx(fraction, abs=1e-14)
    assert found["enrichment"] == pytest.approx(1, abs=1e-13)
    assert found["normalised"] == pytest.approx(0, abs=1e-13)
    assert found == pytest.approx(chance(tissue), abs=1e-13)
    for percent in TOP_PERCENT:
        count = 200 * percent // 100
        assert found[f"top{percent}_overlap"] == pytest.approx(fraction, abs=1e-14)
        assert found[f"top{percent}_dice"] == pytest.approx(2 * count * fraction / (count + 22.5), abs=1e-14)


def test_a_map_that_is_the_mask_lies_wholly_inside(tissue: np.ndarray) -> None:
    mask = (tissue == 1).astype(float)  # 20 of 200 cells: exactly the top 10 %
    found = value(mask * 5, mask)
    assert found["mass"] == 1
    assert found["normalised"] == pytest.approx(1)
    assert found["enrichment"] == pytest.approx(10)
    assert found["top1_overlap"] == found["top5_overlap"] == found["top10_overlap"] == pytest.approx(1)
    assert found["top10_dice"] == pytest.approx(1)
    assert found["top5_dice"] == pytest.approx(2 * 10 / (10 + 20))


def test_a_map_outside_the_mask_has_no_overlap(tissue: np.ndarray) -> None:
    found = value((tissue == 0).astype(float), tissue)
    assert found["mass"] == found["enrichment"] == found["top10_overlap"] == 0
    assert found["normalised"] < 0


def test_ties_at_the_threshold_share_the_expectation() -> None:
    weights = top_distribution(np.array([5.0, 3, 3, 3, 1, 0]), 3)
    np.testing.assert_allclose(weights * 3, [1, 2 / 3, 2 / 3, 2 / 3, 0, 0])
    distinct = np.random.default_rng(0).permutation(50).astype(float)
    np.testing.assert_allclose(top_distribution(distinct, 5), np.where(distinct >= 45, 0.2, 0))


def test_the_ratio_of_a_partly_filled_cell_counts_in_part(tissue: np.ndarray) -> None:
    saliency = np.zeros(tissue.shape)
    saliency[6, 3], saliency[2, 3] = 1, 3
    assert value(saliency, tissue)["mass"] == pytest.approx((0.5 + 3) / 4)


def test_a_zero_map_has_no_distribution() -> None:
    assert distributions(np.zeros((3, 3))) == {}


def test_a_tissue_that_fills_the_volume_has_no_normalised_mass() -> None:
    assert {one.name for one in measures(10, 1.0)} == set(measure_names()) - {"normalised"}


def test_small_maps_have_a_top_of_one_cell() -> None:
    assert [top_count(20, percent) for percent in TOP_PERCENT] == [1, 1, 2]
