"""Labels through the world: any grid, any tilt, thin layers kept."""

from typing import get_args

import numpy as np
import pytest

from kneeoa.formats.volume import Volume
from kneeoa.masks.label_resample import Interpolation, resample_labels
from kneeoa.masks.tissue_labels import to_tissues
from tests.unit.formats.made import grid, world
from tests.unit.masks.joint import TISSUES, labels

BOTH = get_args(Interpolation)


def centred(codes: str, shape: tuple[int, int, int], spacing: tuple[float, float, float], tilt: float = 0.0) -> np.ndarray:
    affine = grid(codes, spacing, tilt=tilt)
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


@pytest.mark.parametrize("interpolation", BOTH)
@pytest.mark.parametrize("codes", ["RIP", "LPS", "SRA", "PIL"])
@pytest.mark.parametrize("tilt", [0.0, 11.0])
def test_a_mask_on_any_grid_lands_where_its_world_says(codes: str, tilt: float, interpolation: Interpolation) -> None:
    shape, spacing = (36, 60, 52), (2.4, 1.5, 1.5)
    canonical = centred("RIP", shape, spacing, tilt=4)
    own_shape = (112, 112, 112)
    mask_affine = centred(codes, own_shape, (0.95, 1.0, 1.05), tilt=tilt)
    mask = to_tissues(Volume(labels(mask_affine, own_shape), mask_affine), TISSUES)
    result = resample_labels(mask, canonical, shape, interpolation)
    expected = to_tissues(Volume(labels(canonical, shape), canonical), TISSUES).array
    for value in range(1, 5):
        assert dice(result == value, expected == value) > (0.95 if value in (2, 3) else 0.8), value
    # Not by accident: the same voxels without their affine would be elsewhere.
    other = Volume(mask.array, centred(codes, own_shape, (0.95, 1.0, 1.05), tilt=tilt + 25))
    assert dice(resample_labels(other, canonical, shape, interpolation) == 1, expected == 1) < 0.6


@pytest.mark.parametrize("interpolation", BOTH)
def test_equal_grids_keep_every_voxel_and_a_half_outside_is_empty(interpolation: Interpolation) -> None:
    shape = (6, 7, 8)
    array = np.random.default_rng(0).integers(0, 5, shape).astype(np.uint8)
    affine = grid("RIP", (2, 1, 1.5), (3, 4, 5), tilt=9)
    np.testing.assert_array_equal(resample_labels(Volume(array, affine), affine, shape, interpolation), array)
    moved = affine.copy()
    moved[:3, 3] += 3 * affine[:3, 0]
    result = resample_labels(Volume(array, affine), moved, shape, interpolation)
    np.testing.assert_array_equal(result[:3], array[3:])
    assert not result[3:].any()
    away = affine.copy()
    away[:3, 3] += 1000
    assert not resample_labels(Volume(array, affine), away, shape, interpolation).any()
    assert not resample_labels(Volume(np.zeros(shape, np.uint8), affine), affine, shape, interpolation).any()


@pytest.mark.parametrize("interpolation", BOTH)
def test_a_mirrored_grid_mirrors_the_mask(interpolation: Interpolation) -> None:
    shape = (6, 7, 8)
    array = np.random.default_rng(0).integers(0, 5, shape).astype(np.uint8)
    affine = grid("RIP", (2, 1, 1.5), (3, 4, 5))
    mirrored = affine.copy()
    mirrored[:3, 0] *= -1
    mirrored[:3, 3] += 5 * affine[:3, 0]
    np.testing.assert_array_equal(resample_labels(Volume(array, affine), mirrored, shape, interpolation), array[::-1])


