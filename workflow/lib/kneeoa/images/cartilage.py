"""What a mask says about cartilage, on the mask's own grid: volume, thickness, and which side of the joint it covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from kneeoa.images.volume import Volume

_BONES = ("femur", "tibia", "patella", "fibula", "bone")
_SIDES = {"femoral": ("femur", "femoral"), "tibial": ("tibia", "tibial")}
_SAMPLE = 5_000


def cartilage_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are cartilage: those whose name says so."""
    return {name: value for name, value in values.items() if "cartilage" in name}


def bone_values(values: Mapping[str, int]) -> dict[str, int]:
    """The tissues that are bone, by their name (``femur``, ``tibial_bone``, ...)."""
    return {name: value for name, value in values.items() if "cartilage" not in name and any(bone in name for bone in _BONES)}


def sides(values: Mapping[str, int]) -> dict[str, list[int]]:
    """Values of femoral and of tibial cartilage, for each side of the joint that the tissues' names speak of."""
    cartilage = cartilage_values(values)
    found = {side: [value for name, value in cartilage.items() if any(word in name for word in words)] for side, words in _SIDES.items()}
    return {side: own for side, own in found.items() if own}


@dataclass(frozen=True)
class Measures:
    """Volume (mm3), mean thickness (mm), and the sides of the joint that should have cartilage and have none."""

    volume: float
    thickness: float
    missing: tuple[str, ...]
    femur_above_tibia: bool
    """Whether femoral cartilage lies nearer the head than tibial cartilage; true where the mask does not tell both."""


def measure(labels: Volume, values: Mapping[str, int]) -> Measures:
    """Measure the cartilage of a label map (uint8, stored values)."""
    array = labels.array.astype(np.uint8, copy=False)
    counts = np.bincount(array.ravel(), minlength=256)
    voxel = abs(float(np.linalg.det(labels.affine[:3, :3])))
    own = [value for value in cartilage_values(values).values() if counts[value]]
    blocks = ndimage.find_objects(array)
    thickness = [_thickness(labels, value, blocks[value - 1]) for value in own]
    volume = float(sum(counts[value] for value in own)) * voxel
    mean = float(np.average(thickness, weights=[counts[value] for value in own])) if own else 0.0
    missing = tuple(side for side, names in sides(values).items() if not sum(counts[value] for value in names))
    return Measures(volume, mean, missing, _femur_above_tibia(labels, values))


def _thickness(labels: Volume, value: int, block: tuple[slice, ...]) -> float:
    """Mean thickness (mm) of one tissue, all of it in ``block``, each of its voxels counting once.

    In a layer of thickness t the mean distance to the nearer face is t / 4. The distance to the nearest voxel outside is longer by half
    a voxel along the normal; the smallest spacing stands for it, as sagittal slices cut cartilage across. The estimate is exact for a
    layer of an even number of voxels and high by spacing / n for an odd number n: by 1 % on a scanner's grid, by half on one so coarse
    that cartilage is one or two voxels thick.
    """
    tissue = np.pad(labels.array[block] == value, 1)
    outside = ndimage.binary_dilation(tissue) & ~tissue
    linear = labels.affine[:3, :3]
    inner = np.argwhere(tissue)
    inner = inner[:: max(1, len(inner) // _SAMPLE)]
    distance, _ = cKDTree(np.argwhere(outside) @ linear.T).query(inner @ linear.T)
    return 4.0 * (float(np.mean(distance)) - float(labels.spacing.min()) / 2)


def _femur_above_tibia(labels: Volume, values: Mapping[str, int]) -> bool:
    found = sides(values)
    heights = [_height(labels, found.get(side, [])) for side in ("femoral", "tibial")]
    return heights[0] is None or heights[1] is None or heights[0] > heights[1]


def _height(labels: Volume, own: list[int]) -> float | None:
    where: NDArray[np.bool_] = np.isin(labels.array, own)
    if not own or not where.any():
        return None
    centre = np.array([np.average(np.arange(size), weights=where.sum(axis=others)) for size, others in _projections(where.shape)])
    return float(labels.affine[2, :3] @ centre + labels.affine[2, 3])


def _projections(shape: tuple[int, ...]) -> list[tuple[int, tuple[int, ...]]]:
    return [(size, tuple(other for other in range(3) if other != axis)) for axis, size in enumerate(shape)]
