"""Every transfer syntax and every way to store a voxel gives the same values."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.file import open_file, read_voxels, rescale
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, recompress, write_enhanced, write_series

SHAPE = (4, 24, 20)
AFFINE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 30))
SYNTAXES = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-lossless": JPEGLossless,
    "jpeg-lossless-sv1": JPEGLosslessSV1,
    "jpeg-ls": JPEGLSLossless,
    "jpeg-2000": JPEG2000Lossless,
}
KINDS: dict[str, dict[str, Any]] = {
    "signed 16": {"BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1},
    "unsigned 16": {"BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0},
    "unsigned 12": {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0},
    "unsigned 8": {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0},
}


def scene(kind: str) -> np.ndarray:
    """Smooth shapes with noise that use the whole range of the kind."""
    tags = KINDS[kind]
    rng = np.random.default_rng(5)
    smooth = np.sin(np.linspace(0, 9, SHAPE[0] * SHAPE[1] * SHAPE[2])).reshape(SHAPE) + 0.05 * rng.normal(size=SHAPE)
    unit = (smooth - smooth.min()) / np.ptp(smooth)
    low, high = (-(2**15), 2**15 - 1) if tags["PixelRepresentation"] else (0, 2 ** tags["BitsStored"] - 1)
    return np.rint(low + unit * (high - low)).astype(np.int64)


def write(folder: Path, kind: str, values: np.ndarray, **tags: Any) -> list[Path]:
    """A series whose stored cells are ``values`` in the kind's type."""
    cell = np.dtype(f"<{'i' if KINDS[kind]['PixelRepresentation'] else 'u'}{KINDS[kind].get('BitsAllocated', 16) // 8}")
    files = write_series(folder, np.zeros(SHAPE, np.int16), AFFINE, **KINDS[kind], **tags)
    for path, plane in zip(files, values, strict=True):
        data = pydicom.dcmread(path)
        data.PixelData = plane.astype(cell).tobytes()
        data["PixelData"].VR = "OW" if cell.itemsize == 2 else "OB"
        data.save_as(path)
    return files


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_each_syntax_gives_the_voxels_that_were_stored(tmp_path: Path, syntax: str, kind: str) -> None:
    expected = scene(kind)
    for path in write(tmp_path / "s", kind, expected):
        recompress(path, SYNTAXES[syntax])
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == SYNTAXES[syntax]
    result = read_volume(tmp_path / "s", "dicom").array
    np.testing.assert_array_equal(result, expected)
    one = sorted((tmp_path / "s").iterdir())[2]
    np.testing.assert_array_equal(read_voxels(open_file(one, "one"), "one"), expected[2][None])


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big-endian", "deflated", "rle"])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("high", [11, 14])
def test_bits_that_do_not_count_are_cleared(tmp_path: Path, syntax: str, signed: int, high: int) -> None:
    rng = np.random.default_rng(8)
    values = rng.integers(-2048 if signed else 0, 2048 if signed else 4096, SHAPE)
    rubbish = rng.integers(0, 2**16, SHAPE)
    mask = 0xFFF << (high - 11)
    cells = ((values & 0xFFF) << (high - 11)) | (rubbish & ~mask & 0xFFFF)
    for path in write(tmp_path / "s", "unsigned 16", cells):
        data = pydicom.dcmread(path)
        data.BitsStored, data.HighBit, data.PixelRepresentation = 12, high, signed
        data.save_as(path)
        recompress(path, SYNTAXES[syntax])
    np.testing.assert_array_equal(read_volume(tmp_path / "s", "dicom").array, values)


