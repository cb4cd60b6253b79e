"""Radiographs as pictures: every grey level of 16 bits, JPEG and TIFF, orientation tags, colours
that are grey but for a trace.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from kneeoa.errors import UnusableImage
from kneeoa.radiographs.read import read_radiograph
from tests.unit.radiographs.pictures import deep_png, deep_tiff

FILM = np.random.default_rng(3).integers(100, 4000, (24, 20)).astype(np.uint16)
EIGHT = (np.add.outer(np.arange(24), np.arange(20)) * 5).astype(np.uint8)
OPAQUE = np.full_like(FILM, 65535)


def read(path: Path, content: bytes, format: str) -> NDArray[np.generic]:
    path.write_bytes(content)
    return read_radiograph(path, format, "frontal").pixels


def reason(path: Path, content: bytes, format: str) -> str:
    with pytest.raises(UnusableImage) as caught:
        read(path, content, format)
    return caught.value.reason


def saved(image: Image.Image, format: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format, **options)  # type: ignore[arg-type]
    return stream.getvalue()


CHANNELS = {
    "grey": FILM[..., None],
    "grey and alpha": np.dstack([FILM, OPAQUE]),
    "RGB": np.dstack([FILM] * 3),
    "RGBA": np.dstack([FILM] * 3 + [OPAQUE]),
}


@pytest.mark.parametrize("kind", CHANNELS)
@pytest.mark.parametrize("row_filter", [0, 1, 2])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_png_of_16_bits_keeps_every_level(tmp_path: Path, kind: str, row_filter: int, interlaced: bool) -> None:
    result = read(tmp_path / "a.png", deep_png(CHANNELS[kind], row_filter, interlaced=interlaced), "png")
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, FILM)


@pytest.mark.parametrize("kind", ["grey", "RGB"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("deflated", [False, True])
def test_a_tiff_of_16_bits_keeps_every_level(tmp_path: Path, kind: str, big: bool, deflated: bool) -> None:
    result = read(tmp_path / "a.tif", deep_tiff(CHANNELS[kind], big=big, deflated=deflated), "tiff")
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result, FILM)


def test_a_tiff_whose_zero_is_white_is_mirrored(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path / "a.tif", deep_tiff(FILM[..., None], photometric=0), "tiff"), 65535 - FILM)
    np.testing.assert_array_equal(read(tmp_path / "b.tif", deep_tiff(EIGHT[..., None], photometric=0), "tiff"), 255 - EIGHT)
    real = FILM.astype(np.float32)
    np.testing.assert_array_equal(read(tmp_path / "c.tif", deep_tiff(real[..., None], photometric=0), "tiff"), real.max() - real)


def test_a_tiff_of_real_numbers(tmp_path: Path) -> None:
    values = (FILM / 7).astype(np.float32)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", deep_tiff(values[..., None]), "tiff"), values)
    values[3, 4] = np.nan
    assert reason(tmp_path / "b.tif", deep_tiff(values[..., None]), "tiff") == "non-finite"


@pytest.mark.parametrize(("format", "name"), [("jpeg", "JPEG"), ("tiff", "TIFF"), ("bmp", "BMP"), ("png", "PNG")])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pictures_of_8_bits(tmp_path: Path, format: str, name: str, mode: str) -> None:
    options = {"quality": 100} if format == "jpeg" else {}
    content = saved(Image.fromarray(EIGHT).convert(mode), name, **options)
    result = read(tmp_path / "a", content, format)
    assert result.dtype == np.uint8
    assert int(np.abs(result.astype(int) - EIGHT).max()) <= (2 if format == "jpeg" else 0)
    for share in (0.05, 0.5):
        assert reason(tmp_path / "b", content[: int(share * len(content))], format) in ("unreadable", "wrong-dimensions")
    assert reason(tmp_path / "c", b"<html>403</html>", format) == "unreadable"


@pytest.mark.parametrize("stored", [EIGHT, FILM.astype(np.uint16), EIGHT.mean() < EIGHT])
@pytest.mark.parametrize("missing", [1, 7])
def test_a_png_without_its_last_rows_is_refused_and_one_whose_last_rows_are_black_is_read(
    tmp_path: Path, stored: np.ndarray, missing: int
) -> None:
    content = saved(Image.fromarray(stored), "PNG")
    header = b"IHDR" + content[16:20] + struct.pack(">I", stored.shape[0] + missing) + content[24:29]
    claiming = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
    assert reason(tmp_path / "a", claiming, "png") == "wrong-dimensions"
    black = stored.copy()
    black[-missing:] = 0
    np.testing.assert_array_equal(read(tmp_path / "b", saved(Image.fromarray(black), "PNG"), "png") > 0, black > 0)


# As PS3.3 of DICOM has no part in it: what viewers do with each code (TIFF 6.0, tag 274).
STORED = {
    1: EIGHT,
    2: EIGHT[:, ::-1],
    3: EIGHT[::-1, ::-1],
    4: EIGHT[::-1],
    5: EIGHT.T,
    6: np.rot90(EIGHT),
    7: EIGHT[::-1, ::-1].T,
    8: np.rot90(EIGHT, -1),
}


@pytest.mark.parametrize("code", STORED)
@pytest.mark.parametrize(("format", "name"), [("jpeg", "JPEG"), ("png", "PNG"), ("tiff", "TIFF")])
def test_the_orientation_tag_is_obeyed(tmp_path: Path, format: str, name: str, code: int) -> None:
    exif = Image.Exif()
    exif[274] = code
    options = {"quality": 100} if format == "jpeg" else {}
    content = saved(Image.fromarray(np.ascontiguousarray(STORED[code])), name, exif=exif, **options)
    result = read(tmp_path / "a", content, format).astype(int)
    assert result.shape == EIGHT.shape
    assert int(np.abs(result - EIGHT).max()) <= (2 if format == "jpeg" else 0)


def test_the_orientation_of_a_tiff_of_16_bits(tmp_path: Path) -> None:
    turned = np.ascontiguousarray(np.rot90(np.dstack([FILM] * 3)))
    np.testing.assert_array_equal(read(tmp_path / "a.tif", deep_tiff(turned, orientation=6), "tiff"), FILM)


def test_an_orientation_that_is_none_and_damaged_exif_data_are_passed_over(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 77
    np.testing.assert_array_equal(read(tmp_path / "a.png", saved(Image.fromarray(EIGHT), "PNG", exif=exif), "png"), EIGHT)
    junk = saved(Image.fromarray(EIGHT), "PNG", exif=b"Exif\0\0no tags at all")
    np.testing.assert_array_equal(read(tmp_path / "b.png", junk, "png"), EIGHT)


@pytest.mark.parametrize("bits", [8, 16])
def test_colours_that_differ_by_a_trace_are_grey_and_others_are_not(tmp_path: Path, bits: int) -> None:
    unit = 1 if bits == 8 else 257
    grey = EIGHT.astype(int) * unit
    tint = np.random.default_rng(4).integers(-2, 3, (*EIGHT.shape, 3)) * unit
    near = np.clip(grey[..., None] + tint, 0, 255 * unit)
    annotated = np.repeat(grey[..., None], 3, axis=2)
    annotated[10, 5:9, 0] = 255 * unit
    annotated[10, 5:9, 1:] = 0

    def png(colours: NDArray[np.int64]) -> bytes:
        return saved(Image.fromarray(colours.astype(np.uint8)), "PNG") if bits == 8 else deep_png(colours.astype(np.uint16))

    result = read(tmp_path / "a.png", png(near), "png").astype(int)
    assert result.max() > 200 * unit
    assert int(np.abs(result - grey).max()) <= 2 * unit
    assert reason(tmp_path / "b.png", png(annotated), "png") == "not-greyscale"


def test_a_jpeg_that_was_saved_again_in_colours(tmp_path: Path) -> None:
    once = Image.open(io.BytesIO(saved(Image.fromarray(EIGHT).convert("RGB"), "JPEG", quality=90)))
    colours = np.asarray(once.convert("RGB")).copy()
    colours[5, 5, 0] ^= 1
    result = read(tmp_path / "a.png", saved(Image.fromarray(colours), "PNG"), "png")
    assert int(np.abs(result.astype(int) - colours[..., 1]).max()) <= 1


@pytest.mark.parametrize("kind", ["grey and alpha", "RGBA"])
def test_what_is_see_through_is_refused_in_16_bits_too(tmp_path: Path, kind: str) -> None:
    channels = CHANNELS[kind].copy()
    channels[2, 3, -1] = 65534
    assert reason(tmp_path / "a.png", deep_png(channels), "png") == "not-greyscale"
    level = int(FILM[2, 3])
    assert reason(tmp_path / "b.png", deep_png(CHANNELS["RGB"], clear=(level, level, level)), "png") == "not-greyscale"
    np.testing.assert_array_equal(read(tmp_path / "c.png", deep_png(CHANNELS["RGB"], clear=(1, 2, 3)), "png"), FILM)


def test_pages_and_depths_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    page = Image.fromarray(EIGHT)
    assert reason(tmp_path / "a.tif", saved(page, "TIFF", save_all=True, append_images=[page]), "tiff") == "not-greyscale"
    content = bytearray(saved(page, "JPEG"))
    content[content.index(b"\xff\xc0") + 4] = 12
    assert reason(tmp_path / "a.jpg", bytes(content), "jpeg") == "missing-codec"
