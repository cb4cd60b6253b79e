"""The grey levels that a DICOM header means: bits that count, padding, look-up tables, slopes,
colours.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.pixels import PixelFormat
from kneeoa.formats.read_volume import read_volume
from kneeoa.phantom.radiograph_files import write_radiograph
from kneeoa.radiographs.radiograph import Radiograph
from kneeoa.radiographs.read import read_radiograph
from tests.unit.formats.made import grid, recompress, write_series

SHAPE = (4, 48, 40)
AFFINE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 30))


def film(seed: int = 1, shape: tuple[int, ...] = SHAPE[1:]) -> NDArray[np.int64]:
    """Smooth shapes with noise that fill twelve bits."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    smooth = 1900 + 1500 * np.exp(-3 * ((axes[-2] - 0.1) ** 2 + (axes[-1] + 0.25) ** 2)) + 400 * axes[-2] - 300 * axes[-1]
    return np.clip(smooth + rng.normal(0, 25, shape), 1, 4095).astype(np.int64)


def radiograph(folder: Path, cells: NDArray[Any], syntax: str = ExplicitVRLittleEndian, **tags: Any) -> Radiograph:
    """Read a film whose cells of 16 bits are these."""
    path = write_radiograph(folder / "a.dcm", np.zeros(cells.shape), None, **{"PixelData": cells.astype("<u2").tobytes(), **tags})
    if syntax != ExplicitVRLittleEndian:
        recompress(path, syntax)
    return read_radiograph(path, "dicom-file", "frontal")


def series(folder: Path, cells: NDArray[Any], syntax: str = ExplicitVRLittleEndian, **tags: Any) -> NDArray[np.generic]:
    """Read a series whose cells are these; ``[slices, rows, columns]``."""
    kind = "<u2" if tags.get("PixelRepresentation", 0) == 0 else "<i2"
    for path, plane in zip(
        write_series(folder, np.zeros(cells.shape, np.int16), AFFINE, **{"PixelRepresentation": 0, **tags}), cells, strict=True
    ):
        data = pydicom.dcmread(path)
        data.PixelData = plane.astype(kind).tobytes()
        data.save_as(path)
        if syntax != ExplicitVRLittleEndian:
            recompress(path, syntax)
    return read_volume(folder, "dicom").array


@pytest.mark.parametrize("factor", [2, 4, 8, 15])
@pytest.mark.parametrize("stored", [8, 10, 12])
@pytest.mark.parametrize("inverted", [False, True])
def test_bits_beyond_those_that_count_are_kept_where_they_carry_the_picture(
    tmp_path: Path, factor: int, stored: int, inverted: bool
) -> None:
    cells = film() * factor
    tags = {"BitsStored": stored, "HighBit": stored - 1}
    if inverted:
        tags |= {"PhotometricInterpretation": "MONOCHROME1", "PixelIntensityRelationshipSign": 1}
    result = radiograph(tmp_path, cells, **tags).pixels.astype(int)
    np.testing.assert_array_equal(result, 65535 - cells if inverted else cells)
    if inverted:
        with pytest.raises(UnusableImage, match="exceed the bits"):
            series(tmp_path / "s", film(2, SHAPE) * factor, **tags)
    else:
        stack = film(2, SHAPE) * factor
        np.testing.assert_array_equal(series(tmp_path / "s", stack, **tags), stack)


def test_the_picture_may_exceed_its_bits_by_a_few_cells_and_below_nought(tmp_path: Path) -> None:
    few = np.minimum(film() + 700, 4300)
    assert 0 < (few > 4095).mean() < 0.2
    np.testing.assert_array_equal(radiograph(tmp_path, few).pixels, few)
    signed = (film(2, SHAPE) - 2000) * 8
    tags = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    np.testing.assert_array_equal(series(tmp_path / "s", signed, **tags), signed)


