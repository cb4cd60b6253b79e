from pathlib import Path

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.saliency.storage import create_maps, open_maps, pack, split_signs, unpack


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
