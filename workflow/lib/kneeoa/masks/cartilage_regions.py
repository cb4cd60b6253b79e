"""Measure cartilage region by region: each plate, and the medial and lateral halves of the femur's
and the tibia's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.formats.volume import Volume
from kneeoa.masks.cartilage import crop_to_cartilage
from kneeoa.masks.denuded import mark_denuded
from kneeoa.masks.surfaces import Surface, surface_between
from kneeoa.masks.thickness import covered, thickness
from kneeoa.masks.tissue_names import bones_under, cartilage_sides, cartilage_values

_BIN_MM = 1.0
_FACES = 8_000


@dataclass(frozen=True)
class RegionMeasures:
    """Measures of one region of cartilage, or of the joint space of a radiograph.

    Attributes:
        name: the tissue's name, with ``_medial`` or ``_lateral`` for a half of it.
        volume: mm3 of cartilage; None for a radiograph.
        thickness: mm, mean over the bone that cartilage covers, or over the joint space; None where
            there is none.
        area: mm2 of bone that cartilage covers, or of the joint space; None in a mask without bone.
        denuded: mm2 of bone laid bare within the plate (:mod:`kneeoa.masks.denuded`); None in a
            mask without bone.
        narrowest: mm, least width of a joint space.
    """

    name: str
    volume: float | None
    thickness: float | None
    area: float | None
    denuded: float | None
    narrowest: float | None = None


def measure_regions(labels: Volume, values: Mapping[str, int], lateral: NDArray[np.float64]) -> list[RegionMeasures]:
    """Measure every cartilage of a label map, in the order of names.

    A femoral or tibial cartilage that is not medial or lateral by its name is also measured by
    halves, on either side of :func:`midline`; what is denuded in the whole is the sum of the
    halves. Lesions that a mask labels apart belong to their bone in the configuration's tissues
    (``femur: [1, 7]``): else the bone under them would count as bare where they reach the
    cartilage.

    Args:
        labels: the label map, or the part of it around the joint, stored values, on its own grid.
        values: the stored value of each tissue.
        lateral: unit vector (RAS+) from the knee's medial to its lateral side.
    """
    measured: list[RegionMeasures] = []
    # All boxes below lie within this one, a fifth of a scan.
    labels = crop_to_cartilage(labels, values) or labels
    middle = midline(labels, values, lateral)
    for name, value in sorted(cartilage_values(values).items()):
        box = crop_to_cartilage(labels, {name: value})
        if box is None:
            measured.append(RegionMeasures(name, 0.0, None, None, None))
            continue
        bone = surface_between(_fill_hollows(box, bones_under(name, values)), bones_under(name, values))
        is_covered = covered(box, bone, value)
        voxels = _coordinates(box, box.array == value, lateral)
        if not cartilage_sides({name: value}) or "medial" in name or "lateral" in name:
            measured.append(_measure_region(name, box, value, bone, is_covered, np.ones(len(bone), dtype=bool), len(voxels)))
            continue
        inner = bone.points @ lateral <= middle
        count = int((voxels <= middle).sum())
        medial = _measure_region(f"{name}_medial", box, value, bone, is_covered, inner, count)
        lateral_half = _measure_region(f"{name}_lateral", box, value, bone, is_covered, ~inner, len(voxels) - count)
        measured += [_sum_of_halves(name, medial, lateral_half), medial, lateral_half]
    return measured


def midline(labels: Volume, values: Mapping[str, int], lateral: NDArray[np.float64]) -> float:
    """The boundary between medial and lateral: millimetres along ``lateral``.

    The emptiest place in the middle third of the tibial cartilage, which the tibial spines keep
    clear; without tibial cartilage the middle of all cartilage; 0 without any.
    """
    for chosen in (cartilage_sides(values).get("tibial", []), list(cartilage_values(values).values())):
        along = _coordinates(labels, np.isin(np.arange(256), chosen)[labels.array], lateral)
        if not len(along):
            continue
        low, high = float(along.min()), float(along.max())
        if chosen == list(cartilage_values(values).values()) or high - low < 6 * _BIN_MM:
            return (low + high) / 2
        counts, edges = np.histogram(along, bins=round((high - low) / _BIN_MM))
        smooth = ndimage.uniform_filter1d(counts.astype(np.float64), 3)
        third = len(smooth) // 3
        inner = smooth[third : len(smooth) - third]
        emptiest = np.flatnonzero(inner == inner.min())
        return float(edges[third] + (edges[1] - edges[0]) * (emptiest.mean() + 0.5))
    return 0.0


def _measure_region(
    name: str, box: Volume, value: int, bone: Surface, is_covered: NDArray[np.bool_], half: NDArray[np.bool_], count: int
) -> RegionMeasures:
    volume = count * abs(float(np.linalg.det(box.affine[:3, :3])))
    if not len(bone):
        return RegionMeasures(name, volume, None, None, None)
    plate = bone.where(is_covered & half)
    gaps = bone.where(~is_covered)
    bare = float(gaps.areas[mark_denuded(plate, gaps, box) & half[~is_covered]].sum())
    thin = plate.where(np.arange(len(plate)) % max(1, len(plate) // _FACES) == 0)
    mean = float(np.average(thickness(box, thin, value), weights=thin.areas)) if thin.areas.sum() > 0 else None
    return RegionMeasures(name, volume, mean, float(plate.areas.sum()), bare)


def _sum_of_halves(name: str, medial: RegionMeasures, lateral: RegionMeasures) -> RegionMeasures:
    """Combine both halves: volumes and areas add up, thickness is the mean over the area."""
    volume = (medial.volume or 0.0) + (lateral.volume or 0.0)
    if medial.area is None or lateral.area is None or medial.denuded is None or lateral.denuded is None:
        return RegionMeasures(name, volume, None, None, None)
    area = medial.area + lateral.area
    mean = sum((half.thickness or 0.0) * (half.area or 0.0) for half in (medial, lateral)) / area if area else None
    return RegionMeasures(name, volume, mean, area, medial.denuded + lateral.denuded)


def _fill_hollows(box: Volume, bones: list[int]) -> Volume:
    """The map with the hollows of its bone filled: lesions with a label of their own, or none, are
    no surface.
    """
    bone = np.isin(np.arange(256), bones)[box.array]
    parts, count = ndimage.label(~bone)
    if count < 2:
        return box
    outside = np.argmax(np.bincount(parts.ravel())[1:]) + 1
    return Volume(np.where(bone | (parts == outside), box.array, np.uint8(bones[0])), box.affine)


def _coordinates(labels: Volume, part: NDArray[np.bool_], lateral: NDArray[np.float64]) -> NDArray[np.float64]:
    """Millimetres along ``lateral`` of each voxel of a part."""
    return np.argwhere(part) @ (lateral @ labels.affine[:3, :3]) + float(lateral @ labels.affine[:3, 3])
