"""Planted radiographs: PNG pictures and single DICOM files, whole and broken."""

from __future__ import annotations

import io
import struct
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
_DAMAGED = frozenset({"unreadable", "missing-file", "wrong-dimensions"})
_SHAPE = frozenset({"not-greyscale", "unsupported-dicom", "too-large", "unreadable", "wrong-dimensions"})
_PROJECTION = frozenset({"wrong-projection"})
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

    def __str__(self) -> str:
        return f"{self.format} radiograph: {self.family}: {self.name}"


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


def _exif(orientation: int) -> Callable[[Path, Pixels], object]:
    """A PNG stored so that a viewer who obeys its eXIf data shows the picture."""
    store: dict[int, Callable[[Pixels], Pixels]] = {
        1: lambda pixels: pixels,
        2: lambda pixels: pixels[:, ::-1],
        3: lambda pixels: pixels[::-1, ::-1],
        4: lambda pixels: pixels[::-1],
        5: lambda pixels: pixels.T,
        6: lambda pixels: np.rot90(pixels),
        7: lambda pixels: pixels[::-1, ::-1].T,
        8: lambda pixels: np.rot90(pixels, -1),
    }

    def plant(path: Path, pixels: Pixels) -> None:
        tags = Image.Exif()
        tags[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(store[orientation](pixels))).save(path, "PNG", exif=tags)

    return plant


CASES: list[PlantedRadiograph] = [
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
    *(
        _bad("wrong side", f"{keyword} {words}", "dicom-file", _dicom(**{keyword: words}), frozenset({"wrong-side"}))
        for keyword, words in (
            ("Laterality", "L"),
            ("SeriesDescription", "KNEE LEFT PA"),
            ("SeriesDescription", "L KNEE PA"),
            ("ProtocolName", "KNEE LT"),
            ("BodyPartExamined", "LKNEE"),
            ("StudyDescription", "XR KNEE LEFT"),
        )
    ),
    *(
        PlantedRadiograph("wrong side", f"{keyword} {words}", "dicom-file", _dicom(**{keyword: words}))
        for keyword, words in (
            ("SeriesDescription", "KNEE RIGHT PA"),
            ("StudyDescription", "XR KNEES BILATERAL L"),
            ("StudyDescription", "XR KNEE R/O FRACTURE"),
            ("StudyDescription", "XR KNEE AP AND LATERAL"),
        )
    ),
    *(
        _bad("projection", f"{keyword} {words}", "dicom-file", _dicom(ViewPosition=None, **{keyword: words}), _PROJECTION)
        for keyword, words in (("SeriesDescription", "KNEE LAT"), ("SeriesDescription", "Skyline"), ("ProtocolName", "Knee lateral"))
    ),
    *(
        _bad("projection", position, "dicom-file", _dicom(ViewPosition=position), _PROJECTION)
        for position in ("LL", "RLD", "LATERAL", "LAT", "ML", "SKYLINE", "SUNRISE", "MERCHANT", "AXIAL", "OBLIQUE", "OBL")
    ),
    *(PlantedRadiograph("projection", position, "dicom-file", _dicom(ViewPosition=position)) for position in ("AP", "PA AXIAL", "TUNNEL")),
    *(PlantedRadiograph("eXIf", f"orientation {value}", "png", _exif(value)) for value in range(1, 9)),
    _bad("no picture", "constant", "dicom-file", _dicom(convert=lambda pixels: np.full_like(pixels, 9)), frozenset({"constant-image"})),
]
