"""Faces: their area, direction and place, on grids as scanners make them."""

import numpy as np
import pytest

from kneeoa.formats.volume import Volume
from kneeoa.masks.surfaces import surface_between
from tests.unit.formats.made import grid, world

AFFINE = grid("LPS", (0.7, 0.36, 0.36), (9, -4, 3), tilt=12)
SHAPE = (44, 84, 84)
CENTRE = AFFINE[:3, :3] @ ((np.array(SHAPE) - 1) / 2) + AFFINE[:3, 3] + [0.1, 0.2, -0.1]


def ball(radius: float) -> Volume:
    distance = np.linalg.norm(world(AFFINE, SHAPE) - CENTRE, axis=-1)
    return Volume((1 * (distance < radius) + 2 * ((distance >= radius) & (distance < radius + 2))).astype(np.uint8), AFFINE)


@pytest.mark.parametrize("most", [None, 1000])
def test_a_sphere_has_its_area_and_looks_outwards(most: int | None) -> None:
    faces = surface_between(ball(10), [1], [2], most=most)
    assert faces.areas.sum() == pytest.approx(4 * np.pi * 100, rel=0.03)
    out = (faces.points - CENTRE) / np.linalg.norm(faces.points - CENTRE, axis=1, keepdims=True)
    assert np.einsum("ij,ij->i", out, faces.normals).min() > 0.98
    assert np.linalg.norm(faces.points - CENTRE, axis=1) == pytest.approx(10, abs=0.6)
    if most is not None:
        assert 0.5 * most < len(faces) < 3 * most


def test_inner_and_outer_are_the_voxels_on_either_side() -> None:
    mask = ball(8)
    faces = surface_between(mask, [1], [2])
    assert set(mask.array[tuple(faces.inner.T)].tolist()) == {1}
    assert set(mask.array[tuple(faces.outer.T)].tolist()) == {2}
    np.testing.assert_allclose((faces.inner + faces.outer) / 2 @ AFFINE[:3, :3].T + AFFINE[:3, 3], faces.points, atol=1e-9)
    back = faces.reversed()
    np.testing.assert_array_equal(back.inner, faces.outer)
    np.testing.assert_array_equal(back.normals, -faces.normals)


def test_a_moved_surface_is_that_of_the_moved_map() -> None:
    mask = ball(9)
    change = np.diag([1.0, -1.0, 1.0, 1.0])[[1, 0, 2, 3]]
    change[:3, 3] = (3, 4, 5)
    moved = surface_between(mask, [1], [2]).moved(change)
    expected = surface_between(Volume(mask.array, change @ AFFINE), [1], [2])
    np.testing.assert_allclose(moved.points, expected.points, atol=1e-9)
    np.testing.assert_allclose(moved.normals, expected.normals, atol=1e-6)


def test_parts_that_do_not_meet_have_no_surface() -> None:
    mask = ball(8)
    assert len(surface_between(mask, [1], [3])) == 0
    assert len(surface_between(mask, [4])) == 0
    assert len(surface_between(Volume(np.ones((4, 4, 4), np.uint8), np.eye(4)), [1])) == 0
