import numpy as np
import pytest

from kneeoa.anatomy.tissue_fields import cell_size, joint_region, tissue_fields, tissue_shares, tissues_of
from kneeoa.config.analysis import Anatomy

MASK = np.zeros((4, 12, 12), dtype=np.uint8)
MASK[1:3, 4:6, 4:8] = 1


def test_distance_and_nearness_are_in_millimetres() -> None:
    share = (MASK == 1).astype(float)
    tissue = tissue_fields(share, (3.0, 1.0, 0.5), 2.0)
    assert tissue is not None
    assert tissue.distance[1, 8, 5] == pytest.approx(3.0)
    assert tissue.distance[1, 4, 0] == pytest.approx(4 * 0.5)
    assert tissue.near[1, 4, 0] == 1
    assert tissue.near[0, 4, 4] == 0
    assert tissue.distance[share > 0].max() == 0
    assert tissue_fields(np.zeros((2, 2)), (1.0, 1.0), 1.0) is None


def test_cells_of_a_coarser_map_are_larger() -> None:
    assert cell_size((4, 12, 12), (3.0, 1.0, 0.5), (2, 3, 12)) == (6.0, 4.0, 0.5)


def test_only_the_first_group_is_dilated() -> None:
    by_group = tissue_shares(MASK, {"cartilage": [1], "rest": [0]}, (1, 2), MASK.shape)
    assert list(by_group) == ["cartilage", "rest", "cartilage_dilated1", "cartilage_dilated2"]
    assert by_group["cartilage_dilated1"].sum() == 16 + 2 * 8 + 2 * (2 * 4) + 2 * (2 * 2)
    assert (by_group["cartilage"] + by_group["rest"] == 1).all()
    absent = tissue_shares(MASK, {"bone": [7], "cartilage": [1]}, (1,), MASK.shape)
    assert not absent["bone_dilated1"].any()


def test_the_joint_region_surrounds_every_label() -> None:
    region = joint_region(MASK, (3.0, 1.0, 1.0), 2.0, MASK.shape)
    assert region is not None
    assert region[1, 2, 4]
    assert not region[1, 1, 4]
    assert not region[0, 4, 4]
    assert joint_region(np.zeros_like(MASK), (1.0, 1.0, 1.0), 2.0, MASK.shape) is None


def test_a_synthetic_voxel_lands_in_its_cell() -> None:
    mask = np.zeros((8, 8, 8), dtype=np.uint8)
    mask[5, 2, 7] = 1
    tissues, _ = tissues_of(mask, {"cartilage": [1]}, Anatomy(), (1.0, 1.0, 1.0), (4, 4, 4))
    assert tissues["cartilage"] is not None
    assert np.argwhere(tissues["cartilage"].share).tolist() == [[2, 1, 3]]
    assert tissues["cartilage"].share[2, 1, 3] == pytest.approx(1 / 8)
