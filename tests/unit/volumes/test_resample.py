"""Separable resampling: weights, identity, exactness on linear fields, no aliasing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from kneeoa.volumes.resample import axis_weights, resample_separably, stretch


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 40), new=st.integers(1, 40), step=st.floats(0.2, 6), shift=st.floats(-30, 30))
def test_rows_sum_to_one_inside_and_to_zero_outside(size: int, new: int, step: float, shift: float) -> None:
    positions = np.arange(new) * step + shift
    sums = np.asarray(axis_weights(positions, size, step).sum(axis=1)).ravel()
    inside = (positions >= -0.5) & (positions <= size - 0.5)
    np.testing.assert_allclose(sums, inside.astype(float), atol=1e-5)


def test_equal_positions_are_the_identity() -> None:
    array = np.random.default_rng(0).random((4, 5, 6), dtype=np.float32)
    eye = tuple(axis_weights(np.arange(float(size)), size, 1.0) for size in array.shape)
    np.testing.assert_array_equal(resample_separably(array, eye), array)  # type: ignore[arg-type]
    np.testing.assert_array_equal(stretch(array, (4, 5, 6)), array)


def test_refining_equals_trilinear_interpolation() -> None:
    array = np.random.default_rng(1).random((6, 7, 8)).astype(np.float32)
    positions = [np.linspace(0, size - 1, 11) for size in array.shape]
    weights = tuple(axis_weights(centres, size, 0.6) for centres, size in zip(positions, array.shape, strict=True))
    expected = ndimage.map_coordinates(array, np.meshgrid(*positions, indexing="ij"), order=1)
    np.testing.assert_allclose(resample_separably(array, weights), expected, atol=1e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(5, 6, 7), (20, 24, 28), (7, 24, 10)])
def test_a_linear_field_stays_linear_away_from_the_edges(shape: tuple[int, int, int]) -> None:
    source = (10, 12, 14)
    slopes = (1.0, -2.0, 0.5)
    field = sum(slope * axis for slope, axis in zip(slopes, np.indices(source), strict=True)).astype(np.float32)
    centres = [(np.arange(new) + 0.5) * size / new - 0.5 for size, new in zip(source, shape, strict=True)]
    expected = sum(slope * axis for slope, axis in zip(slopes, np.meshgrid(*centres, indexing="ij"), strict=True))
    inner = tuple(slice(int(np.ceil(new * 0.25)), new - int(np.ceil(new * 0.25))) for new in shape)
    np.testing.assert_allclose(stretch(field, shape)[inner], expected[inner], atol=1e-4)


def test_shrinking_averages_instead_of_picking() -> None:
    stripes = np.zeros((32, 32, 32), dtype=np.float32)
    stripes[:, ::2] = 1
    small = stretch(stripes, (16, 16, 16))
    np.testing.assert_allclose(small[:, 2:-2], 0.5, atol=0.02)
    noise = np.random.default_rng(2).standard_normal((32, 32, 32)).astype(np.float32)
    assert stretch(noise, (8, 8, 8)).std() < 0.25 * noise.std()


def test_constants_and_empty_places() -> None:
    np.testing.assert_allclose(stretch(np.full((5, 6, 7), 3, np.int16), (9, 3, 7)), 3, rtol=1e-6)
    far = axis_weights(np.array([-2.0, 0.0, 9.0]), 5, 1.0)
    assert np.asarray(far.sum(axis=1)).ravel().tolist() == [0, 1, 0]


def test_without_antialiasing_shrinking_is_plain_interpolation_too() -> None:
    array = np.random.default_rng(3).random((9, 10, 11)).astype(np.float32)
    positions = [np.linspace(0.3, size - 1.4, 4) for size in array.shape]
    steps = [float(centres[1] - centres[0]) for centres in positions]
    linear, averaged = (
        tuple(axis_weights(centres, size, step, antialias=on) for centres, size, step in zip(positions, array.shape, steps, strict=True))
        for on in (False, True)
    )
    expected = ndimage.map_coordinates(array, np.meshgrid(*positions, indexing="ij"), order=1)
    np.testing.assert_allclose(resample_separably(array, linear), expected, atol=1e-5)  # type: ignore[arg-type]
    assert resample_separably(array, averaged).std() < 0.7 * expected.std()  # type: ignore[arg-type]


def test_a_header_rounded_in_its_seventh_digit_does_not_blur_an_aligned_axis() -> None:
    positions = (np.arange(160) - 79.5) * (0.7 / 0.70000002) + 79.5
    matrix = axis_weights(positions, 160, 0.7 / 0.70000002)
    assert matrix.nnz == 160
    assert (matrix.data == 1).all()
    # A real difference of a hundredth of a voxel is kept.
    assert axis_weights(positions + 0.01, 160, 1.0).nnz > 300


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i2", "i4", "f2", "f4", "f8"])
def test_neither_type_nor_order_of_memory_changes_the_result(dtype: str) -> None:
    array = np.random.default_rng(4).integers(0, 200, (6, 9, 8))
    expected = stretch(array.astype(np.float32), (4, 9, 5))
    typed = array.astype(dtype)
    for version in (
        typed,
        np.asfortranarray(typed),
        np.ascontiguousarray(typed[::-1])[::-1],
        typed.transpose(1, 2, 0).copy().transpose(2, 0, 1),
    ):
        np.testing.assert_array_equal(stretch(version, (4, 9, 5)), expected)
