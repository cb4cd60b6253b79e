"""Planted exams: folders and archives of one radiograph, of several and of none, and volumes in
their place.
"""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydicom.uid import generate_uid

from tests.ingestion.faults.radiographs import DAMAGED, Pixels, PlantedRadiograph, bad, eight, picture, png, radiograph

Files = Callable[[Pixels], dict[str, bytes]]
"""The files of an exam by their names."""


def _film(pixels: Pixels, **tags: Any) -> bytes:
    stream = io.BytesIO()
    radiograph(pixels, **tags).save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _object(storage: str) -> bytes:
    """A DICOM object without an image."""
    pixels = ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit")
    data = radiograph(picture(0), SOPClassUID=storage, SeriesInstanceUID=generate_uid(), **dict.fromkeys(pixels))
    data.file_meta.MediaStorageSOPClassUID = storage
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _folder(files: Files) -> Callable[[Path, Pixels], object]:
    def plant(path: Path, pixels: Pixels) -> None:
        for name, content in files(pixels).items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)

    return plant


def _zip(files: Files) -> Callable[[Path, Pixels], object]:
    def plant(path: Path, pixels: Pixels) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files(pixels).items():
                archive.writestr(name, content)

    return plant


def _tar(files: Files) -> Callable[[Path, Pixels], object]:
    def plant(path: Path, pixels: Pixels) -> None:
        with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
            for name, content in files(pixels).items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))

    return plant


_BESIDE = {
    **dict.fromkeys(("Thumbs.db", "DICOMDIR", "readme", "001.json", "001.jpg", "MD5SUMS", "odd"), b"no film\n" * 40),
    "002": _object("1.2.840.10008.5.1.4.1.1.11.1"),
    "003": _object("1.2.840.10008.5.1.4.1.1.88.33"),
    "004": _object("1.3.12.2.1107.5.9.1"),
}
_LATERAL = {"ViewPosition": "LL", "PatientOrientation": ["A", "F"]}
_EXAMS: dict[str, tuple[Files, frozenset[str]]] = {
    "a film": (lambda pixels: {"001": _film(pixels)}, frozenset()),
    "a film three folders down": (lambda pixels: {"PA000/ST000/SE000/IM0001": _film(pixels)}, frozenset()),
    "a film and what lies beside": (lambda pixels: {**_BESIDE, "001": _film(pixels)}, frozenset()),
    "a film and its preview": (lambda pixels: {"001": _film(pixels), "001.png": png(eight(pixels))}, frozenset()),
    "a frontal and a lateral film": (lambda pixels: {"001": _film(4095 - pixels, **_LATERAL), "002": _film(pixels)}, frozenset()),
    "a film twice": (lambda pixels: {"001": _film(pixels), "002": _film(pixels)}, frozenset()),
    "a film that was digitised": (lambda pixels: {"001": _film(pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")}, frozenset()),
    "a PNG": (lambda pixels: {"knee.png": png(pixels), "notes.txt": b"x"}, frozenset()),
    "two films": (lambda pixels: {"001": _film(pixels), "002": _film(4095 - pixels)}, frozenset({"duplicate-image"})),
    "two PNG": (lambda pixels: {"1.png": png(pixels), "2.png": png(4095 - pixels)}, frozenset({"duplicate-image"})),
    "a lateral film": (lambda pixels: {"001": _film(pixels, **_LATERAL)}, frozenset({"wrong-projection"})),
    "a damaged film beside a sound one": (lambda pixels: {"001": _film(pixels), "002": _film(pixels)[:900]}, DAMAGED),
    "a cut film": (lambda pixels: {"001": _film(pixels)[:-200]}, DAMAGED),
    "no film": (lambda _: dict(_BESIDE), DAMAGED),
    "a slice of a scan": (lambda pixels: {"001": _film(pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.4")}, frozenset({"wrong-format"})),
}
_PACKED = (
    ("dicom", "", _folder),
    ("dicom-archive", ".zip", _zip),
    *(("dicom-archive", suffix, _tar) for suffix in (".tar.gz", ".tgz", ".tar")),
)

CASES: list[PlantedRadiograph] = [
    *(
        PlantedRadiograph("exams", name, format, pack(files), reasons, reads=not reasons, suffix=suffix)
        for name, (files, reasons) in _EXAMS.items()
        for format, suffix, pack in _PACKED
    ),
    *(
        bad("volumes", "in a view of radiographs", format, lambda path, _: path.write_bytes(b"x"), frozenset({"wrong-format"}))
        for format in ("nifti", "meta", "nrrd")
    ),
    bad("exams", "an empty folder", "dicom", lambda path, _: path.mkdir(), DAMAGED),
    bad("exams", "a link to itself", "dicom", lambda path, _: path.symlink_to(path.name), DAMAGED),
    bad("exams", "an error page", "dicom-archive", lambda path, _: path.write_bytes(b"<html>403</html>"), DAMAGED),
]
