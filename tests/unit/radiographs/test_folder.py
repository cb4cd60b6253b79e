"""The one radiograph of a folder or an archive, whatever lies beside it; two are never guessed
from.
"""

import io
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from kneeoa.errors import UnusableImage
from kneeoa.phantom.radiograph_files import write_png, write_radiograph
from kneeoa.radiographs.read import read_radiograph

RAMP = np.linspace(0, 1, 24 * 20).reshape(24, 20)
STEPS = np.round(RAMP * 4095)


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            archive.write(file, file.relative_to(folder.parent))
    return path


def tarred(folder: Path, path: Path) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix != ".tar" else "w") as archive:
        archive.add(folder, folder.name)
    return path


FORMS: dict[str, Callable[[Path], tuple[Path, str]]] = {
    "folder": lambda folder: (folder, "dicom"),
    "zip": lambda folder: (zipped(folder, folder.with_suffix(".zip")), "dicom-archive"),
    "tar.gz": lambda folder: (tarred(folder, folder.with_suffix(".tar.gz")), "dicom-archive"),
    "tgz": lambda folder: (tarred(folder, folder.with_suffix(".tgz")), "dicom-archive"),
}


def read(folder: Path, form: str = "folder", projection: Any = "frontal") -> Any:
    path, format = FORMS[form](folder)
    return read_radiograph(path, format, projection)


def reason(folder: Path, form: str = "folder", projection: Any = "frontal") -> str:
    with pytest.raises(UnusableImage) as caught:
        read(folder, form, projection)
    assert len(caught.value.detail) > 20
    return caught.value.reason


def report(path: Path, storage: str) -> None:
    """An object without an image, or a class of one whose pixels stay (a secondary capture)."""
    data = pydicom.dcmread(write_radiograph(path, 1 - RAMP, 0.5))
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = storage
    data.SeriesInstanceUID = "1.2.3.9"
    if not storage.startswith("1.2.840.10008.5.1.4.1.1.7"):
        for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
            delattr(data, keyword)
    data.save_as(path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["001", "IM0001.dcm", "ST000/SE000/IM0001"])
def test_the_film_of_a_folder_or_an_archive_is_that_film(tmp_path: Path, form: str, name: str) -> None:
    alone = read_radiograph(write_radiograph(tmp_path / "alone.dcm", RAMP, 0.5), "dicom-file", "frontal")
    write_radiograph(tmp_path / "exam" / name, RAMP, 0.5)
    radiograph = read(tmp_path / "exam", form)
    assert radiograph.digest() == alone.digest()
    assert (radiograph.spacing, radiograph.side, radiograph.turn) == (alone.spacing, alone.side, alone.turn)


@pytest.mark.parametrize("form", FORMS)
def test_what_lies_beside_a_film_costs_nothing(tmp_path: Path, form: str) -> None:
    write_radiograph(tmp_path / "exam" / "001", RAMP, 0.5)
    for name in ("Thumbs.db", "DICOMDIR", "readme", "README.TXT", "001.json", "001.jpg", "MD5SUMS", "odd", "002.sr", "empty.dat"):
        (tmp_path / "exam" / name).write_bytes(b"" if name == "empty.dat" else b"x" * 300)
    write_png(tmp_path / "exam" / "preview.png", RAMP[::-1])
    storages = ("11.1", "88.33", "104.1", "7", "66")
    for number, storage in enumerate(storages):
        report(tmp_path / "exam" / f"1{number}", f"1.2.840.10008.5.1.4.1.1.{storage}")
    report(tmp_path / "exam" / "20", "1.3.12.2.1107.5.9.1")
    np.testing.assert_array_equal(read(tmp_path / "exam", form).pixels, STEPS)


