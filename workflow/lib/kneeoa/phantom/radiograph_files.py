"""Write phantom radiographs as DICOM of any depth and polarity, or as PNG; equal pictures give
equal bytes.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from kneeoa.phantom.dicom import BIRTH_DATE, PATIENT_NAME, uid


def write_radiograph(
    path: Path,
    picture: npt.NDArray[np.floating],
    spacing: float | None,
    *,
    bits: int = 12,
    inverted: bool = False,
    identity: str | None = None,
    **tags: object,
) -> Path:
    """Write a picture (values in [0, 1], bone bright) as one DICOM file.

    Args:
        path: the file; its folder is made.
        picture: ``[rows, columns]``.
        spacing: mm of a pixel, written as the detector's; None: left out.
        bits: number of stored bits, 8 to 16.
        inverted: MONOCHROME1 instead of MONOCHROME2.
        identity: what the instance's identifier is made from; default: the file's name.
        tags: further elements by keyword, or other values for those that are written; None removes
            one.

    Returns:
        The path.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = uid("radiograph", identity or path.name)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    dataset.Modality = "DX"
    dataset.PatientName, dataset.PatientBirthDate = PATIENT_NAME, BIRTH_DATE
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ViewPosition = "PA"
    dataset.ImageLaterality = "B"
    dataset.PatientOrientation = ["L", "F"]
    dataset.PixelIntensityRelationshipSign = 1 if inverted else -1
    if spacing is not None:
        dataset.ImagerPixelSpacing = [f"{spacing:.6f}"] * 2
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    dataset.Rows, dataset.Columns = picture.shape
    dataset.BitsAllocated = 8 if bits == 8 else 16
    dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = bits, bits - 1, 0
    top = (1 << bits) - 1
    stored = _levels(picture, top)
    stored = np.subtract(np.uint16(top), stored) if inverted else stored
    cells = stored.astype("u1" if bits == 8 else "<u2", copy=False).tobytes()
    dataset.PixelData = cells + b"\0" * (len(cells) % 2)
    for name, value in tags.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_png(path: Path, picture: npt.NDArray[np.floating], *, bits: int = 8) -> Path:
    """Write a picture (values in [0, 1]) as a grey PNG of 8 or 16 bits."""
    levels = _levels(picture, (1 << bits) - 1)
    return _save_png(path, levels.astype(np.uint8) if bits == 8 else levels)


def write_label_png(path: Path, labels: npt.NDArray[np.uint8]) -> Path:
    """Write a label map as a grey PNG of 8 bits."""
    return _save_png(path, labels)


def _save_png(path: Path, values: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path, compress_level=4)
    return path


def _levels(picture: npt.NDArray[np.floating], top: int) -> npt.NDArray[np.uint16]:
    """Values in [0, 1] as whole numbers from 0 to ``top``."""
    scaled = picture * picture.dtype.type(top)
    np.rint(scaled, out=scaled)
    return np.clip(scaled, 0, top, out=scaled).astype(np.uint16)
