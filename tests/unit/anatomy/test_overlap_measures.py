import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kneeoa.anatomy.overlap_measures import (
    SIZE,
    TOP_PERCENT,
    distributions,
    measure_names,
    overlap_measures,
    rank_distribution,
    top_count,
    top_distribution,
)


@pytest.fixture
def tissue() -> np.ndarray:
    share = np.zeros((10, 20))
    share[2:6, 3:8] = 1
    share[6, 3:8] = 0.5  # the edge of the tissue fills half of these cells
    return share


def value(saliency: np.ndarray, share: np.ndarray) -> dict[str, float]:
    by_name = distributions(saliency, saliency)
    if by_name:
        by_name[SIZE] = top_distribution(saliency, max(1, round(float(share.sum()))))
    wanted = [one for one in overlap_measures(share.size, float(share.mean())) if one.field == "share"]
    return {one.name: one.of_hit(float((by_name[one.distribution] * share).sum())) for one in wanted}


def chance(share: np.ndarray) -> dict[str, float]:
    return {one.name: one.of_hit(float(share.mean())) for one in overlap_measures(share.size, float(share.mean())) if one.field == "share"}


def test_a_uniform_map_is_exactly_at_chance(tissue: np.ndarray) -> None:
    values = value(np.full(tissue.shape, 0.7), tissue)
    fraction = 22.5 / 200
    assert values["mass"] == pytest.approx(fraction, abs=1e-14)
    assert values["enrichment"] == pytest.approx(1, abs=1e-13)
    assert values["normalised"] == pytest.approx(0, abs=1e-13)
    assert values == pytest.approx(chance(tissue), abs=1e-13)
    for percent in TOP_PERCENT:
        count = 200 * percent // 100
        assert values[f"top{percent}_overlap"] == pytest.approx(fraction, abs=1e-14)
        assert values[f"top{percent}_dice"] == pytest.approx(2 * count * fraction / (count + 22.5), abs=1e-14)


def test_a_map_that_is_the_mask_lies_wholly_inside(tissue: np.ndarray) -> None:
    mask = (tissue == 1).astype(float)  # 20 of 200 cells: exactly the top 10 %
    values = value(mask * 5, mask)
    assert values["mass"] == 1
    assert values["normalised"] == pytest.approx(1)
    assert values["enrichment"] == pytest.approx(10)
    assert values["top1_overlap"] == values["top5_overlap"] == values["top10_overlap"] == pytest.approx(1)
    assert values["top10_dice"] == pytest.approx(1)
    assert values["top5_dice"] == pytest.approx(2 * 10 / (10 + 20))


def test_a_map_outside_the_mask_has_no_overlap(tissue: np.ndarray) -> None:
    values = value((tissue == 0).astype(float), tissue)
    assert values["mass"] == values["enrichment"] == values["top10_overlap"] == 0
    assert values["normalised"] < 0


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
    lost = {"normalised", "absolute_normalised", "auroc"}
    named = {name for name in measure_names() if not name.startswith("region_")}
    assert {one.name for one in overlap_measures(10, 1.0)} == named - lost


def test_small_maps_have_a_top_of_one_cell() -> None:
    assert [top_count(20, percent) for percent in TOP_PERCENT] == [1, 1, 2, 5]


def test_auroc_and_rank_accuracy_are_the_known_ones() -> None:
    generator = np.random.default_rng(0)
    share = (generator.uniform(size=(8, 9, 10)) < 0.1).astype(float)
    saliency = np.round(generator.uniform(size=share.shape) + 0.3 * share, 1)  # many ties
    values = value(saliency, share)
    assert values["auroc"] == pytest.approx(roc_auc_score(share.ravel(), saliency.ravel()), abs=1e-12)
    distinct = generator.permutation(share.size).reshape(share.shape) + 200.0 * share
    top = np.argsort(-distinct, axis=None)[: int(share.sum())]
    assert value(distinct, share)["rank_accuracy"] == pytest.approx(share.ravel()[top].mean())
    assert value(share, share)["auroc"] == pytest.approx(1)
    assert value(share, share)["rank_accuracy"] == pytest.approx(1)


def test_auroc_weighs_partly_filled_cells_by_pairs(tissue: np.ndarray) -> None:
    saliency = np.round(np.random.default_rng(3).uniform(size=tissue.shape), 1)
    s, w = saliency.ravel(), tissue.ravel()
    wins = (s[:, None] > s) + 0.5 * (s[:, None] == s)
    by_pairs = (w @ wins @ (1 - w)) / (w.sum() * (1 - w).sum())
    assert value(saliency, tissue)["auroc"] == pytest.approx(by_pairs, abs=1e-12)
    assert rank_distribution(saliency).sum() == pytest.approx(1)


def test_the_region_ignores_what_lies_outside(tissue: np.ndarray) -> None:
    region = np.zeros(tissue.shape, dtype=bool)
    region[:8, :10] = True
    saliency = np.where(region, tissue, 100.0)
    by_name = distributions(saliency, region=region)
    assert (by_name["region_top5"] * tissue).sum() == pytest.approx(1)
    assert (by_name["top5"] * tissue).sum() == 0
    fraction = float(tissue[region].mean())
    regional = {one.name: one for one in overlap_measures(200, float(tissue.mean()), (80, fraction))}
    assert regional["region_mass"].of_hit(float((by_name["region_mass"] * tissue).sum())) == pytest.approx((20 + 2.5 / 2) / 22.5)
    assert regional["region_normalised"].of_hit(fraction) == pytest.approx(0)
    assert "region_mass" not in distributions(np.where(region, 0.0, 1.0), region=region)
