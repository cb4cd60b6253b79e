from pathlib import Path

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.saliency.storage import area_mean, create_maps, kept_shape, open_maps, overlaps, pack, split_signs, unpack


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_maps_of_any_size_keep_their_values(size: float) -> None:
    values = np.geomspace(size * 1e-7, size, 50)
    stored, scale = pack(values)
    assert stored.dtype == np.float16
    np.testing.assert_allclose(unpack(stored, scale), values, rtol=1e-3)


def test_a_zero_map_stays_zero() -> None:
    stored, scale = pack(np.zeros((2, 3)))
    assert scale == 1
    assert not unpack(stored, scale).any()


def test_opposite_signs_in_a_cell_do_not_cancel() -> None:
    signed = np.array([[1.0, -3, 0, 0], [2, 0, 0, -4]])
    parts = split_signs(signed, (1, 2))
    np.testing.assert_allclose(parts, [[[0.75, 0]], [[0.75, 1]]])
    np.testing.assert_allclose(parts.sum(axis=0), [[np.abs(signed[:, :2]).mean(), np.abs(signed[:, 2:]).mean()]])


def test_maps_are_written_row_by_row_and_only_whole_files_appear(tmp_path: Path) -> None:
    path = tmp_path / "maps.npy"
    with pytest.raises(ValueError, match="broadcast"), create_maps(path, 2, (3, 4)) as maps:
        maps[0] = np.ones(5)
    assert not path.exists()
    with create_maps(path, 2, (3, 4)) as maps:
        maps[0], maps[1] = 1, 2
    assert open_maps(path, 2).mean(axis=(1, 2, 3)).tolist() == [1, 2]
    with create_maps(path, 0, (3, 4)):
        pass
    assert open_maps(path, 0).shape == (0, 2, 3, 4)
    np.save(path, np.zeros((2, 3, 4)))
    with pytest.raises(KneeoaError, match="2 maps of two signs"):
        open_maps(path, 2)


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