def test_slices_whose_further_bits_are_all_alike_follow_the_others(tmp_path: Path) -> None:
    stack = film(2, SHAPE) // 8 + 4200
    stack[1] = film(3) * 8
    for name, syntax in (("s", ExplicitVRLittleEndian), ("t", RLELossless)):
        np.testing.assert_array_equal(series(tmp_path / name, stack, syntax, BitsStored=12, HighBit=11), stack)


def overlay(shape: tuple[int, ...], kind: str) -> NDArray[np.int64]:
    bits = np.zeros(shape, dtype=np.int64)
    if kind == "letters":
        bits[..., 5:12, 4:30:3] = 1
    elif kind == "box":
        bits[..., 10:40, 8:30] = 1
    elif kind == "rubbish":
        bits = np.random.default_rng(5).integers(0, 16, shape)
    else:
        bits[...] = 10
    return bits << 12


@pytest.mark.parametrize("kind", ["letters", "box", "rubbish", "constant"])
def test_overlays_and_rubbish_are_left_out(tmp_path: Path, kind: str) -> None:
    cells = film()
    np.testing.assert_array_equal(radiograph(tmp_path, cells + overlay(cells.shape, kind)).pixels, cells)
    stack = film(2, SHAPE)
    np.testing.assert_array_equal(series(tmp_path / "s", stack + overlay(SHAPE, kind), BitsStored=12, HighBit=11), stack)


def framed(cells: NDArray[np.int64], value: int) -> NDArray[np.int64]:
    """A picture that fills a part of its cells; a slice at the end holds nothing."""
    out = np.full_like(cells, value)
    out[..., 6:-4, 5:-9] = cells[..., 6:-4, 5:-9]
    if out.ndim == 3:
        out[-1] = value
    return out


def dark(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    inner = cells[..., 6:-4, 5:-9]
    return framed(cells, int((inner[:-1] if cells.ndim == 3 else inner).min()))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless])
@pytest.mark.parametrize("value", [0, 4095, 63536, 65535])
def test_padding_is_dark_whatever_its_value(tmp_path: Path, syntax: str, value: int) -> None:
    cells = film()
    tags = {"PixelPaddingValue": value}
    np.testing.assert_array_equal(radiograph(tmp_path, framed(cells, value), syntax, **tags).pixels, dark(cells))
    stack = film(2, SHAPE)
    result = series(tmp_path / "s", framed(stack, value), syntax, BitsStored=12, HighBit=11, **tags)
    np.testing.assert_array_equal(result, dark(stack))


@pytest.mark.parametrize("stored", [12, 16])
def test_padding_of_signed_cells_of_inverted_ones_and_by_a_range(tmp_path: Path, stored: int) -> None:
    stack = film(2, SHAPE) - 2000
    bits = {"BitsStored": stored, "HighBit": stored - 1}
    padded = framed(stack, -32768)
    padded[:, :3] = -32000
    expected = dark(stack)
    tags = {"PixelRepresentation": 1, "PixelPaddingValue": -32768, "PixelPaddingRangeLimit": -31000, **bits}
    np.testing.assert_array_equal(series(tmp_path / "s", padded, **tags), expected)
    scaled = series(tmp_path / "t", padded, RescaleSlope=2, RescaleIntercept=7, **tags)
    np.testing.assert_array_equal(scaled, expected * 2.0 + 7)
    cells = film()
    inverted = {"PhotometricInterpretation": "MONOCHROME1", "PixelIntensityRelationshipSign": 1, "PixelPaddingValue": 4095}
    np.testing.assert_array_equal(radiograph(tmp_path, framed(4095 - cells, 4095), **inverted).pixels, dark(cells))


def test_a_picture_of_padding_alone_holds_nothing(tmp_path: Path) -> None:
    assert np.ptp(radiograph(tmp_path, np.full(SHAPE[1:], 3000), PixelPaddingValue=3000).pixels) == 0


