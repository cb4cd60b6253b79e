"""Files beside slices, study folders, and files of another kind than the view asks for: the rows
that must neither stop a shard nor lose a sound case.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from tests.ingestion.faults.dicom_plants import series
from tests.ingestion.faults.dicom_series import Change, datasets, save, set_all
from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted, legal
from tests.ingestion.faults.radiographs import picture, png, radiograph
from tests.ingestion.faults.single_files import write_gz, write_mhd, write_nrrd

_PIXELS = ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel")
_PLACE = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_OBJECTS = {
    "Philips series data": "1.3.46.670589.11.0.0.12.2",
    "a Philips exam card": "1.3.46.670589.11.0.0.12.4",
    "Siemens CSA non-image": "1.3.12.2.1107.5.9.1",
    "GE raw data": "1.2.840.113619.4.30",
    "a Toshiba private object": "1.2.392.200036.9116.7.8.1.1.1",
    "raw data": f"{_STORAGE}66",
    "spectra": f"{_STORAGE}4.2",
    "real world values": f"{_STORAGE}67",
    "a presentation state": f"{_STORAGE}11.1",
    "a hanging protocol": "1.2.840.10008.5.1.4.38.1",
}
_NAMES = (
    "Thumbs.db", "README", "readme.md", "MD5SUMS", "viewer.exe", "AUTORUN.INF", "LICENSE", "index.html", "series.bval", "video.mp4",
    "viewer.app", "font.ttf", "IHE_PDI", "data.dat", "scene.mrml",
)  # fmt: skip


def _lost(data: FileDataset, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        delattr(data, keyword)


def _unplaced(data: FileDataset) -> None:
    _lost(data, _PLACE)


def _coloured(data: FileDataset) -> None:
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PixelData = bytes(data.Rows * data.Columns * 3 + data.Rows * data.Columns % 2)


def _more(count: int, edit: Callable[[FileDataset], None], name: str = "beside") -> Change:
    """Add ``count`` files of a series of their own."""

    def change(slices: list[FileDataset], planted: Knee) -> None:
        others = datasets(planted, series=name)[:count]
        for data in others:
            edit(data)
        slices += others

    return change


def _object(storage: str) -> Callable[[FileDataset], None]:
    def edit(data: FileDataset) -> None:
        _lost(data, (*_PIXELS, *_PLACE))
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = storage

    return edit


def _localizer(slices: list[FileDataset], _: Knee) -> None:
    for data in slices:
        data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]


def _named(*names: str) -> Plant:
    def plant(folder: Path, planted: Knee) -> None:
        save(folder, datasets(planted))
        for name in names:
            (folder / name).write_bytes(b"no slice\n" * 40)

    return plant


def _preview(folder: Path, planted: Knee) -> None:
    save(folder, datasets(planted))
    (folder / "001.png").write_bytes(png(picture(1)))
    Image.fromarray((picture(1) >> 4).astype(np.uint8)).save(folder / "001.jpg")


def _inside(place: str, write: Callable[[Path, Knee], object], *names: str) -> Plant:
    """A series further down than the index says, with some files on the way."""

    def plant(folder: Path, planted: Knee) -> None:
        (folder / place).mkdir(parents=True)
        write(folder / place, planted)
        for name in names:
            (folder / name).write_bytes(b"no slice\n" * 40)

    return plant


def _in_archive(write: Callable[[Path, Knee], object], *names: str) -> Plant:
    """An archive in the folder, with some files beside it."""

    def plant(folder: Path, planted: Knee) -> None:
        with TemporaryDirectory() as place:
            write(Path(place), planted)
            with zipfile.ZipFile(folder / "series.zip", "w") as archive:
                for path in sorted(Path(place).iterdir()):
                    archive.write(path, path.name)
        for name in names:
            (folder / name).write_bytes(b"no slice\n" * 40)

    return plant


def _two_archives(folder: Path, planted: Knee) -> None:
    for name in ("1.zip", "2.zip"):
        _in_archive(_slices)(folder, planted)
        (folder / "series.zip").rename(folder / name)


def _slices(folder: Path, planted: Knee) -> None:
    save(folder, datasets(planted))


def _two_series(folder: Path, planted: Knee) -> None:
    for name in ("1", "2"):
        (folder / name).mkdir()
        save(folder / name, datasets(planted, series=name))


def _two_volumes(folder: Path, planted: Knee) -> None:
    write_gz(folder, planted)
    write_nrrd(folder, planted)


def _film(folder: Path, _: Knee) -> None:
    stream = io.BytesIO()
    radiograph(picture(2), SeriesInstanceUID=generate_uid()).save_as(stream, enforce_file_format=True)
    (folder / "001").write_bytes(stream.getvalue())


def _only_picture(folder: Path, _: Knee) -> None:
    (folder / "001.png").write_bytes(png(picture(3)))


def _bad(name: str, format: str, plant: Plant, *reasons: str) -> Planted:
    return Planted("odd rows", name, format, plant, reasons=frozenset(reasons))


CASES: list[Planted] = [
    *(legal("other files", name, "dicom", series(_more(1, _object(storage)))) for name, storage in _OBJECTS.items()),
    *(legal("other files", name, "dicom", _named(name)) for name in _NAMES),
    legal("other files", "pictures of a slice", "dicom", _preview),
    legal("other files", "a protocol page", "dicom", series(_more(1, _unplaced))),
    legal("other files", "five protocol pages", "dicom", series(_more(5, _unplaced))),
    legal("other files", "a map in colours", "dicom", series(_more(20, _coloured)), side="LEFT"),
    legal("other files", "two maps in colours", "dicom", series(_more(20, _coloured, "t1"), _more(20, _coloured, "t2"))),
    legal("study folders", "one folder down", "dicom", _inside("SE000", _slices)),
    legal("study folders", "three folders down", "dicom", _inside("PA000/ST000/SE000", _slices), side="LEFT"),
    legal("study folders", "a medium", "dicom", _inside("DICOM/ST000/SE000", _slices, "DICOMDIR", "README.TXT", "AUTORUN.INF")),
    legal("study folders", "an unpacked archive in a folder of its name", "dicom", _inside("00000001", _slices)),
    legal("study folders", "an archive of the series", "dicom", _inside("SE000", _in_archive(_slices))),
    legal("study folders", "an archive of a NIfTI and documents", "nii.gz", _inside("a/b", _in_archive(write_gz, "README", "x.json"))),
    _bad("two archives in a study folder", "dicom", _inside("SE000", _two_archives), "unreadable"),
    legal("study folders", "one NIfTI", "nii.gz", _inside("anat", write_gz, "dataset.json")),
    legal("study folders", "one MetaImage and its voxels", "mhd", _inside("anat", write_mhd)),
    legal("study folders", "one NRRD", "nrrd", _inside("a/b", write_nrrd), side="LEFT"),
    _bad("two series of one rank in a study folder", "dicom", _two_series, "ambiguous-series"),
    _bad("two volumes in a study folder", "nii.gz", _inside("anat", _two_volumes), "ambiguous-series"),
    _bad("a film", "dicom", _film, "missing-geometry"),
    _bad("a film in a study folder", "dicom", _inside("SE000", _film), "missing-geometry"),
    _bad("a picture", "png", _only_picture, "wrong-format"),
    _bad("a picture in a study folder", "png", _inside("SE000", _only_picture), "too-few-slices"),
    _bad("an image class without its pixels", "dicom", series(_more(1, _object(f"{_STORAGE}4"))), "unreadable"),
    _bad("a localizer beside slices without a place", "dicom", series(_localizer, _more(20, _unplaced)), "missing-geometry"),
    _bad("a localizer beside slices in colours", "dicom", series(_localizer, _more(20, _coloured)), "not-greyscale"),
    _bad("as many slices without a place as with one", "dicom", series(_more(20, _unplaced)), "missing-geometry"),
    _bad("nothing but pages", "dicom", series(set_all(**dict.fromkeys(_PLACE))), "missing-geometry"),
]  # fmt: skip
