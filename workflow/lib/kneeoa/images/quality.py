"""Whether an aligned mask is believed: does the picture under it look like cartilage on bone, and nowhere better than here?

In DESS images cartilage is bright and the bone beside it dark. ``contrast`` is the area under the ROC curve by which the intensities
under the cartilage exceed those under the bone within a few millimetres of it (or, where the mask has no bone, those of a thin shell
around the cartilage). A mask of another knee, a flipped or a displaced one still finds some bright voxels, so a fixed limit alone
is weak; but then the same mask put elsewhere explains the picture better. The mask is therefore also tried in displaced and
mirrored poses: where one of them comes as close as a small margin, the given pose is not believed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import rankdata

from kneeoa.config.volumes import MaskChecks
from kneeoa.images.cartilage import Measures, bone_values, cartilage_values

# Bone marrow nearer to cartilage than this is compared with it: both ends see the same coil, so the bias field cancels.
_BONE_MM = 6.0
_SHELL_MM = 4.0
_SHIFTS_MM = (-10.0, -5.0, 0.0, 5.0, 10.0)
_VOXELS = (-3, -2, 0, 2, 3)
# On phantom knees the given pose of a good mask beats every displaced one by at least 0.13 (voxels of 1.5 to 2.8 mm) or 0.035 (4 mm); that
# of another knee's mask by 0.022 at the most.
_MARGIN = 0.03
_SAMPLE = 4_000
# What adult knees, healthy or at the end of their disease, can have; outside it a label map means something else.
_VOLUME_MM3 = (2_000.0, 80_000.0)
_THICKNESS_MM = (0.5, 6.0)


@dataclass(frozen=True)
class Pose:
    """How well a mask fits the picture where it lies, and at the best of the displaced and mirrored poses (both AUCs)."""

    contrast: float
    elsewhere: float


def pose(image: NDArray[np.floating], labels: NDArray[np.uint8], spacing: NDArray[np.float64], values: Mapping[str, int]) -> Pose:
    """Judge a mask against the picture on the same grid.

    Args:
        image: intensities, any unit, shape ``[i, j, k]``.
        labels: stored tissue values on the same grid.
        spacing: mm along each axis.
        values: the stored value of each tissue.

    Returns:
        0.5 for both where the grid holds no cartilage or nothing to compare it with.
    """
    cartilage = np.argwhere(np.isin(labels, list(cartilage_values(values).values())))
    dark = _beside(labels, cartilage, spacing, values)
    if not len(cartilage) or not len(dark):
        return Pose(0.5, 0.5)
    bright = _thin(cartilage)
    contrast = _auc(_at(image, bright), _at(image, dark))
    # On a coarse grid 5 mm can be one voxel, which partial volume blurs over: a displaced pose lies at least two away.
    axes = [np.sign(_SHIFTS_MM) * np.maximum(np.rint(np.abs(_SHIFTS_MM) / step), np.abs(_VOXELS)) for step in spacing]
    steps = [np.array(shift).astype(np.int64) for shift in itertools.product(*axes)]
    moved = [(bright + step, dark + step) for step in steps if step.any()]
    for flips in itertools.product((False, True), repeat=3):
        if any(flips):
            moved.append((_mirror(bright, flips, image.shape), _mirror(dark, flips, image.shape)))
    # A pose that pushes most of the cartilage off the grid says nothing.
    fits = [_auc(a, b) for a, b in ((_at(image, one), _at(image, two)) for one, two in moved) if 2 * len(a) > len(bright)]
    return Pose(contrast, max(fits, default=0.5))


def flags(inside: float, found: Pose, measures: Measures, checks: MaskChecks) -> list[tuple[str, str]]:
    """Reasons (slug, sentence) not to believe a mask, worst first; empty for a good one."""
    doubts = []
    if measures.volume == 0:
        return [("mask-empty", "the mask holds no cartilage.")]
    if inside < checks.minimum_inside:
        doubts.append(
            ("mask-misaligned", f"{inside:.0%} of the mask lies inside the image; expected at least {checks.minimum_inside:.0%}.")
        )
    if not measures.femur_above_tibia:
        doubts.append(("mask-misaligned", "femoral cartilage lies below tibial cartilage: the mask is upside down."))
    if found.contrast < checks.minimum_contrast:
        detail = f"cartilage stands out from what lies beside it by an AUC of {found.contrast:.2f}; expected {checks.minimum_contrast:.2f}."
        doubts.append(("mask-misaligned", detail))
    elif found.contrast < found.elsewhere + _MARGIN:
        detail = f"the mask fits as well elsewhere (AUC {found.contrast:.2f} here, {found.elsewhere:.2f} displaced or mirrored)."
        doubts.append(("mask-misaligned", detail))
    if measures.missing:
        doubts.append(("mask-incomplete", f"the mask has no {' and no '.join(measures.missing)} cartilage."))
    if not _VOLUME_MM3[0] <= measures.volume <= _VOLUME_MM3[1] or not _THICKNESS_MM[0] <= measures.thickness <= _THICKNESS_MM[1]:
        detail = f"{measures.volume:.0f} mm3 of cartilage, {measures.thickness:.1f} mm thick, is not what a knee has."
        doubts.append(("mask-implausible", detail))
    return doubts


def _beside(
    labels: NDArray[np.uint8], cartilage: NDArray[np.int64], spacing: NDArray[np.float64], values: Mapping[str, int]
) -> NDArray[np.int64]:
    """Indices of the voxels that cartilage is compared with, shape ``[n, 3]``."""
    if not len(cartilage):
        return cartilage
    room = np.ceil(_BONE_MM / spacing).astype(np.int64)
    low = np.maximum(cartilage.min(axis=0) - room, 0)
    high = np.minimum(cartilage.max(axis=0) + room + 1, labels.shape)
    block = labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    bones = list(bone_values(values).values())
    reach = _BONE_MM if bones else _SHELL_MM
    chosen = np.isin(block, bones) if bones else ~np.isin(block, list(cartilage_values(values).values()))
    # Most of the block is far from cartilage: thin it, but less than the final sample.
    candidates = _thin(np.argwhere(chosen) + low, 10 * _SAMPLE)
    if not len(candidates):
        return candidates
    distance, _ = cKDTree(cartilage * spacing).query(candidates * spacing, distance_upper_bound=reach)
    return _thin(candidates[np.isfinite(distance)])


def _thin(points: NDArray[np.int64], most: int = _SAMPLE) -> NDArray[np.int64]:
    """Every n-th point, so that about ``most`` are left; the same ones each time."""
    return points[:: max(1, len(points) // most)]


def _mirror(points: NDArray[np.int64], flips: tuple[bool, ...], shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.where(flips, np.asarray(shape) - 1 - points, points)


def _at(image: NDArray[np.floating], points: NDArray[np.int64]) -> NDArray[np.floating]:
    kept = points[((points >= 0) & (points < image.shape)).all(axis=1)]
    return image[kept[:, 0], kept[:, 1], kept[:, 2]]


def _auc(bright: NDArray[np.floating], dark: NDArray[np.floating]) -> float:
    """Probability that a bright value exceeds a dark one, ties counting half (Mann-Whitney); 0.5 where one side is empty."""
    if not len(bright) or not len(dark):
        return 0.5
    ranks = rankdata(np.concatenate([bright, dark]).astype(np.float32))
    return float((ranks[: len(bright)].sum() - len(bright) * (len(bright) + 1) / 2) / (len(bright) * len(dark)))
