"""Measure cartilage region by region: each plate, and the medial and lateral halves of the femur's
and the tibia's; find denuded bone.

A mask shows where cartilage is, not where it once was. What is certain is a gap in the plate: bare
bone with cartilage round it. Bare bone counts as denuded where it belongs to the morphological
closing of the covered surface (a disc of 5 mm cannot be put down on the bone's bare outside so that
it touches the spot) or to a hole that covered bone encloses, however large. Bone laid bare at the
outer edge of a plate along more than 10 mm cannot be distinguished from bone that never had
cartilage, nor patches below 10 mm2 from the ragged edge of an outline; neither counts: the measure
is a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from kneeoa.formats.volume import Volume
from kneeoa.masks.cartilage import covered, crop_to_cartilage, thickness
from kneeoa.masks.surfaces import Surface, surface_between
from kneeoa.masks.tissue_labels import bones_under, cartilage_sides, cartilage_values

_BIN_MM = 1.0
_FACES = 8_000

_RADIUS_MM = 5.0
_MIN_MM2 = 10.0


def mark_denuded(plate: Surface, bare: Surface, box: Volume) -> NDArray[np.bool_]:
    """Mark the bare faces that are denuded.

    Args:
        plate: the bone's faces under one plate of cartilage.
        bare: all faces of the same bone that no cartilage covers.
        box: the label map that both are of; bare bone that reaches its edge is outside every plate.

    Returns:
        Shape ``[len(bare)]``.
    """
    is_denuded = np.zeros(len(bare), dtype=bool)
    if not len(plate) or not len(bare):
        return is_denuded
    distance, _ = cKDTree(plate.points).query(bare.points, distance_upper_bound=_RADIUS_MM)
    near = np.isfinite(distance)
    is_denuded[~near] = _enclosed(bare.inner[~near], box.array.shape)
    outside = ~near & ~is_denuded
    if outside.any() and near.any():
        # The disc is larger than the dilation by half a voxel, so that the staircase of a plate's
        # edge is no gap.
        disc = _RADIUS_MM + float(np.linalg.norm(box.spacing)) / 2
        to_outside, _ = cKDTree(bare.points[outside]).query(bare.points[near], distance_upper_bound=disc)
        is_denuded[near] = ~np.isfinite(to_outside)
    part = _connected_parts(bare.inner[is_denuded])
    is_denuded[is_denuded] = np.bincount(part, bare.areas[is_denuded])[part] >= _MIN_MM2
    return is_denuded


def _enclosed(voxels: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the voxels of parts that neither reach the map's edge nor are the largest."""
    part = _connected_parts(voxels)
    outside = np.zeros(int(part.max(initial=0)) + 1, dtype=bool)
    outside[np.argmax(np.bincount(part, minlength=1))] = True
    outside[part[((voxels == 0) | (voxels == np.array(shape) - 1)).any(axis=1)]] = True
    return ~outside[part]


def _connected_parts(voxels: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each voxel, the number of its connected part (26 neighbours)."""
    if not len(voxels):
        return np.zeros(0, dtype=np.int64)
    offsets = voxels - voxels.min(axis=0)
    occupied = np.zeros(offsets.max(axis=0) + 1, dtype=bool)
    occupied[tuple(offsets.T)] = True
    parts, _ = ndimage.label(occupied, structure=np.ones((3, 3, 3)))
    return np.asarray(parts[tuple(offsets.T)], dtype=np.int64)


@dataclass(frozen=True)
class RegionMeasures:
    """Measures of one region of cartilage, or of the joint space of a radiograph.

    Attributes:
        name: the tissue's name, with ``_medial`` or ``_lateral`` for a half of it.
        volume: mm3 of cartilage; None for a radiograph.
        thickness: mm, mean over the bone that cartilage covers, or over the joint space; None where
            there is none.
        area: mm2 of bone that cartilage covers, or of the joint space; None in a mask without bone.
        denuded: mm2 of bone laid bare within the plate; None in a mask without
            bone.
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
