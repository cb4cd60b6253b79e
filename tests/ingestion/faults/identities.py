"""The person planted in every corner of raw files where real ones hide, in whole files and broken
ones.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import PngImagePlugin
from pydicom.dataset import Dataset, FileDataset

from tests.ingestion.faults.dicom_series import datasets, save, set_raw
from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.person import SENTENCE, SPOKEN, WORDS, identify
from tests.ingestion.faults.planted import Plant
from tests.ingestion.faults.radiographs import Pixels, png, radiograph
from tests.ingestion.faults.volume_bytes import meta, nifti, nrrd


def _series(*changes: Callable[[list[FileDataset], Knee], object], after: Callable[[list[Path]], object] | None = None) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        slices = datasets(knee)
        for data in slices:
            identify(data)
        for change in changes:
            change(slices, knee)
        paths = save(folder, slices)
        if after is not None:
            after(paths)

    return plant


def _words_in(keyword: str, number: int | None = 9) -> Plant:
    """A tag that decoding needs holds a name."""
    value = SPOKEN[:62] if keyword not in ("Rows", "BitsAllocated") else SPOKEN[:2]
    return _series(set_raw(number, **{keyword: value + b" " * (len(value) % 2)}))


def _syntax(slices: list[FileDataset], _: Knee) -> None:
    for data in slices:
        data.file_meta.TransferSyntaxUID = WORDS["number"]
        data.set_original_encoding(False, True)


def _archive(*, broken: bool) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        stream = io.BytesIO()
        with (
            gzip.GzipFile(f"{WORDS['family name']}.tar", "wb", fileobj=stream) as packed,
            tarfile.open(fileobj=packed, mode="w") as archive,
        ):
            for number, data in enumerate(datasets(knee)):
                identify(data)
                content = io.BytesIO()
                data.save_as(content, enforce_file_format=True)
                info = tarfile.TarInfo(f"{WORDS['family name']}_{WORDS['given name']}/{number:03d}")
                info.uname = WORDS["physician"]
                raw = content.getvalue()[: 400 if broken and number == 9 else None]
                info.size = len(raw)
                archive.addfile(info, io.BytesIO(raw))
        folder.rmdir()
        (folder.parent / f"{folder.name}.tar.gz").write_bytes(stream.getvalue())

    return plant


_TEXT = {4: SPOKEN[:10], 14: SPOKEN[:18], 148: SPOKEN[:80], 228: SPOKEN[80:104], 328: SPOKEN[:16]}
"""NIfTI-1: data_type, db_name, descrip, aux_file, intent_name."""


def nifti_with_person(knee: Knee, damage: Callable[[bytes], bytes] = bytes, **fields: float) -> bytes:
    """A NIfTI file whose text fields and extensions (a DICOM header, a comment) name the person,
    compressed under a telling name.
    """
    header = Dataset()
    identify(header)
    stream = io.BytesIO()
    header.save_as(stream, implicit_vr=False, little_endian=True)
    extensions = b""
    for code, content in ((2, stream.getvalue()), (6, SPOKEN)):
        size = -(-(len(content) + 8) // 16) * 16
        extensions += size.to_bytes(4, "little") + code.to_bytes(4, "little") + content.ljust(size - 8, b"\0")
    raw = bytearray(nifti(knee, vox_offset=352 + len(extensions), **fields))
    for offset, content in _TEXT.items():
        raw[offset : offset + len(content)] = content
    content = damage(bytes(raw[:348]) + b"\1\0\0\0" + extensions + bytes(raw[352:]))
    packed = io.BytesIO()
    with gzip.GzipFile(f"{WORDS['family name']}.nii", "wb", fileobj=packed) as file:
        file.write(content)
    return packed.getvalue()


def _nifti(damage: Callable[[bytes], bytes] = bytes, cut: float = 1.0, **fields: float) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        content = nifti_with_person(knee, damage, **fields)
        (folder / "dess.nii.gz").write_bytes(content[: int(len(content) * cut)])

    return plant


def _nrrd(**fields: str | None) -> Plant:
    pairs = "".join(f"# {word}\n{key.replace(' ', '_').replace(',', '')}:={word}\n" for key, word in WORDS.items()).encode()
    return lambda folder, knee: _write(folder / "dess.nrrd", nrrd(knee, **fields).replace(b"\n\n", b"\n" + pairs + b"\n", 1))


def _mha(damage: Callable[[bytes], bytes] = bytes, **fields: str | None) -> Plant:
    identifying: dict[str, Any] = {
        "Comment": SENTENCE,
        "Name": WORDS["family name"],
        "PatientName": WORDS["given name"],
        "ID": WORDS["number"],
    }
    return lambda folder, knee: _write(folder / "dess.mha", damage(b"".join(meta(knee, **identifying | fields))))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


VOLUMES: dict[str, Plant] = {
    "DICOM": _series(),
    "DICOM, a slice cut in its header": _series(after=lambda paths: paths[9].write_bytes(paths[9].read_bytes()[:700])),
    "DICOM, a slice cut in its voxels": _series(after=lambda paths: paths[9].write_bytes(paths[9].read_bytes()[:-300])),
    "DICOM, a slice missing": _series(after=lambda paths: paths[9].unlink()),
    "DICOM, a slice that is text": _series(after=lambda paths: paths[9].write_bytes(SPOKEN)),
    "DICOM, a slice of noise in its header": _series(
        after=lambda paths: paths[9].write_bytes(paths[9].read_bytes().replace(b"MR", b"\xff\0"))
    ),
    "DICOM, the wrong transfer syntax": _series(_syntax),
    **{
        f"DICOM, {keyword} holds a name": _words_in(keyword)
        for keyword in (
            "PixelSpacing",
            "ImagePositionPatient",
            "ImageOrientationPatient",
            "RescaleSlope",
            "RescaleIntercept",
            "EchoTime",
            "NumberOfFrames",
            "SeriesInstanceUID",
            "SOPInstanceUID",
            "PhotometricInterpretation",
            "SpecificCharacterSet",
            "Rows",
            "BitsAllocated",
            "InstanceNumber",
            "SliceThickness",
            "SeriesDescription",
            "Laterality",
            "Modality",
            "SamplesPerPixel",
        )
    },
    "DICOM, every series identifier holds a name": _words_in("SeriesInstanceUID", None),
    "DICOM, every character set holds a name": _words_in("SpecificCharacterSet", None),
    "archive": _archive(broken=False),
    "archive, a slice cut": _archive(broken=True),
    "NIfTI": _nifti(),
    "NIfTI, cut": _nifti(cut=0.7),
    "NIfTI, unknown type": _nifti(datatype=77),
    "NIfTI, NaN affine": _nifti(srow00=float("nan")),
    "NIfTI, its magic holds a name": _nifti(lambda content: content[:344] + b"Quil" + content[348:]),
    "NIfTI, all its header holds a name": _nifti(lambda content: (SPOKEN * 4)[:352] + content[352:]),
    "NRRD": _nrrd(),
    **{
        f"NRRD, '{field}' holds a name": _nrrd(**{field.replace(" ", "_"): SENTENCE})
        for field in (
            "type",
            "encoding",
            "space",
            "space directions",
            "space origin",
            "sizes",
            "dimension",
            "kinds",
            "endian",
            "data file",
            "byte skip",
        )
    },
    "MetaImage": _mha(),
    "MetaImage, cut": _mha(lambda content: content[:-900]),
    **{
        f"MetaImage, '{field}' holds a name": _mha(**{field: SENTENCE})
        for field in (
            "ElementType",
            "DimSize",
            "NDims",
            "ElementSpacing",
            "TransformMatrix",
            "Offset",
            "CompressedData",
            "ElementNumberOfChannels",
        )
    },
    "MetaImage, the voxels' file is named after them": lambda folder, knee: _write(
        folder / "dess.mhd", meta(knee, data_file=f"{WORDS['family name']}.raw")[0]
    ),
}
"""Series folders by what is in them."""


def _png(damage: Callable[[bytes], bytes] = bytes) -> Callable[[Path, Pixels], None]:
    def plant(path: Path, pixels: Pixels) -> None:
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SENTENCE)
        text.add_text("Author", WORDS["physician"], zip=True)
        text.add_itxt("Title", SENTENCE, zip=True)
        path.write_bytes(damage(png(pixels, text=text)))

    return plant


def _radiograph(damage: Callable[[bytes], bytes] = bytes, **raw: bytes) -> Callable[[Path, Pixels], None]:
    def plant(path: Path, pixels: Pixels) -> None:
        data = radiograph(np.asarray(pixels))
        identify(data)
        set_raw(None, **raw)([data], None)
        stream = io.BytesIO()
        data.save_as(stream, enforce_file_format=True)
        path.write_bytes(damage(stream.getvalue()))

    return plant


RADIOGRAPHS: dict[str, Callable[[Path, Pixels], None]] = {
    "whole.png": _png(),
    "cut.png": _png(lambda content: content[:-700]),
    "text.png": _png(lambda _: SPOKEN),
    "whole.dcm": _radiograph(),
    "cut.dcm": _radiograph(lambda content: content[:-700]),
    "text.dcm": _radiograph(lambda _: SPOKEN),
    "view.dcm": _radiograph(ViewPosition=SPOKEN[:16]),
    "spacing.dcm": _radiograph(ImagerPixelSpacing=SPOKEN[:32]),
    "orientation.dcm": _radiograph(PatientOrientation=SPOKEN[:32]),
    "laterality.dcm": _radiograph(ImageLaterality=SPOKEN[:16]),
    "polarity.dcm": _radiograph(PhotometricInterpretation=SPOKEN[:16]),
}
"""Radiographs by the name of their file."""
