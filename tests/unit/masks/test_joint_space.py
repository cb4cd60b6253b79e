"""Joint spaces of known width are measured in millimetres, compartment by compartment."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kneeoa.masks.joint_space import measure_joint_space

SPACING = (0.2, 0.25)


def spaces(lateral: float, medial: float, values: tuple[int, int] = (1, 1)) -> NDArray[np.uint8]:
    """Two boxes of a height in millimetres, 20 mm wide, 10 mm apart, the lateral one first."""
    labels = np.zeros((200, 240), dtype=np.uint8)
    for first, height, value in ((20, lateral, values[0]), (140, medial, values[1])):
        labels[100 : 100 + round(height / SPACING[0]), first : first + 80] = value
    return labels


@pytest.mark.parametrize("lateral_first", [True, False])
def test_halves_are_told_by_the_side(lateral_first: bool) -> None:
    labels = spaces(5.0, 3.0) if lateral_first else spaces(5.0, 3.0)[:, ::-1]
    measured = {region.name: region for region in measure_joint_space(labels, {"joint_space": 1}, SPACING, lateral_first=lateral_first)}
    assert measured["joint_space_lateral"].thickness == pytest.approx(5.0)
    assert measured["joint_space_medial"].narrowest == pytest.approx(3.0)
    assert measured["joint_space_medial"].area == pytest.approx(60.0)
    assert measured["joint_space"].thickness == pytest.approx(4.0)
    assert measured["joint_space"].area == pytest.approx(160.0)


def test_a_space_with_a_side_in_its_name_is_not_divided() -> None:
    values = {"femur": 9, "joint_space_lateral": 1, "joint_space_medial": 2}
    measured = measure_joint_space(spaces(4.0, 2.0, (1, 2)), values, SPACING, lateral_first=True)
    assert [(region.name, region.thickness) for region in measured] == [
        ("joint_space_lateral", pytest.approx(4.0)),
        ("joint_space_medial", pytest.approx(2.0)),
    ]


def test_the_narrowest_place_is_found_and_the_rims_do_not_count() -> None:
    labels = spaces(5.0, 4.0)
    labels[100:110, 175:190] = 0  # 2 mm taken over 3.75 mm
    labels[100:119, 140:145] = 0  # a rim of 1.25 mm that is nearly closed
    (medial,) = (
        region
        for region in measure_joint_space(labels, {"joint_space": 1}, SPACING, lateral_first=True)
        if region.name == "joint_space_medial"
    )
    assert medial.narrowest == pytest.approx(2.0)


def test_a_space_that_is_not_there_has_no_width() -> None:
    measured = measure_joint_space(np.zeros((50, 50), dtype=np.uint8), {"joint_space": 1}, SPACING, lateral_first=True)
    assert [(region.thickness, region.narrowest, region.area) for region in measured] == [(None, None, 0.0)] * 3


def test_one_compartment_alone_is_its_own_half() -> None:
    labels = spaces(5.0, 3.0)
    labels[:, :120] = 0
    measured = {region.name: region for region in measure_joint_space(labels, {"joint_space": 1}, SPACING, lateral_first=True)}
    assert measured["joint_space"].thickness == pytest.approx(3.0)
