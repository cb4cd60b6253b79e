"""Recognise DICOM objects without an image, and secondary captures, by storage class and header."""

from __future__ import annotations

import pydicom
from pydicom.uid import UID

CAPTURE_SPACINGS = ("NominalScannedPixelSpacing", "ImagerPixelSpacing")
"""Elements that may hold a secondary capture's pixel size (mm) in place of PixelSpacing."""
# Storage classes that hold no image: presentation states, reports, raw data and registrations,
# documents, waveforms, plans, directories.
_STANDARD = "1.2.840.10008."
_STORAGE = f"{_STANDARD}5.1.4.1.1."
_WITHOUT_IMAGE = ("1.2.840.10008.1.3.10", *(_STORAGE + part for part in ("11.", "88.", "66", "104.", "9.", "481.3", "481.5")))
_SECONDARY_CAPTURE = _STORAGE + "7"


def holds_no_image(dataset: pydicom.Dataset) -> bool:
    """Whether a parsed file is an object without an image: by its storage class, or, where that is
    another of the standard's (spectra) or a scanner's private one, by a header that describes no
    pixels. An object of a class of images without voxels was cut; an object whose class is cut, or
    that ends before its series, may have been.
    """
    kind = _storage_class(dataset)
    if kind.startswith(_WITHOUT_IMAGE):
        return True
    stated = str(dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if not kind or "BitsAllocated" in dataset or any("Image" in UID(each).name for each in (kind, stated)):
        return False
    listed = UID(kind).name != kind
    private = not (kind.startswith(_STANDARD) or _STANDARD.startswith(kind))
    return listed or (private and "SeriesInstanceUID" in dataset)


def is_capture(dataset: pydicom.Dataset) -> bool:
    """Whether a file is a secondary capture by its storage class."""
    return _storage_class(dataset).startswith(_SECONDARY_CAPTURE)


def is_placed(dataset: pydicom.Dataset) -> bool:
    """Whether a capture is grey and has a position in the patient: writers without a given storage
    class (ITK's) call slices secondary captures.
    """
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        return False
    sized = any(dataset.get(tag) for tag in ("PixelSpacing", *CAPTURE_SPACINGS))
    placed = all(dataset.get(tag) for tag in ("ImagePositionPatient", "ImageOrientationPatient"))
    return (sized and placed) or "PerFrameFunctionalGroupsSequence" in dataset


def _storage_class(dataset: pydicom.Dataset) -> str:
    """The storage class; for a directory of media it is in the file's own header alone."""
    return str(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or "")
