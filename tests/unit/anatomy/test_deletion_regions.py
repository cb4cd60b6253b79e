import numpy as np
import pytest

from kneeoa.anatomy.deletion_regions import DeletionRegion, deletion_regions, fill_from_surroundings, tissue_voxels
from kneeoa.anatomy.tissue_fields import tissues_of
from kneeoa.central_crop import central_window
from kneeoa.config.analysis import Anatomy

SHAPE = (8, 24, 24)
MASK = np.zeros(SHAPE, dtype=np.uint8)
MASK[2:6, 8:10, 6:14] = 1  # cartilage
MASK[2:6, 12:20, 4:16] = 2  # bone


def test_controls_have_the_size_and_shape_of_the_tissue_and_lie_where_they_say() -> None:
    tissues, joint = tissues_of(MASK, {"cartilage": [1], "bone": [2], "rest": [0]}, Anatomy(region_mm=3), (1.0, 1.0, 1.0), SHAPE)
    listed = list(deletion_regions(tissues, joint, 3, np.random.default_rng(0)))
    assert [one.name for one in listed[:3]] == ["cartilage", "bone", "rest"]
    controls = [one for one in listed if one.name.startswith("control_")]
    assert [one.name for one in controls] == ["control_joint"] * 3 + ["control_bone"] * 3 + ["control_rest"] * 3
    whole = MASK == 1
    for one in controls:
        assert one.inside.sum() == whole.sum()
        assert one.overlap == pytest.approx((one.inside & whole).sum() / whole.sum(), abs=1e-9)
        assert one.overlap <= 0.25
        spread = [np.ptp(places) for places in np.nonzero(one.inside)]
        assert spread == [3, 1, 7]  # moved whole, never wrapped round
    for one in controls[3:6]:
        assert (MASK[one.inside] == 2).mean() >= 0.9
    for one in controls[6:]:
        assert (MASK[one.inside] == 0).mean() >= 0.9


def test_a_case_without_the_tissue_has_no_regions() -> None:
    tissues, joint = tissues_of(MASK, {"patella": [9], "bone": [2]}, Anatomy(), (1.0, 1.0, 1.0), SHAPE)
    assert list(deletion_regions(tissues, joint, 3, np.random.default_rng(0))) == []


def test_a_sheet_thinner_than_a_voxel_keeps_its_volume() -> None:
    share = np.zeros((5, 5))
    share[2] = 0.4
    assert tissue_voxels(share).sum() == 2
    assert tissue_voxels(share)[2].sum() == 2


def test_what_is_deleted_is_filled_from_around_and_nothing_else_changes() -> None:
    image = np.tile(np.linspace(0, 1, 24), (8, 24, 1)).astype(np.float32)
    bright = np.where(MASK == 1, 50.0, image).astype(np.float32)
    filled = fill_from_surroundings(bright, MASK == 1, (2.0, 2.0, 2.0))
    np.testing.assert_array_equal(filled[MASK != 1], bright[MASK != 1])
    assert np.abs(filled - image)[MASK == 1].max() < 0.15
    assert fill_from_surroundings(image, np.ones(SHAPE, dtype=bool), (1.0, 1.0, 1.0)).shape == SHAPE


def test_a_region_of_what_a_network_takes_lies_in_the_middle_of_the_image() -> None:
    inside = np.zeros((2, 3), dtype=np.bool_)
    inside[0, 1] = True
    whole = DeletionRegion("cartilage", 0, inside, 1.0).in_image((6, 9), central_window((6, 9), (2, 3)))
    assert np.argwhere(whole.inside).tolist() == [[2, 4]]
    assert whole.inside.shape == (6, 9)
    assert (whole.name, whole.copy, whole.overlap) == ("cartilage", 0, 1.0)
