"""Bring the label map of a radiograph to its canonical grid, judge it by the image's edges, and
measure its joint space.

A label map has the pixels of its radiograph's file. It is turned as the radiograph was to be
displayed, cut where the knee was cut out, and mirrored where the knee was; no header can be wrong.
What can be wrong is the knee, the side, and the order of rows and columns, and that the image
tells: bone is brighter than what lies beside it, so the outline of the bones must lie on edges
(:mod:`kneeoa.masks.edge_alignment`; a picture is a volume of one slice).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import MaskChecks
from kneeoa.errors import UnusableImage
from kneeoa.formats.volume import Affine, Volume
from kneeoa.masks.cartilage_regions import RegionMeasures
from kneeoa.masks.edge_alignment import NO_ALIGNMENT, EdgeAlignment, measure_edge_alignment
from kneeoa.masks.joint_space import measure_joint_space
from kneeoa.masks.label_resample import Interpolation
from kneeoa.masks.mask_acceptance import Doubt
from kneeoa.masks.surfaces import Surface, surface_between
from kneeoa.masks.tissue_labels import Tissues, bone_values, joint_space_values, tissue_values, to_tissues
from kneeoa.radiographs.radiograph import DisplayTransform
from kneeoa.volumes.resample import axis_weights

_FACES = 6_000
_KNEE_MM = 76.0
"""Width of the bones of a knee, by which the tolerances (and nothing else) are scaled where a
picture has no size of its pixels.
"""
_WIDEST_MM = 15.0
"""No joint space is wider."""


@dataclass(frozen=True)
class PictureMask:
    """The mask of a radiograph on its canonical grid, with what was measured of it.

    Attributes:
        array: uint8, stored values on the canonical grid.
        inside: share of the joint space (without one: of what is labelled in the crop's rows) that
            lies in the crop.
        alignment: agreement of the bones' outline with the image; None where the mask has neither
            bone nor joint space.
        doubts: reasons not to accept it, worst first.
        regions: the joint space; empty where the size of a pixel is not known.
        measured: whether millimetres are those of the file.
    """

    array: NDArray[np.uint8]
    inside: float
    alignment: EdgeAlignment | None
    doubts: list[Doubt]
    regions: list[RegionMeasures]
    measured: bool


@dataclass(frozen=True)
class _Placed:
    """A mask's part about the crop, and the crop's grid in its pixels."""

    labels: NDArray[np.uint8]
    """Stored values of the displayed picture, in the rows and columns of the crop."""
    whole: NDArray[np.uint8]
    """Stored values of the whole displayed picture."""
    rows: slice
    columns: slice
    positions: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Pixel of the displayed picture at each row and column of the crop."""


def align_picture_mask(
    stored: NDArray[np.generic],
    display: DisplayTransform,
    image: NDArray[np.generic],
    volume: Mapping[str, Any],
    tissues: Tissues,
    checks: MaskChecks,
) -> PictureMask:
    """Bring one label map to its radiograph's grid, judge and measure it.

    Args:
        stored: labels of the pixels of the radiograph's file, ``[rows, columns]``.
        display: the transform by which these are displayed.
        image: the canonical image, ``[rows, columns]``.
        volume: its row of the volumes' index.
        tissues: the tissues and their labels.
        checks: limits and interpolation.

    Raises:
        UnusableImage: it is no label map, or has not the radiograph's pixels
            (``wrong-dimensions``).
    """
    values = tissue_values(tissues)
    shown = display.pixels(stored)
    shape = tuple(int(size) for size in volume["source_shape"])
    if shown.shape != shape:
        detail = (
            f"the mask has {shown.shape[0]} x {shown.shape[1]} pixels and its radiograph {shape[0]} x {shape[1]}; it must have the same."
        )
        raise UnusableImage("wrong-dimensions", detail)
    labels = to_tissues(Volume(shown[None], np.eye(4)), tissues).array[0]
    placed = _place(labels, image.shape, volume)
    source = np.asarray(volume["source_spacing"], dtype=np.float64)
    measured = bool(np.isfinite(source).all())
    unit = (1.0, 1.0) if measured else (_assumed_pixel(placed.labels),) * 2
    spacing = (float(source[0]), float(source[1])) if measured else unit
    faces = _outline(placed, values, spacing)
    alignment = None if faces is None else _alignment(image, faces, spacing, placed)
    lateral_first = not volume["mirrored"]  # a right knee is displayed so
    regions = measure_joint_space(placed.labels, values, spacing, lateral_first=lateral_first) if measured else []
    inside = _share_inside(placed, values)
    array = _resampled(placed, image.shape, checks.interpolation)
    doubts = _doubts(placed, values, inside, alignment, regions, checks, lateral_first=lateral_first)
    return PictureMask(array, inside, alignment, doubts, regions, measured)


def _place(labels: NDArray[np.uint8], shape: tuple[int, ...], volume: Mapping[str, Any]) -> _Placed:
    affine = np.asarray(volume["affine"], dtype=np.float64).reshape(4, 4)
    source = np.nan_to_num(np.asarray(volume["source_spacing"], dtype=np.float64), nan=1.0)
    positions, spans = [], []
    for axis, (size, cells) in enumerate(zip(labels.shape, shape, strict=True)):
        column = affine[:3, axis]
        direction = column / np.linalg.norm(column) * (-1 if axis == 1 and volume["mirrored"] else 1)
        # Pixels are counted from the first displayed one, where the affine's millimetres begin.
        position = (np.arange(cells) * float(column @ direction) + float(affine[:3, 3] @ direction)) / source[axis]
        half = abs(position[-1] - position[0]) / max(cells - 1, 1) / 2
        low, high = np.clip([position.min() - half, position.max() + half], -0.5, size - 0.5)
        positions.append(position)
        spans.append(slice(int(np.ceil(low)), int(np.floor(high)) + 1))
    return _Placed(labels[spans[0], spans[1]], labels, spans[0], spans[1], (positions[0], positions[1]))


def _assumed_pixel(labels: NDArray[np.uint8]) -> float:
    """Millimetres of a pixel, if the labelled part is as wide as a knee."""
    columns = np.flatnonzero(labels.any(axis=0))
    return _KNEE_MM / float(columns[-1] - columns[0] + 1) if columns.size else 1.0


def _picture_affine(step: tuple[float, float], first: tuple[float, float]) -> Affine:
    """An affine for one slice: (slice, row, column) -> millimetres, the slice as thick as a pixel
    is wide.
    """
    affine = np.eye(4)
    affine[0, 0] = float(np.sqrt(abs(step[0] * step[1])))
    affine[1, 1], affine[2, 2] = step
    affine[1:3, 3] = first
    return affine


def _outline(placed: _Placed, values: Mapping[str, int], spacing: tuple[float, float]) -> Surface | None:
    """Faces between bone and what lies beside it, normals away from bone, in millimetres of the
    displayed picture; None where the mask has neither bone nor joint space.
    """
    bones, spaces = list(bone_values(values).values()), list(joint_space_values(values).values())
    if not bones and not spaces:
        return None
    first = (placed.rows.start * spacing[0], placed.columns.start * spacing[1])
    part = Volume(placed.labels[None], _picture_affine(spacing, first))
    if bones:
        return surface_between(part, bones, most=_FACES)
    return surface_between(part, spaces, most=_FACES).reversed()


def _alignment(image: NDArray[np.generic], faces: Surface, spacing: tuple[float, float], placed: _Placed) -> EdgeAlignment:
    """Return how well the outline lies on edges of the canonical image, bone being bright."""
    rows, columns = placed.positions
    step = ((rows[-1] - rows[0]) / max(len(rows) - 1, 1) * spacing[0], (columns[-1] - columns[0]) / max(len(columns) - 1, 1) * spacing[1])
    grid = _picture_affine(step, (float(rows[0]) * spacing[0], float(columns[0]) * spacing[1]))
    if not len(faces):
        return NO_ALIGNMENT
    # The measure looks for a step from dark to bright along the normals, which leave bone.
    return measure_edge_alignment(-np.asarray(image, dtype=np.float32)[None], grid, faces)


def _share_inside(placed: _Placed, values: Mapping[str, int]) -> float:
    """Share of the joint space that lies in the crop; without one, of what is labelled in its
    rows.
    """
    spaces = np.isin(np.arange(256), list(joint_space_values(values).values()))
    whole, part = spaces[placed.whole], spaces[placed.labels]
    if not whole.any():
        whole, part = placed.whole[placed.rows] != 0, placed.labels != 0
    return float(part.sum() / whole.sum()) if whole.any() else 0.0


def _resampled(placed: _Placed, shape: tuple[int, ...], interpolation: Interpolation) -> NDArray[np.uint8]:
    """Values of the displayed mask at the crop's pixels, 0 outside the picture."""
    inside = [(position >= -0.5) & (position <= size - 0.5) for position, size in zip(placed.positions, placed.whole.shape, strict=True)]
    outside = ~(inside[0][:, None] & inside[1][None, :])
    if interpolation == "nearest":
        rows, columns = (
            np.clip(np.rint(position).astype(np.intp), 0, size - 1)
            for position, size in zip(placed.positions, placed.whole.shape, strict=True)
        )
        array = placed.whole[np.ix_(rows, columns)]
    else:
        weights = [
            axis_weights(position - part.start, part.stop - part.start, 1.0, antialias=False)
            for position, part in zip(placed.positions, (placed.rows, placed.columns), strict=True)
        ]
        present = np.unique(placed.labels)
        votes = [weights[0] @ (weights[1] @ (placed.labels == value).astype(np.float32).T).T for value in present]
        array = present[np.argmax(votes, axis=0)] if len(present) else np.zeros(shape, dtype=np.uint8)
    array = np.asarray(array, dtype=np.uint8)
    array[outside] = 0
    return np.ascontiguousarray(array)


def _doubts(
    placed: _Placed,
    values: Mapping[str, int],
    inside: float,
    alignment: EdgeAlignment | None,
    regions: list[RegionMeasures],
    checks: MaskChecks,
    *,
    lateral_first: bool,
) -> list[Doubt]:
    """Reasons not to accept a mask, worst first; empty for a good one."""
    if not placed.labels.any():
        elsewhere = bool(placed.whole.any())
        detail = "nothing of the mask lies on the knee; is it the other knee's?" if elsewhere else "the mask holds no label."
        return [("mask-misaligned" if elsewhere else "mask-empty", detail)]
    doubts: list[Doubt] = []
    if inside < checks.minimum_inside:
        detail = (
            f"{inside:.0%} of the mask's joint lies on the knee; expected at least {checks.minimum_inside:.0%}. Is it the other knee's?"
        )
        doubts.append(("mask-misaligned", detail))
    if not _in_order(placed.labels, values, "femur", "tibia", axis=0):
        doubts.append(("mask-misaligned", "the femur lies below the tibia: the mask is upside down."))
    outer, inner = ("lateral", "medial") if lateral_first else ("medial", "lateral")
    if not _in_order(placed.labels, values, outer, inner, axis=1):
        doubts.append(("mask-misaligned", "medial and lateral are exchanged: the mask is mirrored, or the other knee's."))
    if alignment is not None and alignment.contrast < checks.minimum_contrast:
        detail = f"bone stands out from what lies beside it by an AUC of {alignment.contrast:.2f}; expected {checks.minimum_contrast:.2f}."
        doubts.append(("mask-misaligned", detail))
    elif alignment is not None and alignment.boundary < checks.minimum_boundary:
        detail = (
            f"{alignment.boundary:.0%} of the bones' outline lies on an edge of the image; expected at least {checks.minimum_boundary:.0%}."
        )
        doubts.append(("mask-misaligned", detail))
    wide = max((region.thickness or 0.0 for region in regions), default=0.0)
    if wide > _WIDEST_MM:
        doubts.append(("mask-implausible", f"a joint space {wide:.1f} mm wide is not what a knee has."))
    return doubts


def _in_order(labels: NDArray[np.uint8], values: Mapping[str, int], first: str, second: str, *, axis: int) -> bool:
    """Whether tissues of the one name lie before those of the other along an axis, on the average;
    true where one is not there.
    """
    means = []
    for word in (first, second):
        chosen = np.isin(np.arange(256), [value for name, value in values.items() if word in name])
        places = np.nonzero(chosen[labels])[axis]
        if not places.size:
            return True
        means.append(float(places.mean()))
    return means[0] < means[1]
