"""Translate a mask's labels into the cohort's tissues, know cartilage, bone and sides by their
names, and measure the share of a mask inside an image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.nrrd_header import label_values
from kneeoa.formats.volume import Affine, Segment, Volume

Tissues = Mapping[str, tuple[int | str, ...]]
"""Tissue -> its labels: numbers, and names of the segments of 3D Slicer."""

_SAMPLED_VOXELS = 50_000
# Largest distance of a label from a whole number: half a slope of 25 labels in one byte.
_MAX_ROUNDING = 0.05
# The last value marks voxels of several tissues in resampling.
_MOST_TISSUES = 254

_JOINT_SPACE = re.compile(r"(?<![a-z0-9])joint[_-]space(?![a-z0-9])")
_BONES = ("femur", "tibia", "patella", "fibula", "bone")
PLATES = {"femoral": ("femur", "femoral"), "tibial": ("tibia", "tibial"), "patellar": ("patella", "patellar")}
"""The plates of cartilage, and the words by which the names of tissues refer to them and to the
bone under them.
"""


def cartilage_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are cartilage: those whose name says so."""
    return {name: value for name, value in values.items() if "cartilage" in name}


def bone_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are bone, by their name (``femur``, ``tibial_bone``, ...)."""
    return {name: value for name, value in values.items() if "cartilage" not in name and any(bone in name for bone in _BONES)}


def joint_space_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are joint space: those in whose name the words ``joint_space`` stand
    together (``joint_space``, ``medial_joint_space``, ``joint-space-lateral``).
    """
    return {name: value for name, value in values.items() if _JOINT_SPACE.search(name)}


def cartilage_sides(values: Mapping[str, int]) -> dict[str, list[int]]:
    """Values of femoral and of tibial cartilage, for each side of the joint that the tissues' names
    mention.
    """
    cartilage = cartilage_values(values)
    by_side = {
        side: [value for name, value in cartilage.items() if any(word in name for word in PLATES[side])] for side in ("femoral", "tibial")
    }
    return {side: side_values for side, side_values in by_side.items() if side_values}


def bones_under(cartilage: str, values: Mapping[str, int]) -> list[int]:
    """Values of the bone that a cartilage lies on, by their names; of all bones where the names do
    not say.
    """
    bones = bone_values(values)
    for words in PLATES.values():
        if any(word in cartilage for word in words):
            matching = [value for bone, value in bones.items() if any(word in bone for word in words)]
            if matching:
                return matching
    return sorted(bones.values())


@dataclass(frozen=True)
class Grid:
    """Voxels in space: their number along each axis, and their affine (index -> mm, RAS+)."""

    shape: tuple[int, ...]
    affine: Affine


def tissue_values(tissues: Tissues) -> dict[str, int]:
    """The stored value of each tissue: 1, 2, ... in the order of ``sorted(tissues)``."""
    return {name: value for value, name in enumerate(sorted(tissues), start=1)}


def to_tissues(mask: Volume, tissues: Tissues) -> Volume:
    """Translate a cohort's labels into stored values (uint8); labels that mean no tissue become 0.

    Numbers that are whole but for rounding are labels that went through a slope and an intercept.

    Slice by slice, so that memory stays at the mask and its translation.

    Raises:
        UnusableImage: the voxels are not whole numbers (``not-a-label-map``), or the mask's
            segments are not those of the tissues (``unknown-segments``,
            ``layered-segmentation``).
        KneeoaError: one label means two tissues, or there are more than 254 of them.
    """
    numbers = label_numbers(tissues, mask.segments)
    labels = [label for name in numbers for label in numbers[name]]
    if len(set(labels)) != len(labels) or len(tissues) > _MOST_TISSUES:
        raise KneeoaError(f"'tissues' must give each label to one tissue, of {_MOST_TISSUES} at most; it has {dict(tissues)}.")
    if min(labels, default=0) < 0:
        raise KneeoaError(f"'tissues' must give labels of 0 and more; it has {dict(tissues)}.")
    # One look-up for all labels; "clip" sends everything above the highest that means something to
    # a last entry that means nothing.
    table = np.zeros(max(labels, default=0) + 2, dtype=np.uint8)
    for name, value in tissue_values(tissues).items():
        table[list(numbers[name])] = value
    out = np.empty(mask.array.shape, dtype=np.uint8)
    for plane, target in zip(mask.array, out, strict=True):
        whole = _whole_numbers(plane)
        np.take(table, np.where(whole < 0, len(table), whole), out=target, mode="clip")
    return Volume(out, mask.affine)


