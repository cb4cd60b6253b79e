"""A file beside the slices of a series loses no case, and one that may have been a slice is never
passed over.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from kneeoa.errors import UnusableImage
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, same_place, write_itk, write_nifti, write_series

SHAPE = (12, 5, 4)
AFFINE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 30), tilt=8)
_PIXELS = (
    "PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel",
    "PhotometricInterpretation", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
)  # fmt: skip


def reason(path: Path, format: str = "dicom") -> str:
    with pytest.raises(UnusableImage) as caught:
        read_volume(path, format)
    return caught.value.reason


def beside(folder: Path, change: Callable[[Dataset], None], name: str = "XX_0003", uid: str = "1.2.3.5") -> None:
    """Add a file made from the first slice, of a series of its own."""
    data = pydicom.dcmread(sorted(folder.iterdir())[0])
    data.SeriesInstanceUID = uid
    change(data)
    data.save_as(folder / name, enforce_file_format=False)


def without_pixels(storage: str) -> Callable[[Dataset], None]:
    def change(data: Dataset) -> None:
        for keyword in _PIXELS:
            delattr(data, keyword)
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = storage
        data.add_new(0x00290010, "LO", "SIEMENS CSA NON-IMAGE")
        data.add_new(0x00291010, "OB", bytes(70_000))

    return change


@pytest.mark.parametrize(
    "storage",
    [
        "1.3.46.670589.11.0.0.12.2",  # Philips: MR series data
        "1.3.46.670589.11.0.0.12.4",  # Philips: examcard
        "1.3.12.2.1107.5.9.1",  # Siemens: CSA non-image
        "1.2.840.113619.4.30",  # GE: raw data
        "1.2.840.10008.5.1.4.1.1.66",
        "1.2.840.10008.5.1.4.1.1.67",
        "1.2.840.10008.5.1.4.1.1.4.2",  # spectra
        "1.2.840.10008.5.1.4.1.1.11.1",
        "1.2.840.10008.5.1.4.1.1.104.1",
        "1.2.840.10008.5.1.4.38.1",
    ],
)
def test_objects_without_an_image_lie_beside_the_slices(tmp_path: Path, storage: str) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    beside(tmp_path / "s", without_pixels(storage))
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


def test_an_image_that_lost_its_pixels_is_a_damaged_slice(tmp_path: Path) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    beside(tmp_path / "s", without_pixels("1.2.840.10008.5.1.4.1.1.4"))
    assert reason(tmp_path / "s") == "unreadable"


def test_a_directory_of_media_under_another_name(tmp_path: Path) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)

    def change(data: Dataset) -> None:
        without_pixels("1.2.840.10008.1.3.10")(data)
        del data.SOPClassUID

    beside(tmp_path / "s", change, "DICOMDIR.old")
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


def without_place(data: Dataset) -> None:
    del data.ImagePositionPatient, data.ImageOrientationPatient, data.PixelSpacing


def in_colour(data: Dataset) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.BitsAllocated, data.BitsStored, data.HighBit = 8, 8, 7
    data.PixelData = bytes(data.Rows * data.Columns * 3 + data.Rows * data.Columns % 2)


@pytest.mark.parametrize(("change", "most"), [(without_place, 3), (in_colour, 12)])
@pytest.mark.parametrize("count", [1, 3, 4, 12, 13])
def test_pages_and_colour_maps_are_left_where_they_cannot_have_been_meant(
    tmp_path: Path, change: Callable[[Dataset], None], most: int, count: int
) -> None:
    folder = tmp_path / "s"
    write_series(folder, pattern(SHAPE), AFFINE)
    for number in range(count):
        beside(folder, change, f"page-{number}")
    if count <= most:
        assert same_place(read_volume(folder, "dicom"), pattern(SHAPE), AFFINE)
    else:
        assert reason(folder) == ("missing-geometry" if change is without_place else "not-greyscale")


@pytest.mark.parametrize("change", [without_place, in_colour])
def test_a_page_of_the_slices_own_series_is_a_slice_that_is_lost(tmp_path: Path, change: Callable[[Dataset], None]) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    beside(tmp_path / "s", change, uid="1.2.3.4")
    assert reason(tmp_path / "s") == ("missing-geometry" if change is without_place else "not-greyscale")


@pytest.mark.parametrize("change", [without_place, in_colour])
def test_a_localizer_does_not_stand_for_a_series_that_cannot_be_placed(tmp_path: Path, change: Callable[[Dataset], None]) -> None:
    folder = tmp_path / "s"
    write_series(folder, pattern(SHAPE), AFFINE, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    for number in range(3):
        beside(folder, change, f"slice-{number}")
    assert reason(folder) == ("missing-geometry" if change is without_place else "not-greyscale")


def test_half_a_place_is_a_damaged_slice(tmp_path: Path) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    beside(tmp_path / "s", lambda data: delattr(data, "ImageOrientationPatient"))
    assert reason(tmp_path / "s") == "missing-geometry"


@pytest.mark.parametrize(
    "name",
    ["Thumbs.db", "README", "readme.md", "MD5SUMS", "sha256sum", "series.nii.gz", "mask.NRRD", "s.mha", "preview.tif", "AUTORUN.INF",
     "viewer.exe", "index.html", "LICENSE", "lockfile", "knee.bval", "movie.mp4", "report.docx", "Version"],
)  # fmt: skip
def test_files_that_are_no_slices_by_their_names(tmp_path: Path, name: str) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    (tmp_path / "s" / name).write_bytes(b"anything at all" * 20)
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


def test_a_slice_is_read_whatever_its_name(tmp_path: Path) -> None:
    names = ["README", "001.jpg", "notes.txt", "001", "b.db", "c.json", "index", "d.png", "e.raw", "f.xml", "g.log", "VERSION"]
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE, names)
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


@pytest.mark.parametrize("place", ["ST000/SE000", "SE000", "Doe^Jane/2004/knee/1"])
@pytest.mark.parametrize("others", [(), ("DICOMDIR", "README.TXT", "viewer.exe")])
def test_a_study_folder_stands_for_its_series(tmp_path: Path, place: str, others: tuple[str, ...]) -> None:
    write_series(tmp_path / "study" / place, pattern(SHAPE), AFFINE)
    for name in others:
        (tmp_path / "study" / name).write_bytes(b"x")
    (tmp_path / "study" / "again").symlink_to(tmp_path / "study")
    assert same_place(read_volume(tmp_path / "study", "dicom"), pattern(SHAPE), AFFINE)


def test_a_study_of_two_series_is_chosen_from_as_one_folder_is(tmp_path: Path) -> None:
    for number, uid in (("1", "1.2.3"), ("2", "1.2.4")):
        write_series(tmp_path / "study" / number, pattern(SHAPE) + int(number), AFFINE, SeriesInstanceUID=uid)
    assert reason(tmp_path / "study") == "ambiguous-series"


def test_folders_beside_slices_are_not_looked_at(tmp_path: Path) -> None:
    write_series(tmp_path / "study", pattern(SHAPE), AFFINE)
    write_series(tmp_path / "study" / "other", pattern((20, 5, 4)), AFFINE, SeriesInstanceUID="1.2.4")
    assert same_place(read_volume(tmp_path / "study", "dicom"), pattern(SHAPE), AFFINE)


def test_errors_name_no_folder_inside_a_study(tmp_path: Path) -> None:
    files = write_series(tmp_path / "study" / "Doe^Jane", pattern(SHAPE), AFFINE)
    files[4].write_bytes(b"junk")
    with pytest.raises(UnusableImage, match="study/005") as caught:
        read_volume(tmp_path / "study", "dicom")
    assert "Doe" not in caught.value.detail


@pytest.mark.parametrize("name", ["knee_PD.nii.gz", "knee.nii", "knee.mha", "knee.mhd", "knee.nrrd", "sub/anat/knee.nii.gz"])
def test_a_folder_of_one_converted_volume_is_that_volume(tmp_path: Path, name: str) -> None:
    path = tmp_path / "knee" / name
    path.parent.mkdir(parents=True)
    write = write_nifti if ".nii" in name else write_itk
    write(path, pattern(SHAPE), AFFINE)
    for other in ("knee.json", ".DS_Store", "README"):
        (path.parent / other).write_bytes(b"x")
    assert same_place(read_volume(tmp_path / "knee", "dicom"), pattern(SHAPE), AFFINE)


def test_of_several_converted_volumes_none_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "knee").mkdir()
    for name in ("a.nii.gz", "a_mask.nii.gz"):
        write_nifti(tmp_path / "knee" / name, np.asarray(pattern(SHAPE)), AFFINE)
    assert reason(tmp_path / "knee") == "ambiguous-series"


def test_a_converted_volume_beside_what_may_be_a_slice_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "knee").mkdir()
    write_nifti(tmp_path / "knee" / "a.nii.gz", pattern(SHAPE), AFFINE)
    (tmp_path / "knee" / "001").write_bytes(b"junk")
    assert reason(tmp_path / "knee") == "unreadable"
