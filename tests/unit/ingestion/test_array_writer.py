"""Rows appended to a .npy file."""

from pathlib import Path

import numpy as np
import pytest

from kneeoa.errors import KneeoaError
from kneeoa.ingestion.array_writer import open_rows, row_writer


@pytest.mark.parametrize("count", [0, 1, 12])
def test_the_file_is_what_numpy_would_read_and_map(tmp_path: Path, count: int) -> None:
    rows = np.random.default_rng(0).random((count, 3, 4, 5)).astype(np.float16)
    with row_writer(tmp_path / "a.npy", (3, 4, 5), np.float16) as writer:
        assert [writer.append(row) for row in rows] == list(range(count))
    assert np.load(tmp_path / "a.npy", allow_pickle=False).shape == (count, 3, 4, 5)
    result = open_rows(tmp_path / "a.npy")
    assert result.dtype == np.float16
    np.testing.assert_array_equal(result, rows)


def test_a_view_is_written_in_its_own_order(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    with row_writer(tmp_path / "a.npy", (4, 3, 2), np.uint8) as writer:
        writer.append(array.T)
    np.testing.assert_array_equal(open_rows(tmp_path / "a.npy")[0], array.T)


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    def two_shapes() -> None:
        with row_writer(tmp_path / "a.npy", (3, 4), np.uint8) as writer:
            writer.append(np.zeros((3, 4), np.uint8))
            writer.append(np.zeros((4, 3), np.uint8))

    with pytest.raises(KneeoaError, match="does not fit"):
        two_shapes()
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_array_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"not an array")
    for name in ("a.npy", "none.npy"):
        with pytest.raises(KneeoaError, match=r"cannot be opened as a \.npy array"):
            open_rows(tmp_path / name)
