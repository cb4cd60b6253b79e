"""Radiographs from files: depth, polarity, pixel size, display and side; whatever cannot be right
is said.
"""

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from kneeoa.errors import UnusableImage
from kneeoa.formats.file_names import format_of
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.radiographs.read import read_radiograph

RAMP = np.linspace(0, 1, 24 * 20).reshape(24, 20)


OTHER_VIEWS = (
    "LL", "RL", "LLD", "RLD", "LATERAL", "LAT", "Lateral", "ML", "MEDIO-LATERAL", "SKYLINE", "SUNRISE", "MERCHANT", "AXIAL", "TANGENTIAL",
    "OBLIQUE", "OBL", "AP OBLIQUE", "RAO",
)  # fmt: skip
OTHER_CODES = (
    ("399067008", ""), ("R-102CD", ""), ("399198007", "right lateral"), ("x", "lateral"), ("x", "medio-lateral"), ("x", "axial"),
    ("x", "tangential"), ("399312000", "antero-posterior oblique"), ("x", "frontal-oblique axial"),
)  # fmt: skip


def view(value: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return Sequence([item])


def dicom(folder: Path, projection: str = "frontal", picture: np.ndarray = RAMP, **tags: Any) -> Any:
    tags = {"spacing": 0.5, **tags}
    return read_radiograph(write_radiograph(folder / "a.dcm", picture, **tags), "dicom-file", projection)  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("inverted", [False, True])
def test_depth_and_polarity(tmp_path: Path, bits: int, inverted: bool) -> None:
    result = dicom(tmp_path, bits=bits, inverted=inverted)
    np.testing.assert_allclose(result.pixels.astype(float) / ((1 << bits) - 1), RAMP, atol=1 / ((1 << bits) - 1))
    assert result.spacing == (0.5, 0.5)
    assert result.side == "B"


def test_bits_that_do_not_count_are_left_out(tmp_path: Path) -> None:
    path = write_radiograph(tmp_path / "a.dcm", RAMP, 0.5, bits=12)
    clean = read_radiograph(path, "dicom-file", "frontal")
    dirty = (np.round(RAMP * 4095).astype("<u2") | 0xA000).tobytes()
    np.testing.assert_array_equal(dicom(tmp_path, bits=12, PixelData=dirty).pixels, clean.pixels)


def test_raw_data_follow_the_sign_and_pictures_their_photometric_interpretation(tmp_path: Path) -> None:
    rising = {"PixelIntensityRelationshipSign": 1}
    raw = dicom(tmp_path, PresentationIntentType="FOR PROCESSING", **rising)
    assert raw.pixels[0, 0] > raw.pixels[-1, -1]
    shown = dicom(tmp_path, **rising)
    assert shown.pixels[0, 0] < shown.pixels[-1, -1]


def test_slope_and_intercept(tmp_path: Path) -> None:
    result = dicom(tmp_path, RescaleSlope="2", RescaleIntercept="-10")
    assert float(result.pixels[0, 0]) == -10
    assert float(result.pixels[-1, -1]) == 2 * 4095 - 10


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, (0.2, 0.2)),
        ({"EstimatedRadiographicMagnificationFactor": "1.25"}, (0.16, 0.16)),
        ({"PixelSpacing": ["0.2", "0.2"]}, (0.2, 0.2)),
        ({"PixelSpacing": ["0.15", "0.15"]}, (0.15, 0.15)),
        (
            {"PixelSpacing": ["0.2"] * 2, "PixelSpacingCalibrationType": "FIDUCIAL", "EstimatedRadiographicMagnificationFactor": "2"},
            (0.2, 0.2),
        ),
        ({"ImagerPixelSpacing": ["0.2", "0.3"]}, (0.2, 0.3)),
        ({"ImagerPixelSpacing": None}, None),
        ({"ImagerPixelSpacing": None, "PixelSpacing": ["0.3", "0.3"]}, (0.3, 0.3)),
        ({"ImagerPixelSpacing": None, "PixelSpacing": ["0", "0"]}, None),
        ({"PixelSpacing": ["0.000", "0.000"]}, (0.2, 0.2)),
        ({"PixelSpacing": ["1", "1"]}, (0.2, 0.2)),
        ({"PixelSpacing": ["1", "1"], "PixelSpacingCalibrationType": "GEOMETRY"}, (1.0, 1.0)),
        ({"ImagerPixelSpacing": None, "PixelSpacing": ["1", "1"]}, (1.0, 1.0)),
        ({"ImagerPixelSpacing": ["0", "0"], "PixelSpacing": ["0.15", "0.15"]}, (0.15, 0.15)),
        ({"ImagerPixelSpacing": ["0", "0"], "NominalScannedPixelSpacing": ["0.17", "0.17"]}, (0.17, 0.17)),
        ({"ImagerPixelSpacing": None, "NominalScannedPixelSpacing": ["0.17", "0.17"]}, (0.17, 0.17)),
        ({"ImagerPixelSpacing": None, "NominalScannedPixelSpacing": ["0", "0"]}, None),
        ({"NominalScannedPixelSpacing": ["0.17", "0.17"]}, (0.2, 0.2)),
    ],
)  # fmt: skip
def test_millimetres(tmp_path: Path, tags: dict[str, Any], expected: tuple[float, float] | None) -> None:
    result = dicom(tmp_path, spacing=0.2, **tags).spacing
    assert result == (expected if expected is None else pytest.approx(expected))