@pytest.mark.parametrize("form", FORMS)
def test_a_film_that_was_digitised_is_the_film_where_there_is_no_other(tmp_path: Path, form: str) -> None:
    report(tmp_path / "exam" / "001", "1.2.840.10008.5.1.4.1.1.7")
    np.testing.assert_array_equal(read(tmp_path / "exam", form).pixels, STEPS[::-1, ::-1])


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_alone_is_the_radiograph(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    write_png(tmp_path / "exam" / "knee.png", RAMP, bits=16)
    (tmp_path / "exam" / "notes.txt").write_text("x")
    np.testing.assert_array_equal(read(tmp_path / "exam", form).pixels, np.round(RAMP * 65535))
    assert {path.name.split(".")[0] for path in tmp_path.iterdir()} == {"exam"}, "nothing of it stays on the disk"


@pytest.mark.parametrize("form", FORMS)
def test_of_an_exam_the_view_that_is_asked_for(tmp_path: Path, form: str) -> None:
    write_radiograph(tmp_path / "exam" / "001", 1 - RAMP, 0.5, ViewPosition="LL", PatientOrientation=["A", "F"])
    write_radiograph(tmp_path / "exam" / "002", RAMP, 0.5)
    np.testing.assert_array_equal(read(tmp_path / "exam", form).pixels, STEPS)
    np.testing.assert_array_equal(read(tmp_path / "exam", form, "lateral").pixels, STEPS[::-1])
    (tmp_path / "exam" / "002").unlink()
    assert reason(tmp_path / "exam", form) == "wrong-projection"


@pytest.mark.parametrize("form", FORMS)
def test_two_films_are_refused_and_copies_are_one(tmp_path: Path, form: str) -> None:
    film = write_radiograph(tmp_path / "exam" / "001", RAMP, 0.5)
    (tmp_path / "exam" / "002").write_bytes(film.read_bytes())
    np.testing.assert_array_equal(read(tmp_path / "exam", form).pixels, STEPS)
    write_radiograph(tmp_path / "exam" / "003", RAMP**2, 0.5)
    assert reason(tmp_path / "exam", form) == "duplicate-image"


@pytest.mark.parametrize("form", FORMS)
def test_two_pictures_are_refused(tmp_path: Path, form: str) -> None:
    for number, picture in enumerate((RAMP, 1 - RAMP)):
        write_png(tmp_path / "exam" / f"{number}.png", picture)
    assert reason(tmp_path / "exam", form) == "duplicate-image"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("alone", [True, False])
def test_a_damaged_film_is_not_passed_over(tmp_path: Path, form: str, alone: bool) -> None:
    whole = write_radiograph(tmp_path / "exam" / "001", RAMP, 0.5).read_bytes()
    (tmp_path / "exam" / ("001" if alone else "002")).write_bytes(whole[: len(whole) // 2])
    assert reason(tmp_path / "exam", form) == "unreadable"


def test_a_film_cut_anywhere_beside_a_sound_one_is_never_passed_over(tmp_path: Path) -> None:
    whole = write_radiograph(tmp_path / "exam" / "001", RAMP, 0.5).read_bytes()
    for length in range(132, len(whole), 7):
        (tmp_path / "exam" / "002").write_bytes(whole[:length])
        assert reason(tmp_path / "exam") == "unreadable", length


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_without_a_radiograph(tmp_path: Path, form: str) -> None:
    (tmp_path / "exam").mkdir()
    (tmp_path / "exam" / "readme.txt").write_text("x")
    report(tmp_path / "exam" / "001", "1.2.840.10008.5.1.4.1.1.88.33")
    assert reason(tmp_path / "exam", form) == "missing-file"


@pytest.mark.parametrize("storage", ["2", "4", "4.1", "128"])
def test_a_slice_of_a_scan_is_no_radiograph(tmp_path: Path, storage: str) -> None:
    write_radiograph(tmp_path / "exam" / "001", RAMP, 0.5, SOPClassUID=f"1.2.840.10008.5.1.4.1.1.{storage}")
    assert reason(tmp_path / "exam") == "wrong-format"
    with pytest.raises(UnusableImage, match="a slice of a CT, MRI or PET scan"):
        read_radiograph(tmp_path / "exam" / "001", "dicom-file", "frontal")


def test_an_archive_that_is_cut_or_none(tmp_path: Path) -> None:
    write_radiograph(tmp_path / "exam" / "001", RAMP, 0.5)
    for path in (zipped(tmp_path / "exam", tmp_path / "a.zip"), tarred(tmp_path / "exam", tmp_path / "a.tgz")):
        whole = path.read_bytes()
        for content in (whole[: len(whole) // 2], b"", b"<html>403</html>"):
            path.write_bytes(content)
            with pytest.raises(UnusableImage) as caught:
                read_radiograph(path, "dicom-archive", "frontal")
            assert caught.value.reason == "unreadable"


def test_a_colour_picture_beside_a_film_is_left(tmp_path: Path) -> None:
    write_radiograph(tmp_path / "exam" / "001", RAMP, 0.5)
    colours = np.stack([np.round(RAMP * 255).astype(np.uint8)] * 2 + [np.zeros(RAMP.shape, np.uint8)], axis=-1)
    tags = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0, "PixelData": colours.tobytes()}
    write_radiograph(tmp_path / "exam" / "002", RAMP, 0.5, bits=8, **tags)
    np.testing.assert_array_equal(read(tmp_path / "exam").pixels, STEPS)
    (tmp_path / "exam" / "001").unlink()
    stream = io.BytesIO()
    Image.fromarray(colours).save(stream, "PNG")
    (tmp_path / "exam" / "preview.png").write_bytes(stream.getvalue())
    assert reason(tmp_path / "exam") == "not-greyscale"
