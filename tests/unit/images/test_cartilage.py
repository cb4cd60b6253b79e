"""Volume, thickness, sides."""

import numpy as np
import pytest

from kneeoa.images.alignment import to_tissues
from kneeoa.images.cartilage import bone_values, cartilage_values, measure, sides
from kneeoa.images.volume import Volume
from tests.unit.images.joint import TISSUES, labels
from tests.unit.images.made import grid

VALUES = {"femoral_cartilage": 1, "femur": 2, "patella": 3, "tibia": 4, "tibial_cartilage": 5}


def test_names_tell_cartilage_bone_and_side() -> None:
    assert cartilage_values(VALUES) == {"femoral_cartilage": 1, "tibial_cartilage": 5}
    assert bone_values(VALUES) == {"femur": 2, "patella": 3, "tibia": 4}
    assert sides(VALUES) == {"femoral": [1], "tibial": [5]}
    assert sides({"medial_tibial_cartilage": 1, "lateral_tibial_cartilage": 2}) == {"tibial": [1, 2]}
    assert sides({"cartilage": 1}) == {}


@pytest.mark.parametrize("layers", [2, 4, 7])
@pytest.mark.parametrize("axis", [1, 2])
def test_the_thickness_and_volume_of_a_plate(layers: int, axis: int) -> None:
    array = np.zeros((40, 60, 60), dtype=np.uint8)
    index: list[slice] = [slice(5, 35), slice(5, 55), slice(5, 55)]
    index[axis] = slice(20, 20 + layers)
    array[tuple(index)] = 1
    found = measure(Volume(array, grid("LPS", (0.7, 0.4, 0.4), (9, 9, 9), tilt=20)), {"femoral_cartilage": 1})
    assert found.volume == pytest.approx(array.sum() * 0.7 * 0.4 * 0.4)
    assert found.thickness == pytest.approx(layers * 0.4, rel=0.1)


def test_each_tissue_counts_by_its_voxels_and_touching_ones_stay_apart() -> None:
    array = np.zeros((90, 40, 90), dtype=np.uint8)
    array[:, 10:14] = 1
    array[:, 14:22] = 2
    found = measure(Volume(array, np.eye(4)), {"femoral_cartilage": 1, "tibial_cartilage": 2})
    assert found.thickness == pytest.approx((4 * 4 + 8 * 8) / 12, rel=0.08)


def test_missing_sides_and_upside_down_masks_are_told() -> None:
    affine = grid("RIP", (2, 1.5, 1.5), (-40, 45, 50))
    mask = to_tissues(Volume(labels(affine, (40, 64, 60)), affine), TISSUES)
    values = {"femoral_cartilage": 1, "femur": 2, "tibia": 3, "tibial_cartilage": 4}
    good = measure(mask, values)
    assert good.missing == ()
    assert good.femur_above_tibia
    assert not measure(Volume(mask.array[:, ::-1], affine), values).femur_above_tibia
    half = mask.array.copy()
    half[half == 4] = 0
    assert measure(Volume(half, affine), values).missing == ("tibial",)
    assert measure(Volume(half, affine), values).femur_above_tibia
    empty = measure(Volume(np.zeros((3, 3, 3), np.uint8), affine), values)
    assert (empty.volume, empty.thickness, empty.missing) == (0, 0, ("femoral", "tibial"))