@pytest.mark.parametrize("syntax", ["explicit", "jpeg-ls"])
def test_slope_and_intercept_of_each_slice_are_its_own(tmp_path: Path, syntax: str) -> None:
    expected = scene("unsigned 12")
    for number, path in enumerate(write(tmp_path / "s", "unsigned 12", expected)):
        data = pydicom.dcmread(path)
        data.RescaleSlope, data.RescaleIntercept = number + 0.5, -number
        data.save_as(path)
        recompress(path, SYNTAXES[syntax])
    result = read_volume(tmp_path / "s", "dicom").array
    assert result.dtype == np.float32
    factor = np.arange(4)[:, None, None]
    np.testing.assert_allclose(result, expected * (factor + 0.5) - factor, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("kind", ["unsigned 12", "signed 16", "unsigned 8"])
def test_monochrome1_is_brightest_at_its_highest_value(tmp_path: Path, kind: str) -> None:
    expected = scene(kind)
    write(tmp_path / "s", kind, expected, PhotometricInterpretation="MONOCHROME1")
    top = -1 if KINDS[kind]["PixelRepresentation"] else 2 ** KINDS[kind]["BitsStored"] - 1
    np.testing.assert_array_equal(read_volume(tmp_path / "s", "dicom").array, top - expected)


def test_a_missing_codec_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in write(tmp_path / "s", "unsigned 16", scene("unsigned 16")):
        recompress(path, JPEGLSLossless)
    monkeypatch.setattr(Decoder, "is_available", property(lambda _: False))
    with pytest.raises(UnusableImage, match="JPEG-LS Lossless") as caught:
        read_volume(tmp_path / "s", "dicom")
    assert caught.value.reason == "missing-codec"


@pytest.mark.parametrize("syntax", ["deflated", "big-endian", "rle", "jpeg-lossless-sv1", "jpeg-ls", "jpeg-2000"])
def test_a_slice_cut_anywhere_is_never_read(tmp_path: Path, syntax: str) -> None:
    files = write(tmp_path / "s", "unsigned 16", scene("unsigned 16"))
    for path in files:
        recompress(path, SYNTAXES[syntax])
    whole = files[1].read_bytes()
    for length in np.linspace(0, len(whole) - 12, 15).astype(int):
        files[1].write_bytes(whole[:length])
        with pytest.raises(UnusableImage) as caught:
            read_volume(tmp_path / "s", "dicom")
        assert caught.value.reason in ("unreadable", "missing-geometry"), length


def test_more_voxels_than_rows_and_columns_are_refused(tmp_path: Path) -> None:
    data = pydicom.dcmread(write(tmp_path / "s", "signed 16", scene("signed 16"))[1])
    data.Rows = 20
    data.save_as(tmp_path / "s/002")
    with pytest.raises(UnusableImage) as caught:
        read_volume(tmp_path / "s", "dicom")
    assert caught.value.reason == "wrong-dimensions"


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "deflated", "rle"])
@pytest.mark.parametrize("echo", [None, 1, 2])
def test_an_enhanced_file_holds_its_echoes_apart(tmp_path: Path, syntax: str, echo: int | None) -> None:
    stacks = [np.arange(480, dtype=np.int16).reshape(6, 10, 8), np.arange(480, dtype=np.int16).reshape(6, 10, 8) + 2000]
    path = write_enhanced(tmp_path / "e.dcm", stacks, grid("LIP", (3.0, 0.5, 0.7), (1, 2, 3), tilt=8), [7.5, 42.5])
    recompress(path, SYNTAXES[syntax])
    result = read_volume(path, "dicom-file", echo)
    np.testing.assert_array_equal(np.sort(result.array.ravel()), np.sort(stacks[(echo or 1) - 1].ravel()))
    np.testing.assert_allclose(result.spacing, (3.0, 0.5, 0.7), atol=1e-6)
    slice_of = [int(plane.min()) for plane in result.array]
    assert slice_of in (sorted(slice_of), sorted(slice_of, reverse=True))


def test_an_enhanced_files_frames_are_scaled_one_by_one(tmp_path: Path) -> None:
    values = np.full((4, 6, 5), 10, dtype=np.int16)
    path = write_enhanced(tmp_path / "e.dcm", [values], AFFINE, [7.5], scales=[1.0, 2.0, 3.0, 4.0])
    assert sorted(float(plane.mean()) for plane in read_volume(path, "dicom-file").array) == [10.0, 20.0, 30.0, 40.0]


def test_rescaling_by_nothing_is_free() -> None:
    stored = np.arange(6, dtype=np.int16)
    assert rescale(stored, 1.0, 0.0) is stored
    np.testing.assert_array_equal(rescale(stored, 2.0, -1.0), [-1, 1, 3, 5, 7, 9])


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big-endian", "deflated"])
@pytest.mark.parametrize(
    ("behind", "sound"), [(bytes(2), True), (bytes(512), True), (b"\xff" * 64, True), (b"\0\1" * 32, False), (bytes(960), False)]
)
def test_padding_behind_the_voxels_is_passed_over(tmp_path: Path, syntax: str, behind: bytes, sound: bool) -> None:
    expected = scene("unsigned 12")
    for path in write(tmp_path / "s", "unsigned 12", expected):
        data = pydicom.dcmread(path)
        data.PixelData += behind
        data.save_as(path)
        recompress(path, SYNTAXES[syntax])
    one = sorted((tmp_path / "s").iterdir())[2]
    if sound:
        np.testing.assert_array_equal(read_volume(tmp_path / "s", "dicom").array, expected)
        np.testing.assert_array_equal(read_voxels(open_file(one, "one"), "one", 0), expected[2])
        return
    with pytest.raises(UnusableImage) as caught:
        read_volume(tmp_path / "s", "dicom")
    assert caught.value.reason == "wrong-dimensions"


def test_what_is_whole_and_beyond_the_decoders_is_not_called_damaged(tmp_path: Path) -> None:
    for path in write(tmp_path / "s", "unsigned 12", scene("unsigned 12")):
        recompress(path, JPEGLosslessSV1)
        data = pydicom.dcmread(path)
        data.file_meta.TransferSyntaxUID = JPEGExtended12Bit  # no open decoder takes 12 bits of it
        data.save_as(path)
    with pytest.raises(UnusableImage, match="may be sound") as caught:
        read_volume(tmp_path / "s", "dicom")
    assert caught.value.reason == "missing-codec"
