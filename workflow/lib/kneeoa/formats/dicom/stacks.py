"""Group slices into stacks: slices whose headers differ are never mixed into one volume."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import ImageType, Plane
from kneeoa.formats.bare_header import lacks_orientation
from kneeoa.formats.dicom.acquisition import is_same_acquisition, may_be_same_person, may_be_same_series
from kneeoa.formats.dicom.frames import Frame
from kneeoa.formats.dicom.image_type import Kind
from kneeoa.formats.volume import LPS_TO_RAS

_LOG = logging.getLogger(__name__)

UNORDERED_MARKS = ("protocol", "image type")
"""Marks that distinguish pictures but give them no order; phases have one."""
SAME_PLACE = 0.01
"""Millimetres within which two slices lie at one place; headers are rounded to 0.001 mm and finer,
slices lie 0.3 mm apart and more.
"""
_SAME_DIRECTION = 1e-3  # of a direction's cosines: 0.06 degrees
_SAME_SPACING = 1e-3  # relative
_SAME_ECHO_TIME = 0.005  # ms
# Milliseconds between echoes without numbers: a readout lies between them. Two series whose echo
# times lie closer were taken one after the other.
_MIN_ECHO_DIFFERENCE = 0.3
_PLANES: tuple[Plane, ...] = ("sagittal", "coronal", "axial")
_MARKS: tuple[tuple[str, Callable[[Frame], Any]], ...] = (
    ("protocol", lambda frame: frame.scan.protocol),
    ("image type", lambda frame: frame.marks.image_type),
    ("temporal position", lambda frame: frame.marks.temporal),
    ("trigger time", lambda frame: frame.marks.trigger),
    ("acquisition", lambda frame: frame.marks.acquisition),
)
Voxels = Callable[[Frame], NDArray[np.number]]


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices that make one volume if they are complete.

    Attributes:
        frames: in the order of their place along the normal.
        series: number of its series in the source, from 1 (in the order of their files).
        phase, phases: number of the image, from 1, among so many at the same places.
        mark: the attribute that distinguishes these images: protocol, image type, temporal
            position, trigger time or acquisition; empty where there is one image, or nothing does.
    """

    frames: tuple[Frame, ...]
    series: int
    phase: int = 1
    phases: int = 1
    mark: str = ""

    @property
    def kind(self) -> Kind:
        """Original, derived or localizer."""
        return self.frames[0].kind

    @property
    def image_type(self) -> ImageType:
        """The image type (magnitude, map, ...)."""
        return self.frames[0].image_type

    @property
    def plane(self) -> Plane:
        """The plane of the patient that its slices lie nearest to."""
        orientation = self.frames[0].orientation
        return _PLANES[int(np.argmax(np.abs(np.cross(orientation[:3], orientation[3:]))))]

    @property
    def lacks_orientation(self) -> bool:
        """Whether its headers give voxel sizes alone, so that its plane is not known."""
        first, last = self.frames[0], self.frames[-1]
        affine = np.eye(4)
        affine[:3, 0] = (last.position - first.position) / max(len(self.frames) - 1, 1)
        affine[:3, 1] = first.orientation[3:] * first.spacing[0]
        affine[:3, 2] = first.orientation[:3] * first.spacing[1]
        affine[:3, 3] = first.position
        return bool(np.any(affine[:3, 0])) and lacks_orientation(self.shape, LPS_TO_RAS @ affine)

    @property
    def echo_time(self) -> float | None:
        """Milliseconds."""
        return self.frames[0].echo_time

    @property
    def echo(self) -> tuple[float, float]:
        """Sort key of echoes: time, then number; those without come last."""
        time, number = self.frames[0].echo_time, self.frames[0].echo_number
        return (np.inf if time is None else time), (np.inf if number is None else number)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return len(self.frames), self.frames[0].form.rows, self.frames[0].form.columns

    @property
    def spacing(self) -> tuple[float, float]:
        """Millimetres between rows and between columns."""
        return self.frames[0].spacing

    def is_same_acquisition(self, other: Stack) -> bool:
        """Whether another stack is an echo of the same acquisition, or another of its phases.

        They show the same kind of picture at the same places, with the same settings, and belong to
        one series; two series are of one acquisition where their headers say so
        (:func:`kneeoa.formats.dicom.acquisition.is_same_acquisition`). Echoes have different
        numbers, or times far enough apart for a readout between them.
        """
        one, two = self.frames[0], other.frames[0]
        if not _comparable(one, two) or not may_be_same_person(one.scan, two.scan) or not self._overlaps(other):
            return False
        if self.series == other.series and _same_echo(one, two):
            return True
        numbered = one.echo_number is not None and two.echo_number is not None and one.echo_number != two.echo_number
        if (one.echo_time is None) != (two.echo_time is None):
            return False
        if not numbered and (one.echo_time is None or two.echo_time is None or abs(one.echo_time - two.echo_time) < _MIN_ECHO_DIFFERENCE):
            return False
        if self.series == other.series:
            return may_be_same_series(one.scan, two.scan)
        return is_same_acquisition(one.scan, two.scan, numbered=numbered)

    def _overlaps(self, other: Stack) -> bool:
        """Whether half of the slices, or more, lie where slices of another stack do."""
        own_positions, other_positions = (np.array([frame.position for frame in stack.frames]) for stack in (self, other))
        coincide = np.abs(own_positions[:, None] - other_positions[None]).max(axis=2) <= 10 * SAME_PLACE
        shared = min(np.count_nonzero(coincide.any(axis=1)), np.count_nonzero(coincide.any(axis=0)))
        return bool(2 * shared >= min(coincide.shape))

    def __str__(self) -> str:
        echo = "" if self.echo_time is None else f", TE {self.echo_time:g} ms"
        shape, image_type = " x ".join(map(str, self.shape)), self.image_type.replace("_", "-")
        return f"{shape} {self.plane} {self.kind} {image_type}, series {self.series}{echo}, phase {self.phase} of {self.phases}"