def test_linear_is_the_vote_of_trilinear_weights() -> None:
    shape, new = (14, 15, 12), (9, 9, 9)
    rng = np.random.default_rng(3)
    array = rng.integers(0, 4, shape).astype(np.uint8)
    mask_affine, other = grid("LPS", (1.1, 0.9, 1.0)), grid("RIP", (1.3, 1.4, 1.2), (-11, 1, 11), tilt=17)
    result = resample_labels(Volume(array, mask_affine), other, new, "linear")
    places = world(other, new) @ np.linalg.inv(mask_affine)[:3, :3].T + np.linalg.inv(mask_affine)[:3, 3]
    padded = np.pad(array, 2)
    for index in np.ndindex(new):
        place = np.clip(places[index] + 2, 0, np.array(padded.shape) - 1.001)
        low, part = np.floor(place).astype(int), place - np.floor(place)
        votes = np.zeros(4)
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, part, 1 - part))
            votes[padded[tuple(low + corner)]] += weight
        assert votes[result[index]] >= votes.max() - 1e-4, index


@pytest.mark.parametrize("interpolation", BOTH)
@pytest.mark.parametrize("thick", [1.2, 1.8])
def test_the_volume_of_thin_layers_is_kept_on_coarse_grids(interpolation: Interpolation, thick: float) -> None:
    fine_shape, coarse_shape = (120, 120, 120), (32, 40, 40)
    fine, coarse = centred("RIP", fine_shape, (0.7, 0.8, 0.8)), centred("RIP", coarse_shape, (2.8, 2.4, 2.4))
    layer = np.abs(world(fine, fine_shape) @ np.array([0.2, 0.9, 0.39])) < thick / 2
    result = resample_labels(Volume(layer.astype(np.uint8), fine), coarse, coarse_shape, interpolation)
    ratio = result.sum() * 2.8 * 2.4 * 2.4 / (layer.sum() * 0.7 * 0.8 * 0.8)
    assert ratio == pytest.approx(1, abs=0.08)
    # An average over the coarse voxel and a majority vote would eat a third of it.
    majority = layer[: 118 // 4 * 4, : 117 // 3 * 3, : 117 // 3 * 3].reshape(29, 4, 39, 3, 39, 3).mean(axis=(1, 3, 5)) > 0.5
    assert thick > 1.2 or majority.sum() * 2.8 * 2.4 * 2.4 < 0.7 * layer.sum() * 0.7 * 0.8 * 0.8


@pytest.mark.parametrize("layers", [2, 3, 5])
def test_the_staircase_of_a_coarse_map_is_smoothed_on_a_finer_grid_and_layers_keep_their_volume(layers: int) -> None:
    coarse_shape, fine_shape = (40, 40, 40), (100, 100, 100)
    coarse, fine = centred("RIP", coarse_shape, (1.5, 1.5, 1.5)), centred("RIP", fine_shape, (0.6, 0.6, 0.6))
    normal = np.array([0.2, 0.9, 0.39])

    def layer(affine: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        return np.abs(world(affine, shape) @ normal / np.linalg.norm(normal)) < layers * 1.5 / 2

    mask, truth = layer(coarse, coarse_shape), layer(fine, fine_shape)
    result = {one: resample_labels(Volume(mask.astype(np.uint8), coarse), fine, fine_shape, one) == 1 for one in BOTH}
    inner = (slice(10, 90),) * 3
    assert result["linear"][inner].sum() == pytest.approx(truth[inner].sum(), rel=0.04)
    assert dice(result["linear"][inner], truth[inner]) > dice(result["nearest"][inner], truth[inner]) + 0.02


def test_linear_places_surfaces_better_by_way_of_a_coarser_grid() -> None:
    shape, spacing = (60, 110, 100), (1.4, 0.8, 0.8)
    mask_affine = centred("RIP", shape, spacing)
    array = labels(mask_affine, shape)
    coarse_shape = (60, 80, 70)
    coarse = centred("RIP", coarse_shape, (1.4, 1.2, 1.2), tilt=10)
    scores = {}
    for interpolation in BOTH:
        there = resample_labels(Volume(array, mask_affine), coarse, coarse_shape, interpolation)
        back = resample_labels(Volume(there, coarse), mask_affine, shape, interpolation)
        scores[interpolation] = [dice(array == value, back == value) for value in (2, 4)]
    assert np.all(np.array(scores["linear"]) > np.array(scores["nearest"]) + 0.01), scores
