"""Read DICOM volumes from a folder, an archive or an enhanced file; slices are sorted by position,
never by name.

Only geometry, settings and voxels are decoded; people's names and dates of birth are not even
parsed, and patients' numbers are compared through a one-way hash
(:mod:`kneeoa.formats.dicom.acquisition`).
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import ImageType, Plane
from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.frames import Frame, read_frames
from kneeoa.formats.dicom.objects import is_capture
from kneeoa.formats.dicom.side import header_side
from kneeoa.formats.dicom.silence import silenced
from kneeoa.formats.dicom.source import DicomSource, NotASlice, list_sources, read_header
from kneeoa.formats.dicom.stack_choice import choose_stack
from kneeoa.formats.dicom.stacks import SAME_PLACE, Stack, group_into_stacks
from kneeoa.formats.dicom.voxels import Decoder, decode_all
from kneeoa.formats.limits import MAX_SHEAR, MIN_SLICES, require_size
from kneeoa.formats.volume import LPS_TO_RAS, Volume

_LOG = logging.getLogger(__name__)

# A step between slices may differ from the usual one by this share; real series differ by about
# 0.0001.
_STEP_TOLERANCE = 0.1
# Slices may step aside along a straight line (a tilted gantry): the affine is then sheared.
_MAX_TANGENT = np.tan(np.radians(MAX_SHEAR))
_LOGGED_SHEAR = np.tan(np.radians(0.5))
# Series of pictures that cannot be slices are skipped up to this share of the largest series'
# slices: a colour map has as many as its images, pages of a protocol are few. More of them without
# a position are a series that lost its geometry.
_MAX_SKIPPED_SHARE = {"not-greyscale": 1.0, "missing-geometry": 0.25}


def read_dicom(
    path: Path,
    echo: int | None = None,
    plane: Plane = "any",
    image_type: ImageType | None = None,
    sources: Iterable[DicomSource] | None = None,
) -> Volume:
    """Read the dominant stack of a folder, an archive or an enhanced file
    (:func:`kneeoa.formats.dicom.stack_choice.choose_stack`).

    Array axes are (slice, row, column). Each slice's slope and intercept are applied (then
    float32), MONOCHROME1 is inverted. Slices whose origins drift aside in a straight line give a
    sheared affine.

    Args:
        path: a folder of slices, an archive of them (``.tar.gz``, ``.tgz``, ``.tar``, ``.zip``), or
            one multi-frame file.
        echo: 1 for the shortest echo time, the same as None; 2 for the next.
        plane: of the slices; stacks of other planes are no candidates.
        image_type: the type of picture; None: a magnitude image, or the only picture of a Dixon
            scan.
        sources: the path's files, where they are listed already.

    Raises:
        UnusableImage: a file is damaged or lacks its geometry, no stack can be chosen, or the
            stack is no regular grid: ``duplicate-slice``, ``slice-gap``, ``uneven-slices``,
            ``crooked-stack``, ``sheared-stack``, ``absurd-spacing``.
    """
    with silenced():
        stack = choose_stack(read_stacks(path, sources), path.name, echo, plane, image_type)
        affine = _stack_affine(path.name, stack.frames)
        require_size(stack.shape, path.name)
        header = stack.frames[0].header
        side = header_side(header.dataset, [frame.index for frame in stack.frames if frame.header is header])
        return Volume(decode_all(stack.frames), LPS_TO_RAS @ affine, side)


def read_stacks(path: Path, sources: Iterable[DicomSource] | None = None) -> list[Stack]:
    """Describe every stack of a folder, an archive or a multi-frame file; of copied slices one is
    kept.

    Raises:
        UnusableImage: a file is damaged or lacks its geometry.
    """
    with silenced():
        return group_into_stacks(_without_captures(_slices(path.name, list_sources(path) if sources is None else sources)), Decoder())


def _without_captures(slices: list[Frame]) -> list[Frame]:
    """The slices without secondary captures; all of them where there is nothing else."""
    return [frame for frame in slices if not is_capture(frame.header.dataset)] or slices


def _slices(name: str, sources: Iterable[DicomSource]) -> list[Frame]:
    """Every slice of a source, without series of colour pictures or of pages without a position.

    Raises:
        UnusableImage: such a picture belongs to the series of a slice, or its series may have been
            meant.
    """
    slices: list[Frame] = []
    skipped: dict[tuple[str, str], list[NotASlice]] = defaultdict(list)
    for source in sources:
        try:
            header = read_header(source)
            if header is not None:
                slices += read_frames(header)
        except NotASlice as error:
            skipped[error.series, error.reason].append(error)
    series = {frame.series for frame in slices}
    largest = max(Counter(frame.series for frame in slices if frame.kind != "localizer").values(), default=0)
    for (uid, reason), errors in skipped.items():
        count = sum(error.frames for error in errors)
        if not uid or uid in series or count > _MAX_SKIPPED_SHARE[reason] * largest:
            raise errors[0]
        _LOG.info("%s: leaves %d pictures of a series of its own (%s)", name, count, reason)
    return slices


def _stack_affine(name: str, stack: tuple[Frame, ...]) -> NDArray[np.float64]:
    """The affine (index -> mm, LPS) of slices in order; they must step evenly along a straight
    line.
    """
    across, down = stack[0].orientation[:3], stack[0].orientation[3:]
    normal = np.cross(across, down)
    positions = np.array([frame.position for frame in stack])
    steps = np.diff(positions @ normal)
    same = np.flatnonzero(steps <= SAME_PLACE)
    if same.size:
        raise _shared_places(name, stack, same)
    typical = float(np.median(steps))
    uneven = np.flatnonzero(np.abs(steps - typical) > _STEP_TOLERANCE * typical)
    if uneven.size:
        worst = int(uneven[np.argmax(steps[uneven])])
        gap = bool(steps[worst] > 1.5 * typical)
        raise UnusableImage(
            "slice-gap" if gap else "uneven-slices",
            f"{name}: after {stack[worst].name} the next slice lies {steps[worst]:.2f} mm on, not {typical:.2f} mm.",
        )
    affine = np.eye(4)
    affine[:3, 0] = (positions[-1] - positions[0]) / (len(stack) - 1)
    affine[:3, 1] = down * stack[0].spacing[0]
    affine[:3, 2] = across * stack[0].spacing[1]
    affine[:3, 3] = positions[0]
    _require_straight(name, stack, positions, affine, normal)
    return affine


def _shared_places(name: str, stack: tuple[Frame, ...], same: NDArray[np.intp]) -> UnusableImage:
    """The exclusion of slices that share places with others: some of them, or as whole pictures
    (echoes, parts of complex images) that no header tells apart.

    Args:
        name: the source's name.
        stack: the slices in order.
        same: indices of those that lie where the next one does.
    """
    places = len(stack) - len(same)
    shared = int(np.count_nonzero(np.diff(same, prepend=-2) > 1))
    if places >= MIN_SLICES and 2 * shared > places:
        time = stack[0].echo_time
        echoes = "without an echo time" if time is None else f"all of the echo time {time:g} ms"
        return UnusableImage(
            "ambiguous-series",
            f"{name}: holds {len(stack)} slices at {places} places, {echoes}, and nothing in their headers tells the pictures apart; "
            "leave one of them in the folder.",
        )
    pair = [stack[same[0] + offset].name for offset in (0, 1)]
    return UnusableImage("duplicate-slice", f"{name}: {pair[0]} and {pair[1]} differ and lie at one place ({len(same)} such pairs).")


def _require_straight(
    name: str, stack: tuple[Frame, ...], positions: NDArray[np.float64], affine: NDArray[np.float64], normal: NDArray[np.float64]
) -> None:
    line = positions[0] + np.arange(len(stack))[:, None] * affine[:3, 0]
    aside = (positions - line) - np.outer((positions - line) @ normal, normal)
    distance = np.linalg.norm(aside, axis=1)
    worst = int(np.argmax(distance))
    if distance[worst] > 0.5 * min(stack[0].spacing) + SAME_PLACE:
        raise UnusableImage(
            "crooked-stack", f"{name}: {stack[worst].name} lies {distance[worst]:.2f} mm beside the line of the other slices."
        )
    along = float(affine[:3, 0] @ normal)
    shear = float(np.linalg.norm(affine[:3, 0] - along * normal)) / along
    if shear > _MAX_TANGENT:
        raise UnusableImage(
            "sheared-stack", f"{name}: its slices step aside by {np.degrees(np.arctan(shear)):.0f} degrees; is their orientation right?"
        )
    if shear > _LOGGED_SHEAR:
        _LOG.info("%s: its slices step aside by %.1f degrees; the affine is sheared", name, np.degrees(np.arctan(shear)))