def test_exif_data_behind_the_pixels_count_and_damaged_ones_say_nothing(tmp_path: Path) -> None:
    path = write_png(tmp_path / "plain.png", RAMP)
    content, plain = path.read_bytes(), read_radiograph(path, "png", "frontal").pixels
    tags = Image.Exif()
    tags[0x0112] = 3
    for name, data, turned in (("late", tags.tobytes()[6:], True), ("damaged", b"no TIFF at all", False), ("empty", b"", False)):
        chunk = len(data).to_bytes(4, "big") + b"eXIf" + data + zlib.crc32(b"eXIf" + data).to_bytes(4, "big")
        end = content.index(b"IEND") - 4
        (tmp_path / f"{name}.png").write_bytes(content[:end] + chunk + content[end:])
        read = read_radiograph(tmp_path / f"{name}.png", "png", "frontal")
        np.testing.assert_array_equal(read.pixels, plain[::-1, ::-1] if turned else plain)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"PatientOrientation": ["A", "F"]}, "wrong-projection"),
        *(({"ViewPosition": text, "PatientOrientation": None}, "wrong-projection") for text in OTHER_VIEWS),
        *(({"ViewPosition": None, "ViewCodeSequence": view(*names)}, "wrong-projection") for names in OTHER_CODES),
        ({"ViewPosition": None, "SeriesDescription": "KNEE LAT"}, "wrong-projection"),
        ({"ViewPosition": None, "SeriesDescription": "Patella skyline"}, "wrong-projection"),
        ({"ViewPosition": None, "ProtocolName": "Knee, lateral"}, "wrong-projection"),
        ({"ViewPosition": None, "AcquisitionDeviceProcessingDescription": "KNEE OBLIQUE"}, "wrong-projection"),
        ({"ViewPosition": "PA", "ViewCodeSequence": view("399067008", "lateral")}, "wrong-projection"),
        ({"PatientOrientation": ["L", "L"]}, "bad-orientation"),
        ({"PatientOrientation": ["L", "X"]}, "bad-orientation"),
        ({"ImagerPixelSpacing": ["0", "0"]}, "absurd-spacing"),
        ({"ImagerPixelSpacing": ["0", "0"], "PixelSpacing": ["0", "0"]}, "absurd-spacing"),
        ({"ImagerPixelSpacing": ["400", "400"]}, "absurd-spacing"),
        ({"PixelData": b"\0" * 100}, "unreadable"),
        ({"PhotometricInterpretation": "RGB"}, "not-greyscale"),
        ({"Rows": 12, "NumberOfFrames": 2}, "unsupported-dicom"),
    ],
)
def test_what_cannot_be_used_has_a_reason(tmp_path: Path, tags: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnusableImage) as caught:
        dicom(tmp_path, **tags)
    assert caught.value.reason == reason
    assert "PHANTOM" not in caught.value.detail


