"""Faults put into cases on purpose, each in a subject of its own, and how the workflow must handle
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    ``stage``, ``scope`` and ``reason`` are those of the row of exclusions that must result; all
    None where the case must be read as if nothing were wrong.
    """

    name: str
    description: str
    stage: str | None = None
    scope: str | None = None
    reason: str | None = None
    image_format: Literal["dicom", "nifti"] | None = None
    """The format that the fault needs; None: any."""
    needs_film: bool = False
    """Whether only films of both knees can have it."""


FAULTS: tuple[Fault, ...] = (
    Fault("truncated-slice", "one DICOM file ends in the middle of its voxels", "volumes", "case", "unreadable", "dicom"),
    Fault("empty-slice", "one DICOM file has no bytes", "volumes", "case", "unreadable", "dicom"),
    Fault("missing-slice", "a slice in the middle of the series is not there", "volumes", "case", "slice-gap", "dicom"),
    Fault("corrupt-nifti", "the NIfTI file ends half-way", "volumes", "case", "unreadable", "nifti"),
    Fault("missing-folder", "the index lists a series folder that is not there", "cohort", "case", "missing-file", "dicom"),
    Fault("unread-grade", "the grade is missing from the table of readings", "cohort", "case", "missing-label"),
    Fault("foreign-mask", "the mask is that of another knee, elsewhere", "masks", "mask", "mask-misaligned"),
    Fault("flipped-mask", "the mask's voxels stand on their head, its header does not say so", "masks", "mask", "mask-misaligned"),
    Fault("missing-mask", "there is no mask", "masks", "mask", "missing-mask"),
    Fault("disagreeing-readings", "two reading projects give different grades; the preferred one counts"),
    Fault("mixed-series", "localisers of another orientation in the folder, file names shuffled", image_format="dicom"),
)

FILM_FAULTS: tuple[Fault, ...] = (
    Fault("truncated-film", "the file ends in the middle of its pixels", "volumes", "case", "unreadable"),
    Fault("empty-film", "the file has no bytes", "volumes", "case", "unreadable"),
    Fault("missing-film", "the index lists a file that is not there", "cohort", "case", "missing-file"),
    Fault("blank-film", "a film that was exposed without a patient", "volumes", "case", "joint-not-found", needs_film=True),
    Fault("negative-film", "bone is dark, and the header does not say so; it is turned bright"),
    Fault("lateral-film", "the header calls the film lateral", "volumes", "case", "wrong-projection", needs_film=True),
    Fault("unread-grade", "the grades are missing from the table of readings", "cohort", "case", "missing-label"),
    Fault("foreign-mask", "each knee has the mask of the other one", "masks", "mask", "mask-misaligned"),
    Fault("flipped-mask", "the mask was drawn on the film turned head over heels", "masks", "mask", "mask-misaligned"),
    Fault("missing-mask", "there are no masks", "masks", "mask", "missing-mask"),
    Fault("disagreeing-readings", "two reading projects give different grades; the preferred one counts"),
)
"""Faults of radiographs, on both knees of a person each."""

BY_NAME = {fault.name: fault for fault in (*FAULTS, *FILM_FAULTS)}


def break_series(folder: Path, fault: str | None) -> None:
    """Damage the files ``001, 002, ...`` of a DICOM series as ``fault`` says; other faults do not
    change them.

    The middle slice is damaged: at the ends a missing slice only shortens the volume.
    """
    files = sorted(folder.iterdir())
    victim = files[len(files) // 2]
    if fault == "truncated-slice":
        victim.write_bytes(victim.read_bytes()[: victim.stat().st_size * 3 // 5])
    elif fault == "empty-slice":
        victim.write_bytes(b"")
    elif fault == "missing-slice":
        victim.unlink()


def break_volume(file: Path, fault: str | None) -> None:
    """Cut a compressed volume file in half where ``fault`` is ``corrupt-nifti``."""
    if fault == "corrupt-nifti":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
