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
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from tests.unit.radiographs.pictures import deep_png

SHAPE = (48, 40)
SUFFIXES = {
    "png": ".png", "jpeg": ".jpg", "tiff": ".tif", "bmp": ".bmp", "dicom-file": ".dcm",
    "dicom": "", "dicom-archive": ".zip", "nifti": ".nii.gz", "meta": ".mha", "nrrd": ".nrrd",
}  # fmt: skip
"""Suffix of a planted file by its format, unless it has a suffix of its own."""
DAMAGED = frozenset({"unreadable", "missing-file", "wrong-dimensions"})
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
    """Bits of grey that survive in the file."""
    suffix: str = ""

    def __str__(self) -> str:
        return f"{self.format}{self.suffix} radiograph: {self.family}: {self.name}"


def bad(family: str, name: str, format: str, plant: Callable[[Path, Pixels], object], reasons: frozenset[str]) -> PlantedRadiograph:
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


def eight(pixels: Pixels) -> Pixels:
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
    one = eight(pixels)
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


def _picture(format: str, mode: str = "L", exif: int = 1, **options: Any) -> Callable[[Path, Pixels], object]:
    """A picture of 8 bits, stored as its orientation tag says."""

    def plant(path: Path, pixels: Pixels) -> None:
        tags = Image.Exif()
        tags[274] = exif
        stored = np.ascontiguousarray(np.rot90(eight(pixels)) if exif == 6 else eight(pixels))
        Image.fromarray(stored).convert(mode).save(path, format, exif=tags, **(options if format == "JPEG" else {}))

    return plant


def _deep(*channels: Callable[[Pixels], Pixels], clear: bool = False) -> Callable[[Path, Pixels], object]:
    """A PNG of 16 bits a channel."""

    def plant(path: Path, pixels: Pixels) -> None:
        stored = np.dstack([channel(pixels) for channel in channels])
        if clear:
            stored[5, 5, -1] = 9
        path.write_bytes(deep_png(stored))

    return plant


def _opaque(pixels: Pixels) -> Pixels:
    return np.full_like(pixels, 65535)


def _tinted(pixels: Pixels) -> NDArray[np.uint8]:
    """Grey but for a level or two here and there."""
    tint = np.random.default_rng(12).integers(-1, 2, (*SHAPE, 3))
    return np.asarray(np.clip(eight(pixels)[..., None].astype(int) + tint, 0, 255).astype(np.uint8))


_EIGHT_BITS = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}


def _in_colours(path: Path, pixels: Pixels) -> None:
    colours = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    _dicom(**_EIGHT_BITS, **colours, PixelData=_colours(pixels, grey=True).tobytes())(path, pixels)


def _padded(path: Path, pixels: Pixels) -> None:
    """The darkest pixels, which are clipped anyway, are padding."""
    cells = np.where(pixels <= np.percentile(pixels, 0.4), 65535, pixels).astype("<u2")
    _dicom(PixelPaddingValue=65535, PixelData=cells.tobytes())(path, pixels)


def _through_table(path: Path, pixels: Pixels) -> None:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    item.ModalityLUTType = "US"
    item.add_new("LUTData", "OW", np.arange(4095, -1, -1).astype("<u2").tobytes())
    _dicom(convert=lambda pixels: 4095 - pixels, ModalityLUTSequence=Sequence([item]))(path, pixels)


