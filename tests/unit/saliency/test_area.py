import numpy as np
import pytest

from kneeoa.saliency.area import area_mean, kept_shape, overlaps


def test_whole_blocks_are_averaged() -> None:
    image = np.random.default_rng(0).normal(size=(4, 6, 8))
    blocks = image.reshape(2, 2, 3, 2, 2, 4).mean(axis=(1, 3, 5))
    np.testing.assert_allclose(area_mean(image, (2, 3, 2)), blocks, atol=1e-12)


def test_a_broken_block_takes_its_share_of_a_voxel() -> None:
    np.testing.assert_allclose(area_mean(np.array([3.0, 6, 9]), (2,)), [(3 + 6 / 2) / 1.5, (6 / 2 + 9) / 1.5])


def test_finer_cells_repeat_the_voxel_they_lie_in() -> None:
    np.testing.assert_allclose(area_mean(np.array([[1.0, 2]]), (2, 4)), [[1, 1, 2, 2]] * 2)


@pytest.mark.parametrize("shape", [(5, 7), (3, 2), (10, 9), (20, 31)])
def test_the_mean_is_preserved_and_a_constant_stays(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(size=(10, 9))
    assert area_mean(image, shape).mean() == pytest.approx(image.mean(), abs=1e-12)
    np.testing.assert_allclose(area_mean(np.full((10, 9), 0.3), shape), 0.3, atol=1e-12)
    np.testing.assert_allclose(overlaps(10, shape[0]).sum(axis=1), 1, atol=1e-12)


def test_kept_shape_rounds_up() -> None:
    assert kept_shape((40, 41, 3), 4) == (10, 11, 1)