def label_numbers(tissues: Tissues, segments: Sequence[Segment]) -> dict[str, tuple[int, ...]]:
    """The label values of each tissue in one mask.

    3D Slicer numbers segments in the order in which they were drawn, so that numbers mean one thing
    in one file and another in the next. A mask that names its segments is therefore read by names
    alone: those that the configuration gives a tissue, or the tissue's own. Upper and lower case,
    blanks and punctuation do not count.

    Args:
        tissues: the cohort's tissues and their labels.
        segments: those that the mask names; none: its labels are numbers.

    Returns:
        No label for a tissue that was not drawn: every segment of the mask is another tissue's.

    Raises:
        UnusableImage: a tissue has no segment of its name and a segment no tissue, or the mask
            names none and a tissue has no number (``unknown-segments``); segments in layers
            (``layered-segmentation``).
    """
    if not segments:
        for name, given in tissues.items():
            if given and all(isinstance(label, str) for label in given):
                detail = f"the mask names no segments, and '{name}' is given by names alone; give its label's number too."
                raise UnusableImage("unknown-segments", detail)
        return {name: tuple(label for label in given if not isinstance(label, str)) for name, given in tissues.items()}
    values = {_normalised_name(segment): value for segment, value in label_values(segments, "the mask").items()}
    if len(values) < len(segments):
        raise UnusableImage("layered-segmentation", "the mask has segments whose names differ in case or punctuation alone; rename them.")
    names = {name: [label for label in given if isinstance(label, str)] or [name] for name, given in tissues.items()}
    drawn = {
        name: [key for key in dict.fromkeys(map(_normalised_name, segment_names)) if key in values] for name, segment_names in names.items()
    }
    spare = len(values) - len({key for segment_names in drawn.values() for key in segment_names})
    for name, segment_names in drawn.items():
        if not segment_names and spare:
            detail = (
                f"no segment of the mask is called {' or '.join(names[name])}, and {spare} of its {len(values)} segments are no tissue's"
            )
            raise UnusableImage("unknown-segments", f"{detail}; name the segments of '{name}' in 'tissues'.")
    return {name: tuple(values[key] for key in segment_names) for name, segment_names in drawn.items()}


def _normalised_name(name: str) -> str:
    """A segment's name without differences in case, blanks and punctuation."""
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


def _whole_numbers(plane: NDArray[Any]) -> NDArray[np.int64]:
    """The labels of a plane as whole numbers. A label that was stored under a slope comes back up
    to half a slope off.
    """
    whole: NDArray[np.int64] = (np.rint(plane) if plane.dtype.kind == "f" else plane).astype(np.int64)
    if plane.dtype.kind == "f" and not float(np.abs(plane - whole).max(initial=0.0)) <= _MAX_ROUNDING:
        raise UnusableImage("not-a-label-map", "the mask has voxels that are not whole numbers; expected labels.")
    return whole


def share_inside(labels: Volume, grid: Grid) -> float:
    """Share of the labelled voxels whose centres lie in a grid's box (in the image, for the image's
    grid).

    Returns:
        A share in [0, 1]; 0 for a map without labels.
    """
    labelled = np.flatnonzero(labels.array)
    if not labelled.size:
        return 0.0
    # Every n-th voxel is enough for a share.
    sampled = np.stack(np.unravel_index(labelled[:: max(1, labelled.size // _SAMPLED_VOXELS)], labels.array.shape))
    step = np.linalg.inv(grid.affine) @ labels.affine
    positions = step[:3, :3] @ sampled + step[:3, 3:]
    return float(((positions >= -0.5) & (positions <= np.asarray(grid.shape)[:, None] - 0.5)).all(axis=0).mean())


def image_grid(affine: Affine, centre: NDArray[np.float64], shape: tuple[int, ...], spacing: NDArray[np.float64]) -> Grid:
    """The grid of an image as it was scanned, in the canonical order of axes, from the columns of
    the volumes' index.

    Args:
        affine: the canonical grid's.
        centre: canonical voxel index (real numbers) of the image's centre.
        shape: the image's voxels along the canonical axes.
        spacing: mm of the image's voxels along the canonical axes.
    """
    scanned = np.eye(4)
    scanned[:3, :3] = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) * spacing
    middle = affine[:3, :3] @ centre + affine[:3, 3]
    scanned[:3, 3] = middle - scanned[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return Grid(tuple(int(size) for size in shape), scanned)
