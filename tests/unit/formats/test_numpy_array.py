"""Arrays of NumPy as images: read as the cohort declares them, else refused."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kneeoa.config.cohorts import Cohort
from kneeoa.errors import UnusableImage
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import pattern
from tests.unit.volumes.test_orientation import ALL

SHAPE = (6, 5, 4)
SPACING = (3.0, 0.5, 0.7)


@pytest.mark.parametrize("codes", ALL)
def test_each_axis_points_to_its_declared_side(tmp_path: Path, codes: str) -> None:
    array = pattern(SHAPE)
    np.save(tmp_path / "a.npy", array)
    volume = read_volume(tmp_path / "a.npy", "npy", orientation=codes, spacing=SPACING)
    assert (volume.array == array).all()
    assert volume.declared == codes
    for axis, code in enumerate(codes):
        row = {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}[code]
        expected = np.zeros(3)
        expected[row] = SPACING[axis] if code in "RAS" else -SPACING[axis]
        assert (volume.affine[:3, axis] == expected).all()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<u1", "<i2", ">i2", "<f4", "<f8", ">f8"])
def test_values_are_those_that_numpy_loads(tmp_path: Path, order: Any, dtype: str) -> None:
    array = np.asarray(pattern(SHAPE), dtype=dtype, order=order)
    np.save(tmp_path / "a.npy", array)
    read = read_volume(tmp_path / "a.npy", "npy", orientation="RIP", spacing=SPACING).array
    assert (read == np.load(tmp_path / "a.npy")).all()
    assert read.dtype.isnative
    assert read.dtype.itemsize <= 4


def saved(array: np.ndarray, *, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


WHOLE = saved(np.ones(SHAPE, np.int16))
BAD = {
    "cut": (WHOLE[:-3], "unreadable"),
    "more": (WHOLE + b"xx", "wrong-dimensions"),
    "empty": (b"", "unreadable"),
    "text": (b"1,2,3\n", "unreadable"),
    "archive": (b"PK\x03\x04" + bytes(60), "unreadable"),
    "version": (WHOLE[:6] + b"\x09" + WHOLE[7:], "unreadable"),
    "objects": (saved(np.array([[[{}]]]), pickled=True), "not-greyscale"),
    "complex": (saved(np.ones(SHAPE, np.complex64)), "not-greyscale"),
    "colour": (saved(np.ones((4, 5, 6, 3), np.uint8)), "not-3d"),
    "slice": (saved(np.ones((5, 6))), "not-3d"),
    "huge": (WHOLE.replace(b"(6, 5, 4), }", b"(99999, 99999, 9), }").replace(b"                 \n", b"         \n"), "too-large"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_volume_is_refused(tmp_path: Path, case: str) -> None:
    content, reason = BAD[case]
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(UnusableImage) as refused:
        read_volume(tmp_path / "a.npy", "npy", orientation="RIP", spacing=SPACING)
    assert refused.value.reason == reason


@pytest.mark.parametrize("declared", [{}, {"orientation": "RIP"}, {"spacing": SPACING}])
def test_an_array_without_declared_geometry_is_refused(tmp_path: Path, declared: dict[str, Any]) -> None:
    np.save(tmp_path / "a.npy", np.ones(SHAPE))
    with pytest.raises(UnusableImage, match="declare 'orientation' and 'spacing_mm'") as refused:
        read_volume(tmp_path / "a.npy", "npy", **declared)
    assert refused.value.reason == "missing-geometry"


@pytest.mark.parametrize(("spacing", "reason"), [((1000.0, 1.0, 1.0), "absurd-spacing"), ((1e-4, 1e-4, 1e-4), "absurd-spacing")])
def test_an_impossible_size_is_refused(tmp_path: Path, spacing: tuple[float, ...], reason: str) -> None:
    np.save(tmp_path / "a.npy", np.ones(SHAPE))
    with pytest.raises(UnusableImage) as refused:
        read_volume(tmp_path / "a.npy", "npy", orientation="RIP", spacing=spacing)
    assert refused.value.reason == reason


def test_sizes_without_an_orientation_stop_at_parse() -> None:
    with pytest.raises(ValueError, match="need 'orientation' too"):
        Cohort(reader="manifest", root=".", spacing_mm=(3.0, 0.5, 0.5))