def group_into_stacks(frames: list[Frame], voxels: Voxels) -> list[Stack]:
    """Group slices into stacks.

    They are kept apart by series, orientation, matrix, spacing, kind (original, derived,
    localizer), what they show, and echo. Where several still lie at one place, copies (equal
    voxels) are dropped, and the protocol, image types, temporal positions, trigger times and
    acquisitions are tried in turn: the first that distinguishes all of them makes the phases. If
    none does, the stack keeps them (and cannot be read).

    Args:
        frames: all slices of a source, in the order of its files.
        voxels: decodes a slice, for the comparison of copies.
    """
    numbers: dict[str, int] = {}
    groups: list[tuple[int, list[Frame]]] = []
    for frame, label in zip(frames, _series_labels(frames), strict=True):
        series = numbers.setdefault(label, len(numbers) + 1)
        for number, group in groups:
            if number == series and _same_echo(group[0], frame) and _comparable(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append((series, [frame]))
    stacks = []
    for series, group in groups:
        phases, mark = _phases([_without_copies(place, voxels) for place in _group_by_place(group)])
        for number, members in enumerate(phases, start=1):
            stacks.append(Stack(tuple(members), series, number, len(phases), mark))
    return stacks


def _series_labels(frames: list[Frame]) -> list[str]:
    """A label of each slice's series: its identifier. Where an anonymiser removed it, or gave every
    slice of a study one of its own: the other elements that a series has once, with the echo (two
    echoes are then of one acquisition only where something else says so).
    """
    labels = [frame.series for frame in frames]
    if len(set(labels)) == len(labels) and len({frame.scan.study for frame in frames}) == 1:
        labels = [""] * len(labels)
    if all(labels):
        return labels
    scans = [(frame.scan.person, frame.scan.number, frame.scan.description, frame.echo_time, frame.echo_number) for frame in frames]
    return [label or repr(scan) for label, scan in zip(labels, scans, strict=True)]


def _comparable(one: Frame, other: Frame) -> bool:
    """Whether two slices have the same kind, image type, matrix, orientation and spacing."""
    return (
        one.kind == other.kind
        and one.image_type == other.image_type
        and one.form.shape[1:] == other.form.shape[1:]
        and float(np.abs(one.orientation - other.orientation).max()) <= _SAME_DIRECTION
        and all(abs(a - b) <= _SAME_SPACING * a for a, b in zip(one.spacing, other.spacing, strict=True))
    )


def _same_echo(one: Frame, other: Frame) -> bool:
    if one.echo_number != other.echo_number:
        return False
    if one.echo_time is None or other.echo_time is None:
        return one.echo_time is other.echo_time
    return abs(one.echo_time - other.echo_time) <= _SAME_ECHO_TIME


def _group_by_place(group: list[Frame]) -> list[list[Frame]]:
    """Slices grouped by their place along the normal of the first."""
    normal = np.cross(group[0].orientation[:3], group[0].orientation[3:])
    depths = np.array([float(frame.position @ normal) for frame in group])
    places: list[list[Frame]] = []
    last = -np.inf
    for index in np.argsort(depths, kind="stable"):
        if depths[index] - last > SAME_PLACE:
            places.append([])
            last = depths[index]
        places[-1].append(group[index])
    return places


def _without_copies(place: list[Frame], voxels: Voxels) -> list[Frame]:
    kept: list[Frame] = []
    for frame in place:
        for other in kept:
            near = bool((np.abs(frame.position - other.position) <= SAME_PLACE).all())
            if near and frame.marks == other.marks and np.array_equal(voxels(frame), voxels(other)):
                _LOG.info("%s is a copy of %s and is read once", frame.name, other.name)
                break
        else:
            kept.append(frame)
    return kept


def _phases(places: list[list[Frame]]) -> tuple[list[list[Frame]], str]:
    """The slices of each phase, and the mark that distinguishes phases; one phase with all slices
    where none does.
    """
    largest = max(len(place) for place in places)
    all_frames = [frame for place in places for frame in place]
    if largest == 1:
        return [all_frames], ""
    for name, mark in _MARKS:
        values = [[mark(frame) for frame in place] for place in places]
        if any(value is None for place in values for value in place) or any(len(set(place)) < len(place) for place in values):
            continue
        distinct = sorted({value for place in values for value in place})
        if len(distinct) == largest:
            return [[frame for frame in all_frames if mark(frame) == value] for value in distinct], name
        # Trigger times and acquisitions may count on from slice to slice: then their order within
        # each place is the phase.
        if name not in UNORDERED_MARKS and all(len(place) == largest for place in places):
            ordered = [sorted(place, key=mark) for place in places]
            return [[place[number] for place in ordered] for number in range(largest)], name
    return [all_frames], ""
