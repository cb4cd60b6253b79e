"""Planted radiographs: PNG pictures and single DICOM files, whole and broken."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

SHAPE = (48, 40)
SUFFIXES = {"png": ".png", "dicom-file": ".dcm", "dicom": "", "dicom-archive": ".zip", "nifti": ".nii.gz", "meta": ".mha", "nrrd": ".nrrd"}
"""What a planted file is called by its format, unless it has a suffix of its own."""
_DAMAGED = frozenset({"unreadable", "missing-file", "wrong-dimensions"})
_SHAPE = frozenset({"not-greyscale", "unsupported-dicom", "too-large", "unreadable", "wrong-dimensions"})
_SPACING = frozenset({"absurd-spacing", "bad-spacing", "unreadable"})

Pixels = NDArray[np.unsignedinteger]


def picture(seed: int) -> Pixels:
    """Twelve bits of grey, lopsided, with noise: ``[rows, columns]`` as displayed."""
    rng = np.random.default_rng([8, seed])
    i, j = np.meshgrid(np.linspace(-1, 1, SHAPE[0]), np.linspace(-1, 1, SHAPE[1]), indexing="ij")
    array = 2000 + 900 * np.exp(-3 * ((i - 0.1) ** 2 + (j + 0.15) ** 2)) + 300 * i - 200 * j + rng.normal(0, 40, SHAPE)
    return np.asarray(np.clip(array, 1, 4095).astype(np.uint16))


@dataclass(frozen=True)
class PlantedRadiograph:
    """A radiograph that must be read (``reasons`` empty) or be excluded for one of them; ``reads``:
    either is right.
    """

    family: str
    name: str
    format: str
    plant: Callable[[Path, Pixels], object]
    reasons: frozenset[str] = frozenset()
    reads: bool = True
    side: str = "R"
    bits: int = 12
    """How many bits of grey survive in the file."""
    suffix: str = ""

    def __str__(self) -> str:
        return f"{self.format}{self.suffix} radiograph: {self.family}: {self.name}"


def _bad(family: str, name: str, format: str, plant: Callable[[Path, Pixels], object], reasons: frozenset[str]) -> PlantedRadiograph:
    return PlantedRadiograph(family, name, format, plant, reasons, reads=False)


def png(pixels: Pixels, *, text: PngImagePlugin.PngInfo | None = None) -> bytes:
    """A grey PNG of 8 or 16 bits."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", pnginfo=text)
    return stream.getvalue()


def _png(
    damage: Callable[[bytes], bytes] = bytes, convert: Callable[[Pixels], Any] = lambda pixels: pixels
) -> Callable[[Path, Pixels], object]:
    return lambda path, pixels: path.write_bytes(damage(png(convert(pixels))))


def _eight(pixels: Pixels) -> Pixels:
    return np.asarray((pixels >> 4).astype(np.uint8))


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


def _claimed(width: int, height: int) -> Callable[[bytes], bytes]:
    """The header's size replaced, its checksum too."""

    def damage(content: bytes) -> bytes:
        header = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
        return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]

    return damage


def _colours(pixels: Pixels, *, grey: bool) -> NDArray[np.uint8]:
    one = _eight(pixels)
    return np.stack([one, one, one if grey else np.asarray(255 - one)], axis=-1)


