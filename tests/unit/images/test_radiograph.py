"""Radiographs from files: depth, polarity, pixel size, display and side; whatever cannot be right
is said.
"""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from kneeoa.cohorts.formats import format_of
from kneeoa.errors import UnusableImage
from kneeoa.images.radiograph import Turn, read_radiograph
from kneeoa.phantom.radiograph_files import write_png, write_radiograph

RAMP = np.linspace(0, 1, 24 * 20).reshape(24, 20)


def dicom(folder: Path, projection: str = "frontal", picture: np.ndarray = RAMP, **tags: Any) -> Any:
    tags = {"spacing": 0.5, **tags}
    return read_radiograph(write_radiograph(folder / "a.dcm", picture, **tags), "dicom-file", projection)  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("inverted", [False, True])
def test_depth_and_polarity(tmp_path: Path, bits: int, inverted: bool) -> None:
    found = dicom(tmp_path, bits=bits, inverted=inverted)
    np.testing.assert_allclose(found.pixels.astype(float) / ((1 << bits) - 1), RAMP, atol=1 / ((1 << bits) - 1))
    assert found.spacing == (0.5, 0.5)
    assert found.side == "B"


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
    found = dicom(tmp_path, RescaleSlope="2", RescaleIntercept="-10")
    assert float(found.pixels[0, 0]) == -10
    assert float(found.pixels[-1, -1]) == 2 * 4095 - 10


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
    found = dicom(tmp_path, spacing=0.2, **tags).spacing
    assert found == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (["L", "F"], RAMP),
        (["R", "F"], RAMP[:, ::-1]),
        (["L", "H"], RAMP[::-1]),
        (["R", "H"], RAMP[::-1, ::-1]),
        (["F", "L"], RAMP.T),
        (["H", "R"], RAMP[::-1, ::-1].T),
        (["LA", "FP"], RAMP),
    ],
)
def test_the_header_brings_pixels_to_the_display(tmp_path: Path, orientation: list[str], stored: np.ndarray) -> None:
    usual = dicom(tmp_path)
    found = dicom(tmp_path, picture=stored, PatientOrientation=orientation, ImagerPixelSpacing=["0.5", "0.5"])
    np.testing.assert_array_equal(found.pixels, usual.pixels)


def test_a_transposed_picture_swaps_its_spacing_and_landmarks_follow_the_pixels(tmp_path: Path) -> None:
    found = dicom(tmp_path, picture=RAMP[::-1, ::-1].T, PatientOrientation=["H", "R"], ImagerPixelSpacing=["0.2", "0.4"])
    assert found.spacing == (0.4, 0.2)
    assert found.turn == Turn(transposed=True, rows=True, columns=True)
    row, column = found.turn.place(3, 5, found.shape)  # of the file
    assert found.pixels[int(row), int(column)] == np.round(RAMP[::-1, ::-1].T[3, 5] * 4095)


def test_a_lateral_picture_runs_from_front_to_back(tmp_path: Path) -> None:
    tags = {"ViewPosition": "LL", "ImageLaterality": "L"}
    usual = dicom(tmp_path, "lateral", PatientOrientation=["P", "F"], **tags)
    turned = dicom(tmp_path, "lateral", picture=RAMP[:, ::-1], PatientOrientation=["A", "F"], **tags)
    np.testing.assert_array_equal(turned.pixels, usual.pixels)
    assert usual.side == "L"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"PatientOrientation": ["A", "F"]}, "wrong-projection"),
        ({"ViewPosition": "RLD", "PatientOrientation": None}, "wrong-projection"),
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
    found = read_radiograph(write_png(tmp_path / "a.png", RAMP, bits=bits), "png", "frontal")
    assert found.pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    np.testing.assert_allclose(found.pixels / ((1 << bits) - 1), RAMP, atol=2.0**-bits)
    assert found.spacing is None
    assert found.side is None


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
