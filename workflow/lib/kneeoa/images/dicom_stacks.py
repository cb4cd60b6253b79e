"""Slices parted into stacks: what a header tells apart is never mixed into one volume."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.images.dicom_frames import Frame, Kind

_LOG = logging.getLogger(__name__)

SAME_PLACE = 0.01
"""Millimetres within which two slices lie at one place; headers are rounded to 0.001 mm and finer,
slices lie 0.3 mm apart and more.
"""
_SAME_DIRECTION = 1e-3  # of a direction's cosines: 0.06 degrees
_SAME_SPACING = 1e-3  # relative
_SAME_ECHO_TIME = 0.005  # ms
Voxels = Callable[[Frame], NDArray[np.number]]


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices that make one volume if they are complete.

    Attributes:
        frames: in the order of their place along the normal.
        series: number of its series in the source, from 1 (in the order of their files).
        phase, phases: which of so many images at the same places, from 1.
    """

    frames: tuple[Frame, ...]
    series: int
    phase: int = 1
    phases: int = 1

    @property
    def kind(self) -> Kind:
        """Original, derived or localizer."""
        return self.frames[0].kind

    @property
    def echo_time(self) -> float | None:
        """Milliseconds."""
        return self.frames[0].echo_time

    @property
    def echo(self) -> tuple[float, float]:
        """What echoes are sorted by: time, then number; those without come last."""
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

    def alike(self, other: Stack) -> bool:
        """Whether another stack lies on the same kind of grid: orientation, matrix, spacing and
        kind.
        """
        return _alike(self.frames[0], other.frames[0])

    def __str__(self) -> str:
        echo = "" if self.echo_time is None else f", TE {self.echo_time:g} ms"
        return f"{' x '.join(map(str, self.shape))} {self.kind}, series {self.series}{echo}, phase {self.phase} of {self.phases}"


def part(frames: list[Frame], voxels: Voxels) -> list[Stack]:
    """Part slices into stacks.

    They are kept apart by series, orientation, matrix, spacing, kind (original, derived, localizer)
    and echo. Where several still lie at one place, harmless copies (equal voxels) are dropped, and
    image types, temporal positions, trigger times and acquisitions are tried in turn: the first
    that tells all of them apart makes the phases. If none does, the stack keeps them (and cannot be
    read).

    Args:
        frames: all slices of a source, in the order of its files.
        voxels: decodes a slice, for the comparison of copies.
    """
    series = {uid: number for number, uid in enumerate(dict.fromkeys(frame.series for frame in frames), start=1)}
    groups: list[list[Frame]] = []
    for frame in frames:
        for group in groups:
            if group[0].series == frame.series and _same_echo(group[0], frame) and _alike(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append([frame])
    found = []
    for group in groups:
        phases = _phases([_without_copies(place, voxels) for place in _places(group)])
        for number, members in enumerate(phases, start=1):
            found.append(Stack(tuple(members), series[group[0].series], number, len(phases)))
    return found


def _alike(one: Frame, other: Frame) -> bool:
    return (
        one.kind == other.kind
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


def _places(group: list[Frame]) -> list[list[Frame]]:
    """Slices gathered by where they lie, along the normal of the first."""
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


def _phases(places: list[list[Frame]]) -> list[list[Frame]]:
    """The slices of each phase; one phase that keeps them all where nothing tells them apart."""
    most = max(len(place) for place in places)
    everything = [frame for place in places for frame in place]
    if most == 1:
        return [everything]
    for name in ("image_type", "temporal", "trigger", "acquisition"):
        values = [[getattr(frame.marks, name) for frame in place] for place in places]
        if any(value is None for place in values for value in place) or any(len(set(place)) < len(place) for place in values):
            continue
        distinct = sorted({value for place in values for value in place})
        if len(distinct) == most:
            return [[frame for frame in everything if getattr(frame.marks, name) == value] for value in distinct]
        # Trigger times and acquisitions may count on from slice to slice: then their order within
        # each place is the phase.
        if name != "image_type" and all(len(place) == most for place in places):
            ordered = [sorted(place, key=lambda frame: getattr(frame.marks, name)) for place in places]
            return [[place[number] for place in ordered] for number in range(most)]
    return [everything]