LEVELS = np.arange(4096)
TABLES: dict[str, NDArray[np.int64]] = {
    "identity": LEVELS,
    "descending": 4095 - LEVELS,
    "logarithm": np.rint(65535 * np.log1p(LEVELS) / np.log(4096)).astype(np.int64),
    "exponential": np.rint(4095 * np.expm1(LEVELS / 4095 * 6) / np.expm1(6)).astype(np.int64),
    "short": np.arange(1000) * 4,
}


def lut(table: NDArray[np.int64], first: int = 0, vr: str = "OW", bits: int = 16) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "US" if first >= 0 else "SS", [len(table), first, bits])
    item.ModalityLUTType = "US"
    item.add_new("LUTData", vr, table.astype("<u2").tobytes() if vr == "OW" else [int(entry) for entry in table])
    return Sequence([item])


@pytest.mark.parametrize("vr", ["OW", "US"])
@pytest.mark.parametrize("first", [0, 500])
@pytest.mark.parametrize("kind", TABLES)
def test_a_modality_lut_is_what_pydicom_makes_of_it(tmp_path: Path, kind: str, first: int, vr: str) -> None:
    cells = film()
    result = radiograph(tmp_path, cells, ModalityLUTSequence=lut(TABLES[kind], first, vr)).pixels
    expected = apply_modality_lut(cells.astype(np.uint16), pydicom.dcmread(tmp_path / "a.dcm"))
    np.testing.assert_array_equal(result, expected)


def test_a_modality_lut_of_a_series_of_signed_cells_and_of_an_inverted_film(tmp_path: Path) -> None:
    stack = film(2, SHAPE) - 2000
    table = 4095 - LEVELS
    tags = {"PixelRepresentation": 1, "ModalityLUTSequence": lut(table, -2000)}
    np.testing.assert_array_equal(series(tmp_path / "s", stack, **tags), table[stack + 2000])
    cells = film()
    inverted = {"PhotometricInterpretation": "MONOCHROME1", "PixelIntensityRelationshipSign": 1}
    result = radiograph(tmp_path, cells, ModalityLUTSequence=lut(table, bits=12), **inverted).pixels
    np.testing.assert_array_equal(result, cells)


@pytest.mark.parametrize("damage", ["short", "no data", "no descriptor"])
def test_a_damaged_modality_lut_is_said(tmp_path: Path, damage: str) -> None:
    sequence = lut(LEVELS)
    if damage == "short":
        sequence[0].LUTData = sequence[0].LUTData[:4000]
    elif damage == "no data":
        del sequence[0].LUTData
    else:
        del sequence[0].LUTDescriptor
    with pytest.raises(UnusableImage, match="look-up table") as caught:
        radiograph(tmp_path, film(), ModalityLUTSequence=sequence)
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize(("slope", "intercept"), [("-1", "4095"), ("-0.5", "0"), ("2", "-3")])
def test_a_slope_keeps_its_sign_in_volumes_and_in_films(tmp_path: Path, slope: str, intercept: str) -> None:
    tags = {"RescaleSlope": slope, "RescaleIntercept": intercept}
    stack, cells = film(2, SHAPE), film()
    np.testing.assert_allclose(series(tmp_path / "s", stack, **tags), stack * float(slope) + float(intercept))
    np.testing.assert_allclose(radiograph(tmp_path, cells, **tags).pixels, cells * float(slope) + float(intercept))


def test_a_slope_of_nought_is_none(tmp_path: Path) -> None:
    stack = film(2, SHAPE)
    np.testing.assert_array_equal(series(tmp_path / "s", stack, RescaleSlope=0), stack)


EIGHT = (film() >> 4).astype(np.uint8)
COLOURS = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "SamplesPerPixel": 3}


def _rgb(colours: NDArray[Any]) -> dict[str, Any]:
    return {"PhotometricInterpretation": "RGB", "PlanarConfiguration": 0, "PixelData": colours.astype(np.uint8).tobytes(), **COLOURS}


def _planes(colours: NDArray[Any]) -> dict[str, Any]:
    return {**_rgb(colours), "PlanarConfiguration": 1, "PixelData": np.moveaxis(colours, -1, 0).astype(np.uint8).tobytes()}


