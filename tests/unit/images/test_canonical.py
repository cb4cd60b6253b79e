"""The canonical grid: where it lies, what it keeps, what is padding."""

import numpy as np
import pytest

from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError
from kneeoa.images.canonical import to_canonical
from kneeoa.images.orientation import axis_codes
from kneeoa.images.volume import Volume
from tests.unit.images.made import grid, pattern, same_place, world


def field(affine: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """An intensity that is linear in the world, so that interpolation must give it back anywhere."""
    x, y, z = np.moveaxis(world(affine, shape), -1, 0)
    return (3 * x - 2 * y + 0.5 * z + 500).astype(np.float32)


@pytest.mark.parametrize("side", ["R", "L", None])
@pytest.mark.parametrize("codes", ["RIP", "LIP", "ASL", "PSR"])
def test_values_belong_to_the_places_that_the_affine_tells(codes: str, side: str | None) -> None:
    affine = grid(codes, (1.0, 1.2, 1.4), (30, 40, 50), tilt=7)
    shape = (24, 26, 28)
    view = View(shape=(10, 12, 14), spacing=(0.9, 1.1, 0.8))
    found = to_canonical(Volume(field(affine, shape), affine), view, side)
    assert found.array.shape == (10, 12, 14)
    assert axis_codes(Volume(found.array, found.affine)) == ("L" if side == "L" else "R", "I", "P")
    np.testing.assert_allclose(found.array, field(found.affine, view.shape), atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(found.affine[:3, :3], axis=0), view.spacing)
    # Both grids have one centre.
    middle = [matrix[:3, :3] @ ((np.array(size) - 1) / 2) + matrix[:3, 3] for matrix, size in ((affine, shape), (found.affine, view.shape))]
    np.testing.assert_allclose(middle[0], middle[1], atol=1e-9)


def test_the_images_own_grid_passes_unchanged() -> None:
    affine = grid("LIP", (2.0, 1.0, 1.5), (3, 4, 5), tilt=10)
    found = to_canonical(Volume(pattern((4, 5, 6)), affine), View(shape=(4, 5, 6), spacing=(2.0, 1.0, 1.5)), "L")
    np.testing.assert_array_equal(found.array, pattern((4, 5, 6)))
    np.testing.assert_allclose(found.affine, affine)
    assert same_place(Volume(found.array, found.affine), pattern((4, 5, 6)), affine)


def test_source_shape_and_spacing_are_in_canonical_order() -> None:
    found = to_canonical(Volume(pattern((4, 5, 6)), grid("SRA", (1.0, 2.0, 3.0))), View(shape=(5, 4, 6), spacing=(2, 1, 3)), "R")
    assert found.source_shape == (5, 4, 6)
    np.testing.assert_allclose(found.source_spacing, (2, 1, 3))


def test_what_lies_outside_is_padding_and_what_is_too_much_is_cropped() -> None:
    volume = Volume(np.full((4, 8, 8), 7, np.int16), grid("RIP", (1, 1, 1)))
    found = to_canonical(volume, View(shape=(8, 4, 8), spacing=(1, 1, 1)), "R")
    assert found.inside == (slice(2, 6), slice(0, 4), slice(0, 8))
    assert (found.array[found.inside] == 7).all()
    assert found.array.sum() == 7 * 4 * 4 * 8


def test_a_flat_view_has_no_canonical_volume() -> None:
    with pytest.raises(KneeoaError, match="'dimensions' must be 3"):
        to_canonical(Volume(pattern((4, 5, 6)), np.eye(4)), View(dimensions=2, shape=(5, 6), spacing=(1, 1)), "R")