def radiograph(pixels: Pixels, **tags: Any) -> FileDataset:
    """A single-frame radiograph of 12 bits; ``tags`` overrides (None deletes)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    data.SOPClassUID = ComputedRadiographyImageStorage
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(pixels.sum())])
    data.Modality, data.ViewPosition, data.PatientOrientation = "CR", "PA", ["L", "F"]
    data.ImagerPixelSpacing = ["0.8", "0.8"]
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = pixels.astype("<u2").tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    return data


def _dicom(
    damage: Callable[[bytes], bytes] = bytes, convert: Callable[[Pixels], Pixels] = lambda pixels: pixels, **tags: Any
) -> Callable[[Path, Pixels], object]:
    def plant(path: Path, pixels: Pixels) -> None:
        stream = io.BytesIO()
        radiograph(convert(pixels), **tags).save_as(stream, enforce_file_format=True)
        path.write_bytes(damage(stream.getvalue()))

    return plant


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
        with tarfile.open(path, "w:gz") as archive:
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
    "a film and its preview": (lambda pixels: {"001": _film(pixels), "001.png": png(_eight(pixels))}, frozenset()),
    "a frontal and a lateral film": (lambda pixels: {"001": _film(4095 - pixels, **_LATERAL), "002": _film(pixels)}, frozenset()),
    "a film twice": (lambda pixels: {"001": _film(pixels), "002": _film(pixels)}, frozenset()),
    "a film that was digitised": (lambda pixels: {"001": _film(pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.7")}, frozenset()),
    "a PNG": (lambda pixels: {"knee.png": png(pixels), "notes.txt": b"x"}, frozenset()),
    "two films": (lambda pixels: {"001": _film(pixels), "002": _film(4095 - pixels)}, frozenset({"duplicate-image"})),
    "two PNG": (lambda pixels: {"1.png": png(pixels), "2.png": png(4095 - pixels)}, frozenset({"duplicate-image"})),
    "a lateral film": (lambda pixels: {"001": _film(pixels, **_LATERAL)}, frozenset({"wrong-projection"})),
    "a damaged film beside a sound one": (lambda pixels: {"001": _film(pixels), "002": _film(pixels)[:900]}, _DAMAGED),
    "a cut film": (lambda pixels: {"001": _film(pixels)[:-200]}, _DAMAGED),
    "no film": (lambda _: dict(_BESIDE), _DAMAGED),
    "a slice of a scan": (lambda pixels: {"001": _film(pixels, SOPClassUID="1.2.840.10008.5.1.4.1.1.4")}, frozenset({"wrong-format"})),
}
_PACKED = (("dicom", "", _folder), ("dicom-archive", ".zip", _zip), ("dicom-archive", ".tar.gz", _tar), ("dicom-archive", ".tgz", _tar))

CASES: list[PlantedRadiograph] = [
    *(
        PlantedRadiograph("exams", name, format, pack(files), reasons, reads=not reasons, suffix=suffix)
        for name, (files, reasons) in _EXAMS.items()
        for format, suffix, pack in _PACKED
    ),
    *(
        _bad("volumes", "in a view of radiographs", format, lambda path, _: path.write_bytes(b"x"), frozenset({"wrong-format"}))
        for format in ("nifti", "meta", "nrrd")
    ),
    _bad("exams", "an empty folder", "dicom", lambda path, _: path.mkdir(), _DAMAGED),
    _bad("exams", "a link to itself", "dicom", lambda path, _: path.symlink_to(path.name), _DAMAGED),
    _bad("exams", "an error page", "dicom-archive", lambda path, _: path.write_bytes(b"<html>403</html>"), _DAMAGED),
    PlantedRadiograph("sound", "16 bits", "png", _png()),
    PlantedRadiograph("sound", "8 bits", "png", _png(convert=_eight), bits=8),
    PlantedRadiograph("sound", "left knee", "png", _png(), side="L"),
    PlantedRadiograph("dtype", "grey as colours", "png", _png(convert=lambda pixels: _colours(pixels, grey=True)), bits=8),
    _bad("dtype", "colours", "png", _png(convert=lambda pixels: _colours(pixels, grey=False)), _SHAPE),
    _bad("truncated", "a tenth is there", "png", _png(_cut(0.1)), _DAMAGED),
    _bad("truncated", "half is there", "png", _png(_cut(0.5)), _DAMAGED),
    _bad("truncated", "nine tenths are there", "png", _png(_cut(0.9)), _DAMAGED),
    _bad("zero bytes", "empty", "png", _png(lambda _: b""), _DAMAGED),
    _bad("zero bytes", "zeros", "png", _png(lambda content: bytes(len(content))), _DAMAGED),
    _bad("replaced", "an error page", "png", _png(lambda _: b"<html>403</html>"), _DAMAGED),
    _bad("replaced", "a JPEG", "png", lambda path, pixels: Image.fromarray(_eight(pixels)).save(path, "JPEG"), _DAMAGED),
    _bad("replaced", "flipped bits", "png", _png(lambda content: content[:900] + b"\x55" * 40 + content[940:]), _DAMAGED),
    _bad("huge claims", "two thousand million pixels", "png", _png(_claimed(1 << 16, 1 << 15)), _SHAPE),
    _bad("wrong dimensions", "more rows than there are", "png", _png(_claimed(40, 480)), _DAMAGED | _SHAPE),
    _bad("wrong dimensions", "no columns", "png", _png(_claimed(0, 48)), _DAMAGED | _SHAPE),
    _bad("no picture", "constant", "png", _png(convert=lambda pixels: np.full_like(pixels, 9)), frozenset({"constant-image"})),
    _bad("no file", "a folder in its place", "png", lambda path, pixels: path.mkdir(), _DAMAGED),
    _bad("links", "a link to nothing", "png", lambda path, pixels: path.symlink_to("nothing"), _DAMAGED),
    _bad("link loops", "a link to itself", "png", lambda path, pixels: path.symlink_to(path.name), _DAMAGED),
    PlantedRadiograph("sound", "MONOCHROME2", "dicom-file", _dicom()),
    PlantedRadiograph("sound", "left knee", "dicom-file", _dicom(), side="L"),
    PlantedRadiograph(
        "dtype", "MONOCHROME1", "dicom-file", _dicom(convert=lambda pixels: 4095 - pixels, PhotometricInterpretation="MONOCHROME1")
    ),
    PlantedRadiograph(
        "dtype",
        "8 bits",
        "dicom-file",
        lambda path, pixels: _dicom(BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=_eight(pixels).tobytes())(path, pixels),
        bits=8,
    ),
    PlantedRadiograph("missing geometry", "no pixel size", "dicom-file", _dicom(ImagerPixelSpacing=None)),
    _bad("truncated", "half is there", "dicom-file", _dicom(_cut(0.5)), _DAMAGED),
    _bad("truncated", "nine tenths are there", "dicom-file", _dicom(_cut(0.9)), _DAMAGED),
    _bad("zero bytes", "empty", "dicom-file", _dicom(lambda _: b""), _DAMAGED),
    _bad("replaced", "a PNG", "dicom-file", _png(), _DAMAGED),
    _bad("dtype", "colours", "dicom-file", _dicom(SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0), _SHAPE),
    _bad("4D", "two frames", "dicom-file", _dicom(NumberOfFrames=2), _SHAPE),
    _bad("wrong dimensions", "more rows than pixels", "dicom-file", _dicom(Rows=96), _SHAPE),
    _bad("huge claims", "65535 by 65535", "dicom-file", _dicom(Rows=65535, Columns=65535), _SHAPE),
    _bad("absurd spacing", "zero", "dicom-file", _dicom(ImagerPixelSpacing=["0", "0"]), _SPACING),
    _bad("absurd spacing", "negative", "dicom-file", _dicom(ImagerPixelSpacing=["-1", "0.8"]), _SPACING),
    _bad("absurd spacing", "metres", "dicom-file", _dicom(ImagerPixelSpacing=["2000", "2000"]), _SPACING),
    _bad("wrong side", "the header says left", "dicom-file", _dicom(ImageLaterality="L"), frozenset({"wrong-side"})),
    _bad("wrong side", "a lateral picture", "dicom-file", _dicom(ViewPosition="LL"), frozenset({"wrong-projection"})),
    _bad("no picture", "constant", "dicom-file", _dicom(convert=lambda pixels: np.full_like(pixels, 9)), frozenset({"constant-image"})),
]
