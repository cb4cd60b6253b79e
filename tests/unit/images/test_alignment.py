"""Masks through the world: any grid, any tilt, labels translated."""

import numpy as np
import pytest

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.images.alignment import inside_share, resample_labels, tissue_values, to_tissues
from kneeoa.images.volume import Volume
from tests.unit.images.joint import TISSUES, labels
from tests.unit.images.made import grid, world


def centred(codes: str, shape: tuple[int, int, int], spacing: tuple[float, float, float], tilt: float = 0.0) -> np.ndarray:
    affine = grid(codes, spacing, tilt=tilt)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def test_values_follow_the_sorted_names_and_other_labels_vanish() -> None:
    tissues = {"tibia": (3,), "femur": (1, 9), "cartilage": (2, 4)}
    assert tissue_values(tissues) == {"cartilage": 1, "femur": 2, "tibia": 3}
    array = np.array([0, 1, 2, 3, 4, 5, 9, 200], dtype=np.int16).reshape(1, 2, 4)
    expected = [0, 2, 1, 3, 1, 0, 2, 0]
    for kind in (np.int16, np.uint8, np.float32, np.int64):
        assert to_tissues(Volume(array.astype(kind), np.eye(4)), tissues).array.ravel().tolist() == expected
    assert to_tissues(Volume(array - np.int16(9), np.eye(4)), tissues).array.ravel().tolist() == [0] * 7 + [0]
    assert to_tissues(Volume(array == 1, np.eye(4)), tissues).array.sum() == 2


def test_fractions_are_no_labels_and_a_label_has_one_meaning() -> None:
    with pytest.raises(UnusableImage) as caught:
        to_tissues(Volume(np.full((2, 2, 2), 0.5), np.eye(4)), TISSUES)
    assert caught.value.reason == "not-a-label-map"
    with pytest.raises(KneeoaError, match="each label to one tissue"):
        to_tissues(Volume(np.zeros((2, 2, 2), np.uint8), np.eye(4)), {"a": (1,), "b": (1, 2)})


@pytest.mark.parametrize("codes", ["RIP", "LPS", "SRA", "PIL"])
@pytest.mark.parametrize("tilt", [0.0, 11.0])
def test_a_mask_on_any_grid_lands_where_its_world_says(codes: str, tilt: float) -> None:
    shape, spacing = (36, 60, 52), (2.4, 1.5, 1.5)
    canonical = centred("RIP", shape, spacing, tilt=4)
    own_shape = (112, 112, 112)
    own = centred(codes, own_shape, (0.95, 1.0, 1.05), tilt=tilt)
    mask = to_tissues(Volume(labels(own, own_shape), own), TISSUES)
    found = resample_labels(mask, canonical, shape)
    expected = to_tissues(Volume(labels(canonical, shape), canonical), TISSUES).array
    for value in range(1, 5):
        assert dice(found == value, expected == value) > (0.95 if value in (2, 3) else 0.8), value
    # Not by accident: the same voxels without their affine would be elsewhere.
    astray = resample_labels(Volume(mask.array, centred(codes, own_shape, (0.95, 1.0, 1.05), tilt=tilt + 25)), canonical, shape)
    assert dice(astray == 1, expected == 1) < 0.6


def test_equal_grids_keep_every_voxel_and_a_half_outside_is_empty() -> None:
    shape = (6, 7, 8)
    array = np.random.default_rng(0).integers(0, 5, shape).astype(np.uint8)
    affine = grid("RIP", (2, 1, 1.5), (3, 4, 5), tilt=9)
    np.testing.assert_array_equal(resample_labels(Volume(array, affine), affine, shape), array)
    moved = affine.copy()
    moved[:3, 3] += 3 * affine[:3, 0]
    found = resample_labels(Volume(array, affine), moved, shape)
    np.testing.assert_array_equal(found[:3], array[3:])
    assert not found[3:].any()


def test_a_mirrored_grid_mirrors_the_mask() -> None:
    shape = (6, 7, 8)
    array = np.random.default_rng(0).integers(0, 5, shape).astype(np.uint8)
    affine = grid("RIP", (2, 1, 1.5), (3, 4, 5))
    mirrored = affine.copy()
    mirrored[:3, 0] *= -1
    mirrored[:3, 3] += 5 * affine[:3, 0]
    np.testing.assert_array_equal(resample_labels(Volume(array, affine), mirrored, shape), array[::-1])


def test_nearest_neighbour_keeps_the_volume_of_thin_layers_on_coarse_grids() -> None:
    fine_shape, coarse_shape = (120, 120, 120), (32, 40, 40)
    fine, coarse = centred("RIP", fine_shape, (0.7, 0.8, 0.8)), centred("RIP", coarse_shape, (2.8, 2.4, 2.4))
    layer = np.abs(world(fine, fine_shape) @ np.array([0.2, 0.9, 0.39])) < 0.9
    found = resample_labels(Volume(layer.astype(np.uint8), fine), coarse, coarse_shape)
    ratio = found.sum() * 2.8 * 2.4 * 2.4 / (layer.sum() * 0.7 * 0.8 * 0.8)
    assert ratio == pytest.approx(1, abs=0.08)


def test_inside_is_the_share_in_the_scanned_box_not_in_the_grid() -> None:
    shape = (10, 10, 10)
    affine = grid("RIP", (1, 1, 1))
    array = np.zeros(shape, dtype=np.uint8)
    array[:8] = 1
    assert inside_share(Volume(array, affine), affine, shape, (10, 10, 10)) == 1
    assert inside_share(Volume(array, affine), affine, shape, (4, 10, 10)) == pytest.approx(4 / 8)
    moved = affine.copy()
    moved[:3, 3] += 4 * affine[:3, 0]
    assert inside_share(Volume(array, moved), affine, shape, (10, 10, 10)) == pytest.approx(6 / 8)
    assert inside_share(Volume(np.zeros(shape, np.uint8), affine), affine, shape, (10, 10, 10)) == 0