CASES: list[PlantedRadiograph] = [
    PlantedRadiograph("grey levels", "16 bits of RGB", "png", _deep(*[lambda pixels: pixels] * 3)),
    PlantedRadiograph("grey levels", "16 bits of RGB, opaque", "png", _deep(*[lambda pixels: pixels] * 3, _opaque)),
    PlantedRadiograph("grey levels", "16 bits of grey, opaque", "png", _deep(lambda pixels: pixels, _opaque)),
    bad("grey levels", "16 bits of grey, see-through", "png", _deep(lambda pixels: pixels, _opaque, clear=True), _SHAPE),
    bad(
        "grey levels", "16 bits, coloured", "png", _deep(lambda pixels: pixels, lambda pixels: pixels, lambda pixels: 4095 - pixels), _SHAPE
    ),
    PlantedRadiograph("grey levels", "colours that are grey but for a trace", "png", _png(convert=_tinted), bits=8),
    *(
        PlantedRadiograph(
            "grey levels", f"times {factor} beyond BitsStored", "dicom-file", _dicom(convert=lambda pixels, factor=factor: pixels * factor)
        )
        for factor in (2, 4, 15)
    ),
    PlantedRadiograph(
        "grey levels",
        "12 bits under BitsStored 8, dark is bright",
        "dicom-file",
        _dicom(convert=lambda pixels: 4095 - pixels, BitsStored=8, HighBit=7, PhotometricInterpretation="MONOCHROME1"),
    ),
    PlantedRadiograph("grey levels", "padding", "dicom-file", _padded),
    PlantedRadiograph("grey levels", "a descending look-up table", "dicom-file", _through_table),
    PlantedRadiograph("grey levels", "colours that are grey", "dicom-file", _in_colours, bits=8),
    PlantedRadiograph(
        "odd files",
        "zeros behind the pixels",
        "dicom-file",
        lambda path, pixels: _dicom(PixelData=pixels.tobytes() + bytes(64))(path, pixels),
    ),
    PlantedRadiograph("odd files", "a placeholder beside the pixel size", "dicom-file", _dicom(PixelSpacing=["0", "0"])),
    PlantedRadiograph("odd files", "a placeholder alone", "dicom-file", _dicom(ImagerPixelSpacing=None, PixelSpacing=["0", "0"])),
    *(
        PlantedRadiograph(
            "pictures", f"{name}, {mode}, orientation {exif}", name.lower(), _picture(name, mode, exif, quality=100, subsampling=0), bits=8
        )
        for name in ("JPEG", "TIFF", "BMP", "PNG")
        for mode in ("L", "RGB")
        for exif in ((1,) if name == "BMP" else (1, 6))
    ),
    bad("pictures", "a PNG called JPEG", "jpeg", _png(), DAMAGED),
    PlantedRadiograph("sound", "16 bits", "png", _png()),
    PlantedRadiograph("sound", "8 bits", "png", _png(convert=eight), bits=8),
    PlantedRadiograph("sound", "left knee", "png", _png(), side="L"),
    PlantedRadiograph("dtype", "grey as colours", "png", _png(convert=lambda pixels: _colours(pixels, grey=True)), bits=8),
    bad("dtype", "colours", "png", _png(convert=lambda pixels: _colours(pixels, grey=False)), _SHAPE),
    bad("truncated", "a tenth is there", "png", _png(_cut(0.1)), DAMAGED),
    bad("truncated", "half is there", "png", _png(_cut(0.5)), DAMAGED),
    bad("truncated", "nine tenths are there", "png", _png(_cut(0.9)), DAMAGED),
    bad("zero bytes", "empty", "png", _png(lambda _: b""), DAMAGED),
    bad("zero bytes", "zeros", "png", _png(lambda content: bytes(len(content))), DAMAGED),
    bad("replaced", "an error page", "png", _png(lambda _: b"<html>403</html>"), DAMAGED),
    bad("replaced", "a JPEG", "png", lambda path, pixels: Image.fromarray(eight(pixels)).save(path, "JPEG"), DAMAGED),
    bad("replaced", "flipped bits", "png", _png(lambda content: content[:900] + b"\x55" * 40 + content[940:]), DAMAGED),
    bad("huge claims", "two thousand million pixels", "png", _png(_claimed(1 << 16, 1 << 15)), _SHAPE),
    bad("wrong dimensions", "more rows than there are", "png", _png(_claimed(40, 480)), DAMAGED | _SHAPE),
    bad("wrong dimensions", "no columns", "png", _png(_claimed(0, 48)), DAMAGED | _SHAPE),
    bad("no picture", "constant", "png", _png(convert=lambda pixels: np.full_like(pixels, 9)), frozenset({"constant-image"})),
    bad("no file", "a folder in its place", "png", lambda path, pixels: path.mkdir(), DAMAGED),
    bad("links", "a link to nothing", "png", lambda path, pixels: path.symlink_to("nothing"), DAMAGED),
    bad("link loops", "a link to itself", "png", lambda path, pixels: path.symlink_to(path.name), DAMAGED),
    PlantedRadiograph("sound", "MONOCHROME2", "dicom-file", _dicom()),
    PlantedRadiograph("sound", "left knee", "dicom-file", _dicom(), side="L"),
    PlantedRadiograph(
        "dtype", "MONOCHROME1", "dicom-file", _dicom(convert=lambda pixels: 4095 - pixels, PhotometricInterpretation="MONOCHROME1")
    ),
    PlantedRadiograph(
        "dtype",
        "8 bits",
        "dicom-file",
        lambda path, pixels: _dicom(BitsAllocated=8, BitsStored=8, HighBit=7, PixelData=eight(pixels).tobytes())(path, pixels),
        bits=8,
    ),
    PlantedRadiograph("missing geometry", "no pixel size", "dicom-file", _dicom(ImagerPixelSpacing=None)),
    bad("truncated", "half is there", "dicom-file", _dicom(_cut(0.5)), DAMAGED),
    bad("truncated", "nine tenths are there", "dicom-file", _dicom(_cut(0.9)), DAMAGED),
    bad("zero bytes", "empty", "dicom-file", _dicom(lambda _: b""), DAMAGED),
    bad("replaced", "a PNG", "dicom-file", _png(), DAMAGED),
    bad("dtype", "colours", "dicom-file", _dicom(SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0), _SHAPE),
    bad("4D", "two frames", "dicom-file", _dicom(NumberOfFrames=2), _SHAPE),
    bad("wrong dimensions", "more rows than pixels", "dicom-file", _dicom(Rows=96), _SHAPE),
    bad("huge claims", "65535 by 65535", "dicom-file", _dicom(Rows=65535, Columns=65535), _SHAPE),
    bad("absurd spacing", "zero", "dicom-file", _dicom(ImagerPixelSpacing=["0", "0"]), _SPACING),
    bad("absurd spacing", "negative", "dicom-file", _dicom(ImagerPixelSpacing=["-1", "0.8"]), _SPACING),
    bad("absurd spacing", "metres", "dicom-file", _dicom(ImagerPixelSpacing=["2000", "2000"]), _SPACING),
    bad("wrong side", "the header says left", "dicom-file", _dicom(ImageLaterality="L"), frozenset({"wrong-side"})),
    bad("wrong side", "a lateral picture", "dicom-file", _dicom(ViewPosition="LL"), frozenset({"wrong-projection"})),
    bad("no picture", "constant", "dicom-file", _dicom(convert=lambda pixels: np.full_like(pixels, 9)), frozenset({"constant-image"})),
]