@pytest.mark.parametrize("bits", [8, 16])
def test_png_of_grey(tmp_path: Path, bits: int) -> None:
    result = read_radiograph(write_png(tmp_path / "a.png", RAMP, bits=bits), "png", "frontal")
    assert result.pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    np.testing.assert_allclose(result.pixels / ((1 << bits) - 1), RAMP, atol=2.0**-bits)
    assert result.spacing is None
    assert result.side is None


def test_png_of_grey_colours(tmp_path: Path) -> None:
    grey = np.round(RAMP * 255).astype(np.uint8)
    for number, image in enumerate(
        [
            Image.fromarray(np.stack([grey] * 3, axis=-1)),
            Image.fromarray(np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1)),
            Image.fromarray(grey).convert("P"),
            Image.fromarray(np.stack([grey, np.full_like(grey, 255)], axis=-1)),
        ]
    ):
        image.save(tmp_path / f"{number}.png")
        np.testing.assert_array_equal(read_radiograph(tmp_path / f"{number}.png", "png", "frontal").pixels, grey)


def test_png_that_cannot_be_used(tmp_path: Path) -> None:
    grey = np.round(RAMP * 255).astype(np.uint8)
    pictures = {
        "not-greyscale": Image.fromarray(np.stack([grey, grey, 255 - grey], axis=-1)),
        "not-greyscale ": Image.fromarray(np.stack([grey] * 3 + [grey], axis=-1)),
        "not-2d": Image.fromarray(grey[:3]),
    }
    for reason, image in pictures.items():
        image.save(tmp_path / f"{reason}.png")
        with pytest.raises(UnusableImage) as caught:
            read_radiograph(tmp_path / f"{reason}.png", "png", "frontal")
        assert caught.value.reason == reason.strip()
    whole = write_png(tmp_path / "whole.png", RAMP).read_bytes()
    for name, content in (("cut", whole[: len(whole) // 2]), ("empty", b""), ("text", b"a picture")):
        (tmp_path / f"{name}.png").write_bytes(content)
        with pytest.raises(UnusableImage) as caught:
            read_radiograph(tmp_path / f"{name}.png", "png", "frontal")
        assert caught.value.reason == "unreadable"


def test_a_file_that_is_compressed_on_its_own(tmp_path: Path) -> None:
    path = write_radiograph(tmp_path / "a.dcm", RAMP, 0.5)
    packed = tmp_path / "a.dcm.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert format_of(packed.name) == "dicom-file"
    assert read_radiograph(packed, "dicom-file", "frontal").digest() == read_radiograph(path, "dicom-file", "frontal").digest()
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(UnusableImage) as caught:
        read_radiograph(packed, "dicom-file", "frontal")
    assert caught.value.reason == "unreadable"


def test_a_missing_file_and_a_volume_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UnusableImage, match="not there"):
        read_radiograph(tmp_path / "none.png", "png", "frontal")
    with pytest.raises(UnusableImage, match="is of the format 'nifti'") as caught:
        read_radiograph(tmp_path / "a.nii", "nifti", "frontal")
    assert caught.value.reason == "wrong-format"


def test_the_digest_sees_pixels_and_spacing(tmp_path: Path) -> None:
    digests = {dicom(tmp_path).digest(), dicom(tmp_path, spacing=0.4).digest(), dicom(tmp_path, picture=RAMP[::-1]).digest()}
    assert len(digests) == 3
    assert dicom(tmp_path).digest() in digests
