"""The canonical grid: where it lies, what it keeps, what is padding."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from kneeoa.config.volumes import Region, View
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.volume import Volume
from kneeoa.volumes.canonical import to_canonical
from kneeoa.volumes.orientation import axis_codes
from tests.unit.formats.made import grid, pattern, same_place, world


def field(affine: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """An intensity that is linear in the world, so that interpolation must give it back
    anywhere.
    """
    x, y, z = np.moveaxis(world(affine, shape), -1, 0)
    return (3 * x - 2 * y + 0.5 * z + 500).astype(np.float32)


@pytest.mark.parametrize("side", ["R", "L", None])
@pytest.mark.parametrize("codes", ["RIP", "LIP", "ASL", "PSR"])
def test_values_belong_to_the_places_that_the_affine_tells(codes: str, side: str | None) -> None:
    affine = grid(codes, (1.0, 1.2, 1.4), (30, 40, 50), tilt=7)
    shape = (24, 26, 28)
    view = View(shape=(10, 12, 14), spacing=(0.9, 1.1, 0.8))
    result = to_canonical(Volume(field(affine, shape), affine), view, side)
    assert result.array.shape == (10, 12, 14)
    assert axis_codes(Volume(result.array, result.affine)) == ("L" if side == "L" else "R", "I", "P")
    np.testing.assert_allclose(result.array, field(result.affine, view.shape), atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(result.affine[:3, :3], axis=0), view.spacing)
    # Both grids have one centre.
    middle = [
        matrix[:3, :3] @ ((np.array(size) - 1) / 2) + matrix[:3, 3] for matrix, size in ((affine, shape), (result.affine, view.shape))
    ]
    np.testing.assert_allclose(middle[0], middle[1], atol=1e-9)


def test_the_images_own_grid_passes_unchanged() -> None:
    affine = grid("LIP", (2.0, 1.0, 1.5), (3, 4, 5), tilt=10)
    result = to_canonical(Volume(pattern((4, 5, 6)), affine), View(shape=(4, 5, 6), spacing=(2.0, 1.0, 1.5)), "L")
    np.testing.assert_array_equal(result.array, pattern((4, 5, 6)))
    np.testing.assert_allclose(result.affine, affine)
    assert same_place(Volume(result.array, result.affine), pattern((4, 5, 6)), affine)


def test_source_shape_and_spacing_are_in_canonical_order() -> None:
    result = to_canonical(Volume(pattern((4, 5, 6)), grid("SRA", (1.0, 2.0, 3.0))), View(shape=(5, 4, 6), spacing=(2, 1, 3)), "R")
    assert result.source_shape == (5, 4, 6)
    np.testing.assert_allclose(result.source_spacing, (2, 1, 3))


def test_what_lies_outside_is_padding_and_what_is_too_much_is_cropped() -> None:
    volume = Volume(np.full((4, 8, 8), 7, np.int16), grid("RIP", (1, 1, 1)))
    result = to_canonical(volume, View(shape=(8, 4, 8), spacing=(1, 1, 1)), "R")
    assert result.inside == (slice(2, 6), slice(0, 4), slice(0, 8))
    assert (result.array[result.inside] == 7).all()
    assert result.array.sum() == 7 * 4 * 4 * 8


def test_a_flat_view_has_no_canonical_volume() -> None:
    with pytest.raises(KneeoaError, match="'dimensions' must be 3"):
        to_canonical(Volume(pattern((4, 5, 6)), np.eye(4)), View(dimensions=2, shape=(5, 6), spacing=(1, 1)), "R")


SHAPE, SPACING = (24, 60, 56), (1.5, 0.9, 0.9)
OPTIONS: list[dict[str, Any]] = [
    {"spacing": (1.5, 1.0, 1.1)},
    {"spacing": (1.5, 1.0, 1.1), "antialias": False},
    {"spacing": (1.4, 1.3, 1.2), "region": Region(offset=(2, -3, 4))},
    {"spacing": (1.5, 0.9, 0.9), "region": Region(around="foreground")},
    {"spacing": (1.5, 0.9, 0.9), "region": Region(around="foreground", offset=(-2, 1, 3))},
    {"fit": "extent"},
    {"fit": "extent", "antialias": False},
]


@pytest.mark.parametrize("side", ["R", "L"])
@pytest.mark.parametrize("codes", ["RIP", "LIP", "ASL"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_landmarks_stay_in_the_world_through_every_option(options: dict[str, Any], codes: str, side: str) -> None:
    order = ["RL", "IS", "PA"]
    place = [next(number for number, pair in enumerate(order) if code in pair) for code in codes]
    shape = (SHAPE[place[0]], SHAPE[place[1]], SHAPE[place[2]])
    affine = grid(codes, (SPACING[place[0]], SPACING[place[1]], SPACING[place[2]]), (10, -20, 5), tilt=12)
    middle = affine[:3, :3] @ ((np.array(shape) - 1) / 2) + affine[:3, 3]
    places = world(affine, shape)
    for landmark in (middle, np.add(middle, (4, -6, 5)), np.add(middle, (-3, 5, -6))):
        bump = 1000 * np.exp(-((places - landmark) ** 2).sum(axis=-1) / (2 * 2.0**2))
        result = to_canonical(Volume(bump.astype(np.int16), affine), View(shape=(22, 50, 48), **options), side)
        weights = result.array[..., None].astype(np.float64)
        centre = (world(result.affine, result.array.shape) * weights).sum(axis=(0, 1, 2)) / weights.sum()
        np.testing.assert_allclose(centre, landmark, atol=0.06)
        np.testing.assert_allclose((result.affine @ (*result.source_centre, 1))[:3], middle, atol=1e-9)


def test_an_extent_is_the_images_own_and_its_voxel_size_follows() -> None:
    affine = grid("RIP", (2.0, 1.0, 1.5), (3, 4, 5), tilt=10)
    result = to_canonical(Volume(pattern((4, 9, 6)), affine), View(shape=(8, 6, 6), fit="extent"), "R")
    assert result.inside == (slice(0, 8), slice(0, 6), slice(0, 6))
    np.testing.assert_allclose(np.linalg.norm(result.affine[:3, :3], axis=0), (1.0, 1.5, 1.5))
    for corner in (np.zeros(3), np.ones(3)):
        edges = [matrix @ (*(corner * size - 0.5), 1) for matrix, size in ((affine, (4, 9, 6)), (result.affine, (8, 6, 6)))]
        np.testing.assert_allclose(*edges, atol=1e-9)


@pytest.mark.parametrize(("side", "lateral"), [("R", 1), ("L", -1)])
def test_an_offset_is_told_by_the_knee_and_not_by_the_patient(side: str, lateral: int) -> None:
    affine = grid("RAS", (1, 1, 1))
    plain, moved = (
        to_canonical(Volume(pattern((20, 20, 20)), affine), View(shape=(8, 8, 8), spacing=(1, 1, 1), region=Region(offset=offset)), side)
        for offset in ((0, 0, 0), (3, 2, 1))
    )
    # Lateral is the patient's right on a right knee; then to the foot and to the back.
    np.testing.assert_allclose(moved.affine[:3, 3] - plain.affine[:3, 3], (3 * lateral, -1, -2))


def test_a_region_is_centred_on_the_foreground_without_blurring_it() -> None:
    array = np.random.default_rng(0).integers(0, 10, (30, 40, 50)).astype(np.int16)
    array[4:14, 20:34, 8:20] += 200
    array[29, 39, 49] = 30000  # a voxel of metal does not draw it away
    view = View(shape=(10, 14, 12), spacing=(1, 1, 1), region=Region(around="foreground"))
    result = to_canonical(Volume(array, grid("RIP", (1, 1, 1))), view, "R")
    np.testing.assert_array_equal(result.array, array[4:14, 20:34, 8:20])
    assert result.source_centre == (14.5 - 4, 19.5 - 20, 24.5 - 8)


def test_a_region_off_the_image_is_unusable() -> None:
    view = View(shape=(8, 8, 8), spacing=(1, 1, 1), region=Region(offset=(50, 0, 0)))
    with pytest.raises(UnusableImage) as caught:
        to_canonical(Volume(pattern((8, 8, 8)), grid("RIP", (1, 1, 1))), view, "R")
    assert caught.value.reason == "outside-region"


def test_numbers_beyond_single_precision_are_unusable() -> None:
    array = np.zeros((4, 4, 4))
    array[1, 1, 1] = -1e300
    with pytest.raises(UnusableImage) as caught:
        to_canonical(Volume(array, np.eye(4)), View(shape=(4, 4, 4), spacing=(1, 1, 1)), "R")
    assert caught.value.reason == "intensity-range"


@pytest.mark.parametrize(("shape", "spacing"), [((1, 40, 40), (5, 1, 1)), ((40, 1, 3), (1, 1, 1)), ((2, 200, 200), (300, 0.05, 0.05))])
@pytest.mark.parametrize("options", [{"spacing": (1, 1, 1)}, {"fit": "extent"}], ids=str)
def test_thin_and_absurdly_anisotropic_images_keep_their_places(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], options: dict[str, Any]
) -> None:
    affine = grid("RIP", spacing, (1, 2, 3), tilt=5)
    result = to_canonical(Volume(np.full(shape, 9, np.int16), affine), View(shape=(16, 16, 16), **options), "R")
    np.testing.assert_allclose(result.array[result.inside], 9, rtol=1e-6)
    assert result.array.sum() == pytest.approx(9 * np.prod([part.stop - part.start for part in result.inside]), rel=1e-5)
    middle = affine @ (*((np.array(shape) - 1) / 2), 1)
    np.testing.assert_allclose(result.affine @ (7.5, 7.5, 7.5, 1), middle, atol=1e-9)


@pytest.mark.parametrize("wrong", [
    {"shape": (4, 4, 4)},
    {"shape": (4, 4, 4), "spacing": (1, 1)},
    {"shape": (4, 4, 4), "spacing": (1, 1, 1), "fit": "extent"},
    {"shape": (4, 4, 4), "fit": "extent", "region": {"around": "foreground"}},
    {"shape": (4, 4, 4), "spacing": (1, 1, 1), "intensity": {"clip": (99, 1)}},
    {"shape": (4, 4, 4), "spacing": (1, 1, 1), "intensity": {"clip": (1, 101)}},
    {"shape": (4, 4, 4), "spacing": (1, 1, 1), "intensity": {"n4_fit": {"iterations": ()}}},
    {"shape": (4, 4, 4), "spacing": (1, 1, 1), "plane": "oblique"},
    {"shape": (4, 4), "fit": "extent", "dimensions": 2, "plane": "coronal"},
    {"shape": (4, 4), "fit": "extent", "dimensions": 2, "image_type": "water"},
])  # fmt: skip
def test_a_view_that_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        View(**wrong)
