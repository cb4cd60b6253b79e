"""Acquisition attributes of a slice, kept for comparison alone: whether two pictures are of one
scan of one person.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass

import pydicom

ACQUISITION_TAGS = (
    "PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "SeriesNumber", "AcquisitionTime", "AcquisitionDateTime",
    "RepetitionTime", "InversionTime", "FlipAngle", "ScanningSequence", "ContrastBolusAgent",
)  # fmt: skip
"""Elements that distinguish acquisitions, besides those that series are sorted by."""
_SAME_SETTING = 0.01  # relative: of repetition times, inversion times and flip angles
_SAME_TIME = 0.01  # s: of one acquisition written as two series
_ONE_ACQUISITION = 10.0  # s: within which slices of several echoes are stamped


@dataclass(frozen=True)
class Acquisition:
    """The acquisition of a slice by its header; None or empty where the header does not say.

    Attributes:
        person: one-way hash of PatientID.
        study, frame_of_reference, description: as they stand; never printed.
        number: SeriesNumber.
        acquisition: AcquisitionNumber.
        time: seconds since midnight; None for midnight itself, which anonymisers write.
        settings: repetition time and inversion time in ms, flip angle in degrees.
        sequence: ScanningSequence and contrast agent.
    """

    person: str
    study: str
    frame_of_reference: str
    description: str
    number: float | None
    acquisition: float | None
    time: float | None
    settings: tuple[float | None, float | None, float | None]
    sequence: tuple[str, str]

    @property
    def protocol(self) -> tuple[str, ...]:
        """Attributes in which images of one series at one place differ only where they are of
        several scans.
        """
        rounded = ("" if value is None else f"{value:.3g}" for value in self.settings)
        return self.person, f"{self.number}", *rounded, *self.sequence


def read_acquisition(header: pydicom.Dataset, frame: int) -> Acquisition:
    """The acquisition of a slice: ``frame`` (from 0) of a file."""
    groups = header.get("PerFrameFunctionalGroupsSequence")
    shared = header.get("SharedFunctionalGroupsSequence")
    timing = _timing([*([groups[frame]] if groups else ()), *(shared or ())])
    person = _text(header, "PatientID")
    return Acquisition(
        hashlib.sha256(person.encode("utf-8", "replace")).hexdigest() if person else "",
        _text(header, "StudyInstanceUID"),
        _text(header, "FrameOfReferenceUID"),
        _text(header, "SeriesDescription"),
        _number(header, "SeriesNumber"),
        _number(header, "AcquisitionNumber"),
        _seconds(_text(header, "AcquisitionTime")) or _seconds(_text(header, "AcquisitionDateTime")[8:]),
        (
            _number(timing, "RepetitionTime") or _number(header, "RepetitionTime"),
            _number(header, "InversionTime"),
            _number(timing, "FlipAngle") or _number(header, "FlipAngle"),
        ),
        (_text(header, "ScanningSequence"), _text(header, "ContrastBolusAgent")),
    )


def may_be_same_person(one: Acquisition, other: Acquisition) -> bool:
    """Whether two pictures can be of one person with one set of settings: nothing speaks against
    it.
    """
    settings = zip(one.settings, other.settings, strict=True)
    return (
        _agree(one.person, other.person)
        and one.sequence[1] == other.sequence[1]
        and _agree(one.sequence[0], other.sequence[0])
        and all(a is None or b is None or abs(a - b) <= _SAME_SETTING * max(abs(a), abs(b)) for a, b in settings)
    )


def may_be_same_series(one: Acquisition, other: Acquisition) -> bool:
    """Whether two pictures with one SeriesInstanceUID agree in the other attributes that a series
    has once.
    """
    return (
        _agree(one.study, other.study)
        and _agree(one.description, other.description)
        and (one.number is None or other.number is None or one.number == other.number)
    )


def is_same_acquisition(one: Acquisition, other: Acquisition, *, numbered: bool) -> bool:
    """Whether two series are parts of one acquisition of one study; this needs positive evidence.

    Args:
        one: of the first slice of a series.
        other: of the first slice of another.
        numbered: whether the two have echo numbers of their own.
    """
    study = bool(one.study) and one.study == other.study
    frame = bool(one.frame_of_reference) and one.frame_of_reference == other.frame_of_reference
    if not (study or frame) or (one.acquisition is not None and other.acquisition is not None and one.acquisition != other.acquisition):
        return False
    # Each series' first acquisition is number 1; another number counts those of the study.
    linked = numbered or (one.acquisition is not None and one.acquisition == other.acquisition and one.acquisition > 1)
    if one.time is None or other.time is None:
        return linked
    return abs(one.time - other.time) <= (_ONE_ACQUISITION if linked else _SAME_TIME)


def _timing(groups: list[pydicom.Dataset]) -> pydicom.Dataset:
    """The repetition time and flip angle of an enhanced file's frame (or of all of its frames)."""
    sequences = (group.get("MRTimingAndRelatedParametersSequence") for group in groups)
    return next((sequence[0] for sequence in sequences if sequence), pydicom.Dataset())


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other


def _text(header: pydicom.Dataset, keyword: str) -> str:
    try:
        return str(header.get(keyword) or "").strip()
    except (TypeError, ValueError):  # not what its type asks for
        return ""


def _number(header: pydicom.Dataset, keyword: str) -> float | None:
    try:
        number = float(header.get(keyword))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _seconds(time: str) -> float | None:
    """Seconds since midnight of ``HHMMSS.ffffff``."""
    match = re.match(r"(\d\d)(\d\d)(\d\d(?:\.\d+)?)", time)
    return None if match is None else (int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])) or None
