"""A mask's labels as the cohort's tissues, and how much of them lies in an image. Resampling:
:mod:`kneeoa.images.label_resample`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.images.volume import Affine, Volume

Tissues = Mapping[str, tuple[int, ...]]

_SAMPLE = 50_000
_ROUNDING = 0.05
"""By which a label may miss a whole number: half a step of 256 over labels up to 25, as a writer
leaves it that scales labels to bytes.
"""
# The last value marks voxels of several tissues in resampling.
_MOST_TISSUES = 254


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

    Numbers that all but are whole are labels that went through a slope and an intercept.

    Slice by slice, so that memory stays at the mask and its translation.

    Raises:
        UnusableImage: the voxels are not whole numbers (``not-a-label-map``).
        KneeoaError: one label means two tissues, or there are more than 254 of them.
    """
    labels = [label for name in tissues for label in tissues[name]]
    if len(set(labels)) != len(labels) or len(tissues) > _MOST_TISSUES:
        raise KneeoaError(f"'tissues' must give each label to one tissue, of {_MOST_TISSUES} at most; it has {dict(tissues)}.")
    if min(labels, default=0) < 0:
        raise KneeoaError(f"'tissues' must give labels of 0 and more; it has {dict(tissues)}.")
    # One look-up for all labels; "clip" sends everything above the highest that means something to
    # a last entry that means nothing.
    table = np.zeros(max(labels, default=0) + 2, dtype=np.uint8)
    for name, value in tissue_values(tissues).items():
        table[list(tissues[name])] = value
    out = np.empty(mask.array.shape, dtype=np.uint8)
    for plane, target in zip(mask.array, out, strict=True):
        if plane.dtype.kind == "f":
            whole = np.rint(plane).astype(np.int64)
            if not float(np.abs(plane - whole).max()) <= _ROUNDING:
                raise UnusableImage("not-a-label-map", "the mask has voxels that are not whole numbers; expected labels.")
        else:
            whole = plane.astype(np.int64)
        np.take(table, np.where(whole < 0, len(table), whole), out=target, mode="clip")
    return Volume(out, mask.affine)


def inside_share(labels: Volume, grid: Grid) -> float:
    """Share of the labelled voxels whose centres lie in a grid's box: in the image, when the grid
    is the image's own.

    Returns:
        A share in [0, 1]; 0 for a map without labels.
    """
    found = np.flatnonzero(labels.array)
    if not found.size:
        return 0.0
    # Every n-th voxel is enough for a share.
    sampled = np.stack(np.unravel_index(found[:: max(1, found.size // _SAMPLE)], labels.array.shape))
    step = np.linalg.inv(grid.affine) @ labels.affine
    places = step[:3, :3] @ sampled + step[:3, 3:]
    return float(((places >= -0.5) & (places <= np.asarray(grid.shape)[:, None] - 0.5)).all(axis=0).mean())


def image_grid(affine: Affine, centre: NDArray[np.float64], shape: tuple[int, ...], spacing: NDArray[np.float64]) -> Grid:
    """The grid of an image as it was scanned, in the canonical order of axes, from what the
    volumes' index keeps of it.

    Args:
        affine: the canonical grid's.
        centre: canonical voxel index (real numbers) of the image's centre.
        shape: the image's voxels along the canonical axes.
        spacing: mm of the image's voxels along the canonical axes.
    """
    own = np.eye(4)
    own[:3, :3] = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) * spacing
    middle = affine[:3, :3] @ centre + affine[:3, 3]
    own[:3, 3] = middle - own[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return Grid(tuple(int(size) for size in shape), own)
