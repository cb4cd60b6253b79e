"""DICOM series as scanners, archives and people leave them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from tests.ingestion.faults.knees import LPS, Knee

Change = Callable[[list[FileDataset], Knee], None]
"""Bends the data sets of a series (in the order of their slices) before they are written."""


def datasets(knee: Knee, codes: str = "", series: str = "series", echo: float = 4.7) -> list[FileDataset]:
    """One data set a slice, sagittal: (slice, row, column) are the canonical axes, or as ``codes``
    says.
    """
    array, affine = knee.stored(codes)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    along = LPS @ affine[:3, :3] / spacing
    result = []
    for number, plane in enumerate(array):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = MRImageStorage
        data = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
        data.SOPClassUID = MRImageStorage
        data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[series, str(number), str(echo)])
        data.SeriesInstanceUID = generate_uid(entropy_srcs=[series])
        data.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
        data.FrameOfReferenceUID = generate_uid(entropy_srcs=["frame"])
        data.Modality, data.SeriesNumber, data.InstanceNumber = "MR", 1, number + 1
        data.SeriesDescription = f"SAG_3D_DESS_{knee.side}"
        data.EchoTime = echo
        data.SliceThickness = f"{spacing[0]:.4f}"
        data.ImagePositionPatient = [f"{value:.6f}" for value in LPS @ (affine[:3, 3] + number * affine[:3, 0])]
        data.ImageOrientationPatient = [f"{value:.9f}" for value in (*along[:, 2], *along[:, 1])]
        data.PixelSpacing = [f"{spacing[1]:.6f}", f"{spacing[2]:.6f}"]
        data.Rows, data.Columns = plane.shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.PixelData = plane.astype("<i2").tobytes()
        result.append(data)
    return result


def save(folder: Path, slices: list[FileDataset], names: list[str] | None = None) -> list[Path]:
    """Write data sets as ``001, 002, ...`` or by ``names``."""
    paths = []
    for number, data in enumerate(slices):
        paths.append(folder / (names[number] if names else f"{number + 1:03d}"))
        data.save_as(paths[-1], enforce_file_format=True)
    return paths


def set_all(**tags: Any) -> Change:
    """Give every slice these tags; None deletes one."""
    return lambda slices, _: [_set(data, tags) for data in slices].clear()


def set_one(number: int, **tags: Any) -> Change:
    """Give one slice these tags; None deletes one."""
    return lambda slices, _: _set(slices[number], tags)


def set_raw(number: int | None, **values: bytes) -> Change:
    """Put raw bytes, legal or not, into a tag of one slice (None: of all)."""

    def change(slices: list[FileDataset], _: Knee) -> None:
        for data in slices if number is None else [slices[number]]:
            for keyword, value in values.items():
                tag = pydicom.datadict.tag_for_keyword(keyword)
                assert tag is not None
                vr = pydicom.datadict.dictionary_VR(tag)
                raw = pydicom.dataelem.RawDataElement(pydicom.tag.Tag(tag), vr, len(value), value, 0, False, True)
                dict.__setitem__(data._dict, raw.tag, raw)  # past every check

    return change


def transfer(syntax: str) -> Change:
    """Write every slice in another transfer syntax."""

    def change(slices: list[FileDataset], _: Knee) -> None:
        for data in slices:
            if syntax == RLELossless:
                data.compress(RLELossless, encoding_plugin="pydicom")
            else:
                data.file_meta.TransferSyntaxUID = syntax
                if syntax == ExplicitVRBigEndian:
                    data.set_original_encoding(False, False)
                    data.PixelData = np.frombuffer(data.PixelData, "<i2").astype(">i2").tobytes()

    return change


SYNTAXES = {
    "implicit little-endian": ImplicitVRLittleEndian,
    "explicit big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
    "RLE": RLELossless,
}


def _set(data: FileDataset, tags: dict[str, Any]) -> None:
    for keyword, value in tags.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
