"""Write a DICOM series as a scanner would: one file a slice, ``001, 002, ...``, no extension, no
laterality tag.
"""

from __future__ import annotations

import uuid
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from kneeoa.phantom.grid import Grid

PATIENT_NAME = "PHANTOM^NOT A PERSON"
BIRTH_DATE = "19000101"
INSTITUTION = "PHANTOM INFIRMARY"
PHYSICIAN = "PHANTOM^PHYSICIAN"
BURNT_IN = "PHANTOM BURNT INTO A PRIVATE TAG"
IDENTIFIERS = (PATIENT_NAME, BIRTH_DATE, INSTITUTION, PHYSICIAN, BURNT_IN)
"""Identifying values that must not appear in any result; tests search for them."""

_LPS = np.array([-1.0, -1.0, 1.0])


def uid(*parts: str) -> UID:
    """A DICOM identifier that depends on ``parts`` alone (the root 2.25 of UUIDs; RFC 4122 version
    5).
    """
    return UID(f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(parts)).int}")


def write_series(
    folder: Path,
    stacks: list[tuple[npt.NDArray[np.uint16], Grid]],
    names: list[int],
    *,
    cohort: str,
    subject: str,
    side: str,
    date: str,
    barcode: str,
    station: str,
) -> None:
    """Write stacks of slices (slice, row, column) as one series.

    Args:
        folder: the series folder; made.
        stacks: voxels and grid of each stack; more than one makes a folder of mixed orientations.
        names: the number that each slice's file is named by, over all stacks in turn.
        cohort: part of the identifiers, so that two cohorts never share one.
        subject: patient identifier.
        side: ``L`` or ``R``, for the description.
        date: of the study, ``YYYYMMDD``.
        barcode: of the series.
        station: name of the scanner.
    """
    folder.mkdir(parents=True)
    study, series = uid(cohort, subject, date), uid(cohort, subject, side, barcode)
    number = 0
    for voxels, grid in stacks:
        dataset = _template(grid, study, subject, side, date, station)
        dataset.SeriesInstanceUID = series
        dataset.FrameOfReferenceUID = uid(series, "frame")
        for index, plane in enumerate(voxels):
            instance = uid(series, str(number))
            dataset.file_meta.MediaStorageSOPInstanceUID = instance
            dataset.SOPInstanceUID = instance
            dataset.InstanceNumber = names[number]
            position = (grid.affine[:3, 3] + index * grid.affine[:3, 0]) * _LPS
            dataset.ImagePositionPatient = [f"{value:.5f}" for value in position]
            dataset.PixelData = plane.astype("<u2").tobytes()
            dataset.save_as(folder / f"{names[number]:03d}", enforce_file_format=True)
            number += 1


def _template(grid: Grid, study: str, subject: str, side: str, date: str, station: str) -> FileDataset:
    """Dataset with all elements that the slices of one stack have in common."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("kneeoa phantom")
    meta.ImplementationVersionName = "KNEEOA_PHANTOM"
    dataset = FileDataset(BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = MRImageStorage
    dataset.StudyInstanceUID = study
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.Modality = "MR"
    dataset.Manufacturer = "PHANTOM"
    dataset.StationName = station
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = date
    dataset.StudyTime = dataset.SeriesTime = "120000"
    dataset.StudyDescription = f"OAI^MR^ENROLLMENT^{_side_word(side)}"
    dataset.SeriesDescription = f"SAG_3D_DESS_{_side_word(side)}"
    dataset.PatientName = PATIENT_NAME
    dataset.PatientID = subject
    dataset.PatientBirthDate = BIRTH_DATE
    dataset.InstitutionName = INSTITUTION
    dataset.ReferringPhysicianName = PHYSICIAN
    dataset.private_block(0x0029, "KNEEOA PHANTOM", create=True).add_new(0x10, "LO", BURNT_IN)
    dataset.PatientPosition = "FFS"
    dataset.ScanningSequence = "GR"
    dataset.SequenceVariant = "SS"
    dataset.MRAcquisitionType = "3D"
    dataset.MagneticFieldStrength = "3"
    dataset.RepetitionTime = "16.3"
    dataset.EchoTime = "4.7"
    dataset.FlipAngle = "25"
    dataset.SeriesNumber = 1
    slices, rows, columns = grid.spacing
    dataset.SliceThickness = f"{slices:.6f}"
    dataset.SpacingBetweenSlices = f"{slices:.6f}"
    dataset.PixelSpacing = [f"{rows:.8f}", f"{columns:.8f}"]
    along = grid.directions * _LPS[:, None]
    # DICOM gives the direction in which columns follow each other first, then that of the rows.
    dataset.ImageOrientationPatient = [f"{value:.9f}" for value in (*along[:, 2], *along[:, 1])]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = grid.shape[1], grid.shape[2]
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12
    dataset.HighBit = 11
    dataset.PixelRepresentation = 0
    return dataset


def _side_word(side: str) -> str:
    return {"L": "LEFT", "R": "RIGHT"}[side]
