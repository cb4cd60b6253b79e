"""Slices of DICOM files, classic and enhanced multi-frame: position, orientation and other
attributes of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pydicom
from numpy.typing import NDArray

from kneeoa.config.volumes import ImageType
from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.acquisition import Acquisition, read_acquisition
from kneeoa.formats.dicom.image_type import Kind, ge_component, kind_and_image_type
from kneeoa.formats.dicom.objects import CAPTURE_SPACINGS, is_capture
from kneeoa.formats.dicom.pixels import PixelFormat
from kneeoa.formats.dicom.silence import silenced
from kneeoa.formats.dicom.source import Header, NotASlice
from kneeoa.formats.limits import require_spacing


@dataclass(frozen=True)
class DistinguishingAttributes:
    """Attributes that distinguish images at one place where nothing else does, in the order in
    which they are tried.

    Attributes:
        image_type: the whole ImageType.
        temporal, trigger, acquisition: TemporalPositionIdentifier (or index), TriggerTime in ms,
            AcquisitionNumber; None where absent.
    """

    image_type: tuple[str, ...]
    temporal: float | None
    trigger: float | None
    acquisition: float | None


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice, its geometry and its attributes.

    Attributes:
        name: file (and number of the frame) in errors.
        header: its file.
        index: its frame in the file, from 0.
        form: how its voxels are stored.
        slope, intercept: stored values -> values; a slope of 0 is none.
        position: mm (LPS) of the first voxel's centre, shape (3,).
        orientation: unit vectors (LPS) along a row and down a column, shape (6,).
        spacing: mm between rows and between columns.
        series: SeriesInstanceUID.
        echo_time: ms, None where absent; ``echo_number`` likewise.
        kind: original, derived (reformatted, projected) or localizer, after ImageType.
        image_type: what it shows, after ImageType.
        marks: further attributes that distinguish it from an image at the same place.
    """

    name: str
    header: Header
    index: int
    form: PixelFormat
    slope: float
    intercept: float
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing: tuple[float, float]
    series: str
    echo_time: float | None
    echo_number: float | None
    kind: Kind
    image_type: ImageType
    marks: DistinguishingAttributes

    @cached_property
    def scan(self) -> Acquisition:
        """Its acquisition; read only where pictures have to be told apart."""
        return read_acquisition(self.header.dataset, self.index)


def read_frames(header: Header) -> list[Frame]:
    """The slices of a file: one, or those of an enhanced multi-frame file.

    Raises:
        NoSlice: a picture without orientation and position (``missing-geometry``).
        UnusableImage: several frames without functional groups (``unsupported-dicom``), or a slice
            that lacks one of orientation, position and spacing (``missing-geometry``) or has an
            impossible one (``bad-affine``, ``absurd-spacing``).
    """
    data, name, form = header.dataset, header.source.name, header.form
    with silenced():
        groups = data.get("PerFrameFunctionalGroupsSequence")
        if not groups:
            if form.frames > 1:
                raise UnusableImage("unsupported-dicom", f"{name}: holds several frames without saying where each lies.")
            return [_frame(header, form, name, 0, _ClassicAttributes(data))]
        if len(groups) != form.frames:
            raise UnusableImage("unreadable", f"{name}: places {len(groups)} frames and holds {form.frames}; is it damaged?")
        shared = data.get("SharedFunctionalGroupsSequence")
        common = shared[0] if shared else pydicom.Dataset()
        return [
            _frame(header, form, f"{name} frame {index + 1}", index, _EnhancedAttributes(data, group, common))
            for index, group in enumerate(groups)
        ]


class _ClassicAttributes:
    """Looks an attribute up in a file of one slice."""

    def __init__(self, data: pydicom.Dataset) -> None:
        self.data = data

    def get(self, _group: str, keyword: str, classic: str | None = None) -> object:
        return self.data.get(classic or keyword)


class _EnhancedAttributes:
    """Looks an attribute up in a frame's functional groups, then in those shared by all frames,
    then in the file (PS3.3 C.7.6.16).
    """

    def __init__(self, data: pydicom.Dataset, frame: pydicom.Dataset, shared: pydicom.Dataset) -> None:
        self.data, self.groups = data, (frame, shared)

    def get(self, group: str, keyword: str, classic: str | None = None) -> object:
        for groups in self.groups:
            sequence = groups.get(group)
            if sequence and keyword in sequence[0]:
                return sequence[0].get(keyword)
        return self.data.get(classic or keyword)


def _frame(header: Header, form: PixelFormat, name: str, index: int, attributes: _ClassicAttributes | _EnhancedAttributes) -> Frame:
    position = _vector(attributes.get("PlanePositionSequence", "ImagePositionPatient"), 3)
    orientation = _vector(attributes.get("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
    spacing = _vector(attributes.get("PixelMeasuresSequence", "PixelSpacing"), 2)
    if spacing is None and is_capture(header.dataset):
        captured = [_vector(header.dataset.get(tag), 2) for tag in CAPTURE_SPACINGS]
        spacing = next((pair for pair in captured if pair is not None), None)
    if position is None or orientation is None or spacing is None:
        error = UnusableImage("missing-geometry", f"{name}: lacks its orientation, position or spacing, or they are not numbers.")
        places = ("PlanePositionSequence", "ImagePositionPatient"), ("PlaneOrientationSequence", "ImageOrientationPatient")
        raise error if any(attributes.get(*place) for place in places) else NotASlice(error, header.dataset)
    require_spacing((float(spacing[0]), float(spacing[1])), name)
    across, down = orientation[:3], orientation[3:]
    lengths = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    if max(abs(length - 1) for length in lengths) > 0.01 or abs(float(across @ down)) > 0.01:
        raise UnusableImage("bad-affine", f"{name}: the directions of its rows and columns are not unit vectors at right angles.")
    words = _words(attributes.get("MRImageFrameTypeSequence", "FrameType", "ImageType"))
    component = "".join(_words(attributes.get("MRImageFrameTypeSequence", "ComplexImageComponent"))) or ge_component(header.dataset)
    kind, image_type = kind_and_image_type(words, component)
    return Frame(
        name,
        header,
        index,
        form,
        _number(attributes.get("PixelValueTransformationSequence", "RescaleSlope")) or 1.0,
        _number(attributes.get("PixelValueTransformationSequence", "RescaleIntercept")) or 0.0,
        position,
        np.concatenate([across / lengths[0], down / lengths[1]]),
        (float(spacing[0]), float(spacing[1])),
        str(header.dataset.get("SeriesInstanceUID") or ""),
        _number(attributes.get("MREchoSequence", "EffectiveEchoTime", "EchoTime")),
        _number(attributes.get("MREchoSequence", "EchoNumbers")),
        kind,
        image_type,
        DistinguishingAttributes(
            words,
            _number(attributes.get("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier")),
            _number(attributes.get("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", "TriggerTime")),
            _number(attributes.get("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber")),
        ),
    )


def _vector(value: object, size: int) -> NDArray[np.float64] | None:
    try:
        vector = np.array([float(number) for number in value], dtype=np.float64)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return None
    return vector if len(vector) == size and np.isfinite(vector).all() else None


def _number(value: object) -> float | None:
    """A finite number; None where the element is absent, empty or not a number."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _words(value: object) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str) else tuple(value) if value else ()  # type: ignore[arg-type]
    return tuple(str(word).strip().upper() for word in words)