def _ybr(colours: NDArray[Any]) -> dict[str, Any]:
    grey, red = colours[..., 1], colours[..., 0]
    chroma = np.full_like(grey, 128)
    parts = np.dstack([grey, chroma, np.where(red == grey, chroma, 200)])
    return {**_rgb(parts), "PhotometricInterpretation": "YBR_FULL"}


def _palette(colours: NDArray[Any]) -> dict[str, Any]:
    ramp = np.arange(256, dtype=np.uint16) * 257
    coloured = bool((colours[..., 0] != colours[..., 1]).any())
    tags: dict[str, Any] = {**_rgb(colours[..., :1]), "PhotometricInterpretation": "PALETTE COLOR", "SamplesPerPixel": 1}
    for name in ("Red", "Green", "Blue"):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{name}PaletteColorLookupTableData"] = (ramp[::-1] if coloured and name == "Red" else ramp).tobytes()
    return tags


@pytest.mark.parametrize("tags", [_rgb, _planes, _ybr, _palette])
def test_a_film_in_colours_that_are_grey_is_read_and_another_is_not(tmp_path: Path, tags: Callable[[NDArray[Any]], dict[str, Any]]) -> None:
    grey = np.repeat(EIGHT[..., None], 3, axis=2)
    result = radiograph(tmp_path, EIGHT, **tags(grey)).pixels.astype(int)
    np.testing.assert_array_equal(result, EIGHT.astype(int) * (257 if tags is _palette else 1))
    coloured = grey.copy()
    coloured[10:20, 10:20, 0] = 255 - coloured[10:20, 10:20, 0]
    with pytest.raises(UnusableImage) as caught:
        radiograph(tmp_path, EIGHT, **tags(coloured))
    assert caught.value.reason == "not-greyscale"


def test_a_film_in_the_colours_of_a_jpeg(tmp_path: Path) -> None:
    grey = np.repeat(EIGHT[..., None], 3, axis=2)
    path = write_radiograph(tmp_path / "a.dcm", np.zeros(EIGHT.shape), None, **_rgb(grey))
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=95)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID, data.PhotometricInterpretation = JPEGBaseline8Bit, "YBR_FULL_422"
    data.PixelData = encapsulate([stream.getvalue()])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    result = read_radiograph(path, "dicom-file", "frontal").pixels.astype(int)
    assert int(np.abs(result - EIGHT).max()) <= 8


def test_colours_that_are_cut_or_of_several_frames_are_not_read(tmp_path: Path) -> None:
    tags = _rgb(np.repeat(EIGHT[..., None], 3, axis=2))
    for change, reason in (({"PixelData": tags["PixelData"][:999]}, "unreadable"), ({"NumberOfFrames": 2}, "unsupported-dicom")):
        with pytest.raises(UnusableImage) as caught:
            radiograph(tmp_path, EIGHT, **{**tags, **change})
        assert caught.value.reason == reason


def test_the_range_of_bits_is_told_of_both_signs() -> None:
    form = PixelFormat(1, 2, 2, 16, 12, 11, signed=True, inverted=False)
    for value, exceeds in ((2047, False), (2048, True), (-2048, False), (-2049, True)):
        assert form.exceeded_by(np.array([[0, value]], dtype=np.int16)) is exceeds


def test_compressed_bits_are_kept_where_they_carry_the_picture(tmp_path: Path) -> None:
    cells = film() * 8
    path = write_radiograph(tmp_path / "a.dcm", np.zeros(cells.shape), None, bits=16, PixelData=cells.astype("<u2").tobytes())
    recompress(path, JPEGLSLossless)
    data = pydicom.dcmread(path)
    data.BitsStored, data.HighBit = 12, 11
    data.save_as(path)
    np.testing.assert_array_equal(read_radiograph(path, "dicom-file", "frontal").pixels, cells)
