"""Pictures that share a folder: which is read, which are told apart, and what is refused as a
guess.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kneeoa.config.volumes import ImageType, Plane, View
from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.image_type import kind_and_image_type
from kneeoa.formats.dicom.volume import read_stacks
from kneeoa.formats.read_volume import read_volume
from kneeoa.ingestion.ingest import ingest
from tests.unit.formats.made import grid, pattern, same_place, write_enhanced, write_series

SHAPE = (6, 5, 4)
AFFINE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 30), tilt=8)
ASIDE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 90), tilt=8)
MAGNITUDE = ["ORIGINAL", "PRIMARY", "M", "FFE"]
PICTURES: dict[ImageType, list[str]] = {
    "magnitude": MAGNITUDE,
    "phase": ["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"],
    "real": ["ORIGINAL", "PRIMARY", "R_FFE", "R", "FFE"],
    "imaginary": ["ORIGINAL", "PRIMARY", "I_FFE", "I", "FFE"],
    "water": ["DERIVED", "PRIMARY", "W", "W", "DERIVED"],
    "fat": ["DERIVED", "PRIMARY", "DIXON", "FAT"],
    "in_phase": ["ORIGINAL", "PRIMARY", "IP", "IP", "FFE"],
    "opposed_phase": ["DERIVED", "PRIMARY", "DIXON", "OUT_PHASE"],
    "map": ["DERIVED", "PRIMARY", "T2 MAP", "T2", "UNSPECIFIED"],
    "subtraction": ["DERIVED", "SECONDARY", "M", "SUB"],
}


def add(folder: Path, prefix: str, offset: int = 0, affine: np.ndarray = AFFINE, shape: tuple[int, int, int] = SHAPE, **tags: Any) -> None:
    """A series of its own study's series ``1.1`` unless the tags say otherwise; its values are
    ``offset`` higher.
    """
    tags = {"SeriesInstanceUID": "1.1", "StudyInstanceUID": "1.0", **tags}
    write_series(folder, pattern(shape) + offset, affine, [f"{prefix}{number:02d}" for number in range(shape[0])], **tags)


def add_all(folder: Path, *types: ImageType, **tags: Any) -> None:
    """One picture of each type in one series, the last first."""
    for number, image_type in enumerate(reversed(types)):
        add(folder, f"{number}-", 500 * list(PICTURES).index(image_type), ImageType=PICTURES[image_type], **tags)


def refusal(folder: Path, **asked: Any) -> UnusableImage:
    with pytest.raises(UnusableImage) as caught:
        read_volume(folder, "dicom", **asked)
    return caught.value


def reads(folder: Path, offset: int = 0, **asked: Any) -> bool:
    return same_place(read_volume(folder, "dicom", **asked), pattern(SHAPE) + offset, AFFINE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"EchoTime": 30}, {"EchoTime": 11}),  # PD and T1
        ({"EchoTime": 30, "AcquisitionNumber": 1, "EchoNumbers": 1}, {"EchoTime": 11, "AcquisitionNumber": 1, "EchoNumbers": 1}),
        ({"EchoTime": 11.0, "AcquisitionTime": "101112"}, {"EchoTime": 10.9, "AcquisitionTime": "101112"}),  # no readout lies between
        ({"EchoTime": 30, "AcquisitionTime": "101112"}, {"EchoTime": 11, "AcquisitionTime": "101512"}),
        ({"EchoTime": 30, "AcquisitionTime": "000000"}, {"EchoTime": 11, "AcquisitionTime": "000000"}),  # anonymised
        (
            {"EchoTime": 11, "EchoNumbers": 1, "RepetitionTime": 600},
            {"EchoTime": 80, "EchoNumbers": 2, "RepetitionTime": 3000},
        ),
        (
            {"EchoTime": 4.72, "EchoNumbers": 1, "PatientID": "9001"},
            {"EchoTime": 14.7, "EchoNumbers": 2, "PatientID": "9002"},
        ),
        ({"EchoTime": 4.7, "EchoNumbers": 1}, {"EchoTime": 14.7, "EchoNumbers": 2, "StudyInstanceUID": "1.9"}),
        ({"EchoTime": 4.7, "EchoNumbers": 1, "AcquisitionNumber": 3}, {"EchoTime": 14.7, "EchoNumbers": 2, "AcquisitionNumber": 4}),
        ({"EchoTime": 4.7, "EchoNumbers": 1}, {"EchoTime": 14.7, "EchoNumbers": 2, "affine": ASIDE}),  # the other knee
        ({"EchoTime": 4.7}, {}),
        ({}, {}),
        ({"EchoTime": 30}, {"EchoTime": 10, "shape": (5, 5, 4)}),  # fewer slices
        ({"EchoTime": 30}, {"EchoTime": 10, "shape": (6, 7, 4)}),  # another matrix
    ],
)
@pytest.mark.parametrize("echo", [None, 2])
def test_two_series_are_no_echoes_unless_their_headers_say_so(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any], echo: int | None
) -> None:
    add(tmp_path / "s", "a", **one)
    add(tmp_path / "s", "b", 500, SeriesInstanceUID="1.2", **other)
    assert refusal(tmp_path / "s", echo=echo).reason == "ambiguous-series"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"EchoNumbers": 1}, {"EchoNumbers": 2}),
        ({"EchoNumbers": 1, "AcquisitionTime": "101112.00"}, {"EchoNumbers": 2, "AcquisitionTime": "101114.50"}),
        ({"AcquisitionTime": "101112.25"}, {"AcquisitionTime": "101112.25"}),
        ({"AcquisitionNumber": 7}, {"AcquisitionNumber": 7}),
        ({"AcquisitionDateTime": "20200101101112.25"}, {"AcquisitionDateTime": "20200101101112.25"}),
        # An anonymiser gave each series a study; the frame of reference is of one examination.
        (
            {"EchoNumbers": 1, "StudyInstanceUID": "1.7", "FrameOfReferenceUID": "1.5"},
            {"EchoNumbers": 2, "StudyInstanceUID": "1.8", "FrameOfReferenceUID": "1.5"},
        ),
    ],
)
def test_echoes_written_as_two_series_of_one_acquisition_are_read(tmp_path: Path, one: dict[str, Any], other: dict[str, Any]) -> None:
    same = {"RepetitionTime": 16.3, "FlipAngle": 25, "AcquisitionNumber": 1, "PatientID": "9001"}
    add(tmp_path / "s", "a", 500, SeriesInstanceUID="1.2", EchoTime=14.1, **same | other)
    add(tmp_path / "s", "b", EchoTime=4.7, **same | one)
    assert reads(tmp_path / "s", 0)
    assert reads(tmp_path / "s", 500, echo=2)
    assert refusal(tmp_path / "s", echo=3).reason == "missing-echo"


@pytest.mark.parametrize(
    "other",
    [
        {"RepetitionTime": 3000},
        {"FlipAngle": 90},
        {"InversionTime": 150},
        {"ScanningSequence": "IR"},
        {"ContrastBolusAgent": "GADOLINIUM"},
        {"PatientID": "9002"},
        {"StudyInstanceUID": "1.9"},
        {"SeriesNumber": 5},
        {"SeriesDescription": "SAG T1"},
        {"affine": ASIDE},
        {"EchoTime": 7.4},
    ],
)
def test_one_series_identifier_makes_no_echoes_of_what_else_differs(tmp_path: Path, other: dict[str, Any]) -> None:
    tags: dict[str, Any] = {"RepetitionTime": 600, "FlipAngle": 25, "InversionTime": 100, "ScanningSequence": "GR", "PatientID": "9001"}
    tags |= {"SeriesNumber": 4, "SeriesDescription": "SAG PD"}
    add(tmp_path / "s", "a", EchoTime=7.5, **tags)
    add(tmp_path / "s", "b", 500, **{"EchoTime": 42.5, **tags, **other})
    assert refusal(tmp_path / "s").reason == "ambiguous-series"


@pytest.mark.parametrize(
    "other", [{"RepetitionTime": 3000}, {"FlipAngle": 90}, {"PatientID": "9002"}, {"ContrastBolusAgent": "GADOLINIUM"}]
)
def test_images_of_one_place_with_other_settings_are_no_phases(tmp_path: Path, other: dict[str, Any]) -> None:
    tags = {"RepetitionTime": 600, "FlipAngle": 25, "PatientID": "9001", "EchoTime": 7.5}
    add(tmp_path / "s", "a", **tags, AcquisitionNumber=1)
    add(tmp_path / "s", "b", 500, **{**tags, **other}, AcquisitionNumber=2)
    assert refusal(tmp_path / "s").reason == "ambiguous-series"


@pytest.mark.parametrize(
    ("words", "component", "expected"),
    [
        (MAGNITUDE, "", ("original", "magnitude")),
        (["ORIGINAL", "PRIMARY", "OTHER"], "", ("original", "magnitude")),
        ([], "", ("original", "magnitude")),
        (["ORIGINAL", "PRIMARY", "M", "ND", "NORM"], "", ("original", "magnitude")),
        (["ORIGINAL", "PRIMARY", "T2", "NONE"], "MAGNITUDE", ("original", "magnitude")),
        (["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"], "", ("original", "magnitude")),
        (["ORIGINAL", "PRIMARY", "T1", "M"], "", ("original", "magnitude")),
        (["ORIGINAL", "PRIMARY", "T1", "FIELD_MAP"], "MAGNITUDE", ("original", "map")),
        (["DERIVED", "PRIMARY", "T2", "T2"], "", ("derived", "map")),
        (["ORIGINAL", "PRIMARY", "B0 MAP", "B0", "UNSPECIFIED"], "", ("original", "map")),
        (["DERIVED", "PRIMARY", "M", "T2MAP"], "", ("derived", "map")),
        (["DERIVED", "PRIMARY", "DIFFUSION", "ADC"], "", ("derived", "map")),
        (["DERIVED", "PRIMARY", "DIXON", "FAT_FRACTION"], "", ("derived", "map")),
        (["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"], "", ("original", "phase")),
        (["ORIGINAL", "PRIMARY", "T1", "NONE"], "PHASE", ("original", "phase")),
        (["ORIGINAL", "PRIMARY", "T1", "NONE"], "IMAGINARY", ("original", "imaginary")),
        (["ORIGINAL", "PRIMARY", "PHA"], "", ("original", "phase")),
        (["DERIVED", "PRIMARY", "R2STAR", "T2STAR"], "", ("derived", "map")),
        (["DERIVED", "PRIMARY", "OTHER", "T2STAR"], "", ("derived", "map")),
        (["DERIVED", "PRIMARY", "DIXON", "WATER"], "", ("original", "water")),
        (["ORIGINAL", "PRIMARY", "M", "OPP_PHASE"], "", ("original", "opposed_phase")),
        (["ORIGINAL", "PRIMARY", "M", "in-phase"], "", ("original", "in_phase")),
        (["DERIVED", "PRIMARY", "W", "MPR"], "", ("derived", "water")),
        (["DERIVED", "SECONDARY", "SUBTRACTION"], "", ("derived", "subtraction")),
        (["ORIGINAL", "PRIMARY", "M", "MEAN"], "", ("derived", "magnitude")),
        (["DERIVED", "SECONDARY", "PROJECTION IMAGE", "MIP"], "", ("derived", "magnitude")),
        (["ORIGINAL", "PRIMARY", "LOCALIZER", "M"], "", ("localizer", "magnitude")),
    ],
)
def test_what_a_picture_shows(words: list[str], component: str, expected: tuple[str, str]) -> None:
    assert kind_and_image_type(tuple(word.upper() for word in words), component) == expected


def test_each_picture_of_a_series_is_chosen_by_its_type_and_none_by_the_alphabet(tmp_path: Path) -> None:
    add_all(tmp_path / "s", *PICTURES, EchoTime=10)
    for number, image_type in enumerate(PICTURES):
        assert reads(tmp_path / "s", 500 * number, image_type=image_type)
    error = refusal(tmp_path / "s")
    assert error.reason == "ambiguous-series"
    assert "image_type" in error.detail
    assert all(word in error.detail for word in ("magnitude", "water", "fat", "in-phase", "opposed-phase"))


@pytest.mark.parametrize(
    "types",
    [("magnitude", "phase"), ("magnitude", "map"), ("magnitude", "subtraction"), ("magnitude", "phase", "real", "imaginary", "map")],
)
@pytest.mark.parametrize("echo_time", [10, 0])
def test_the_magnitude_is_read_beside_its_parts_and_maps_whatever_their_echo_time(
    tmp_path: Path, types: tuple[ImageType, ...], echo_time: float
) -> None:
    add_all(tmp_path / "s", *types[1:], EchoTime=echo_time)
    add(tmp_path / "s", "m", EchoTime=10, ImageType=MAGNITUDE)
    add(tmp_path / "s", "n", 4000, EchoTime=20, ImageType=MAGNITUDE)
    assert reads(tmp_path / "s")
    assert reads(tmp_path / "s", 4000, echo=2)
    assert refusal(tmp_path / "s", echo=3).reason == "missing-echo"


@pytest.mark.parametrize("types", [("water", "fat"), ("in_phase", "opposed_phase"), ("water", "in_phase"), ("magnitude", "fat")])
def test_several_pictures_of_a_dixon_scan_are_a_guess(tmp_path: Path, types: tuple[ImageType, ...]) -> None:
    add_all(tmp_path / "s", *types, EchoTime=10)
    assert refusal(tmp_path / "s").reason == "ambiguous-series"
    assert reads(tmp_path / "s", 500 * list(PICTURES).index(types[0]), image_type=types[0])


@pytest.mark.parametrize("image_type", PICTURES)
def test_a_picture_alone_is_read_if_it_may_be_meant_or_is_asked_for(tmp_path: Path, image_type: ImageType) -> None:
    add_all(tmp_path / "s", image_type, EchoTime=10)
    offset = 500 * list(PICTURES).index(image_type)
    assert reads(tmp_path / "s", offset, image_type=image_type)
    if image_type in ("magnitude", "water", "fat", "in_phase", "opposed_phase"):
        assert reads(tmp_path / "s", offset)
    else:
        assert refusal(tmp_path / "s").reason == "missing-image-type"
    other: ImageType = "water" if image_type != "water" else "fat"
    assert refusal(tmp_path / "s", image_type=other).reason == "missing-image-type"


def test_a_picture_of_echo_time_zero_beside_echoes_is_calculated_of_them(tmp_path: Path) -> None:
    add(tmp_path / "s", "a", 500, EchoTime=0)
    add(tmp_path / "s", "b", EchoTime=10)
    assert reads(tmp_path / "s")
    assert refusal(tmp_path / "s", echo=2).reason == "missing-echo"
    assert reads(tmp_path / "s", 500, image_type="map")
    add(tmp_path / "t", "a", EchoTime=0)
    assert reads(tmp_path / "t")


def test_an_enhanced_file_s_map_is_not_its_first_echo(tmp_path: Path) -> None:
    path = write_enhanced(tmp_path / "e", [pattern(SHAPE), pattern(SHAPE) + 500], AFFINE, [1.52, 0.0])
    assert same_place(read_volume(path, "dicom-file"), pattern(SHAPE), AFFINE)


def test_the_same_image_with_and_without_a_filter_is_a_guess(tmp_path: Path) -> None:
    add(tmp_path / "s", "a", EchoTime=10, ImageType=["ORIGINAL", "PRIMARY", "M", "ND"])
    add(tmp_path / "s", "b", 500, EchoTime=10, ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "NORM"])
    assert refusal(tmp_path / "s").reason == "ambiguous-series"


def test_the_mean_of_the_echoes_is_left_beside_them(tmp_path: Path) -> None:
    add(tmp_path / "s", "a", 500, EchoTime=10, ImageType=["ORIGINAL", "PRIMARY", "M", "MEAN"])
    add(tmp_path / "s", "b", EchoTime=10, ImageType=["ORIGINAL", "PRIMARY", "M"])
    assert reads(tmp_path / "s")


PLANES: dict[Plane, tuple[np.ndarray, tuple[int, int, int]]] = {
    "sagittal": (AFFINE, SHAPE),
    "coronal": (grid("AIL", (3.0, 0.5, 0.7), (1, 2, 3), tilt=8), (5, 5, 4)),
    "axial": (grid("SPL", (3.0, 0.5, 0.7), (3, 2, 1), tilt=8), (8, 5, 4)),
}


def add_planes(folder: Path, *planes: Plane) -> None:
    for number, plane in enumerate(planes):
        affine, shape = PLANES[plane]
        add(folder, plane, affine=affine, shape=shape, SeriesInstanceUID=f"1.1.{number}", EchoTime=30)


def test_a_view_s_plane_is_read_of_three_in_a_folder(tmp_path: Path) -> None:
    add_planes(tmp_path / "s", *PLANES)
    assert {stack.plane for stack in read_stacks(tmp_path / "s")} == set(PLANES)
    for plane, (affine, shape) in PLANES.items():
        assert same_place(read_volume(tmp_path / "s", "dicom", plane=plane), pattern(shape), affine)
    assert refusal(tmp_path / "s", plane="any").reason == "ambiguous-series"


def test_a_series_of_another_plane_is_not_taken_for_the_view_s(tmp_path: Path) -> None:
    add_planes(tmp_path / "s", "axial")
    file = {"path": "s", "format": "dicom", "shows": "knee", "centre_row": None, "centre_column": None}
    planes: dict[Plane, bool] = {"sagittal": False, "coronal": False, "axial": True, "any": True}
    for plane, read in planes.items():
        view = View(shape=(6, 6, 6), spacing=(1, 1, 1), plane=plane)
        if read:
            assert ingest(tmp_path, file, view, "R").source_spacing == pytest.approx((0.7, 3.0, 0.5))
        else:
            with pytest.raises(UnusableImage, match="'plane'") as caught:
                ingest(tmp_path, file, view, "R")
            assert caught.value.reason == "wrong-plane"
    assert View(shape=(6, 6, 6), spacing=(1, 1, 1)).plane == "sagittal"


def test_a_scout_s_slices_do_not_stand_in_for_a_series_of_another_plane(tmp_path: Path) -> None:
    affine, _ = PLANES["coronal"]
    add(tmp_path / "s", "a", affine=affine, shape=(20, 5, 4), SeriesInstanceUID="1.2")
    add(tmp_path / "s", "b", shape=(5, 5, 4), SeriesInstanceUID="1.3")
    assert refusal(tmp_path / "s", plane="sagittal").reason == "wrong-plane"
    assert read_volume(tmp_path / "s", "dicom", plane="coronal").array.shape == (20, 5, 4)


def test_a_series_of_a_knee_s_slices_beside_a_longer_one_is_a_guess(tmp_path: Path) -> None:
    add(tmp_path / "s", "a", shape=(40, 5, 4))
    add(tmp_path / "s", "b", shape=(14, 5, 4), SeriesInstanceUID="1.2")
    assert refusal(tmp_path / "s").reason == "ambiguous-series"


@pytest.mark.parametrize("identifiers", [[f"1.2.{number}" for number in range(6)], [""] * 6])
def test_a_series_whose_identifiers_an_anonymiser_took_or_multiplied_is_read(tmp_path: Path, identifiers: list[str]) -> None:
    for number, identifier in enumerate(identifiers):
        affine = AFFINE.copy()
        affine[:3, 3] += number * AFFINE[:3, 0]
        plane = pattern(SHAPE)[number : number + 1]
        tags = {"SeriesInstanceUID": identifier, "StudyInstanceUID": "1.0", "SeriesNumber": 4, "EchoTime": 30}
        write_series(tmp_path / "s", plane, affine, [f"a{number}"], **tags)
    assert reads(tmp_path / "s")
    for number, identifier in enumerate(identifiers):
        affine = AFFINE.copy()
        affine[:3, 3] += number * AFFINE[:3, 0]
        plane = pattern(SHAPE)[number : number + 1] + 500
        tags = {"SeriesInstanceUID": identifier and f"{identifier}.1", "StudyInstanceUID": "1.0", "SeriesNumber": 5, "EchoTime": 11}
        write_series(tmp_path / "s", plane, affine, [f"b{number}"], **tags)
    assert refusal(tmp_path / "s").reason == "ambiguous-series"


@pytest.mark.parametrize("asked", [{}, {"plane": "coronal"}, {"image_type": "fat"}])
def test_no_refusal_repeats_what_a_header_says_of_a_person(tmp_path: Path, asked: dict[str, Any]) -> None:
    for number, prefix in enumerate("ab"):
        tags = {"SeriesInstanceUID": f"1.2.{number}", "SeriesDescription": "Quill Ada", "PatientID": "QUILL77", "SeriesNumber": 77001}
        add(tmp_path / "s", prefix, 500 * number, ImageType=["ORIGINAL", "PRIMARY", "QUILL"], StudyInstanceUID="1.77001", **tags)
    for word in ("Quill", "QUILL", "77001"):
        assert word not in refusal(tmp_path / "s", **asked).detail


def test_a_view_that_does_not_name_them_is_written_as_before() -> None:
    plain = {"shape": (6, 6, 6), "spacing": (1.0, 1.0, 1.0)}
    assert not {"plane", "image_type"} & View(**plain).model_dump().keys()
    assert View(**plain, plane="any", image_type="water").model_dump(mode="json", include={"plane", "image_type"}) == {
        "plane": "any",
        "image_type": "water",
    }
