"""Choose the regions that are deleted from an image (tissues, and copies of the first of them moved
elsewhere) and fill them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from kneeoa.anatomy.nulls import fourier_transform, shifted_hits
from kneeoa.anatomy.tissue_fields import TissueFields
from kneeoa.central_crop import Window

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

CONTROL = "control_"
JOINT = "joint"

_OVERLAP = 0.25
"""The largest share of a control that may lie in the tissue itself."""
_NEARLY = 0.9
"""Controls are drawn from the moves that reach this share of the best one."""


@dataclass(frozen=True)
class DeletionRegion:
    """Voxels to delete."""

    name: str
    """A group of tissues, or ``control_`` and the group that the moved copy lies on."""
    copy: int
    inside: Booleans
    overlap: float
    """Share of its voxels that belong to the first group."""

    def in_image(self, shape: tuple[int, ...], window: Window) -> DeletionRegion:
        """Return the region in an image of ``shape``, of which the region's grid is the part
        ``window``.
        """
        whole = np.zeros(shape, dtype=np.bool_)
        whole[window] = self.inside
        return replace(self, inside=whole)


def tissue_voxels(share: Floats) -> Booleans:
    """Return the voxels that a tissue fills most, as many as its volume makes: a sheet thinner than
    a voxel does not vanish.
    """
    count = max(1, round(float(share.sum())))
    chosen = np.zeros(share.size, dtype=np.bool_)
    chosen[np.argsort(-share, axis=None, kind="stable")[:count]] = True
    return chosen.reshape(share.shape)


def deletion_regions(
    tissues: Mapping[str, TissueFields | None], joint: Booleans | None, copies: int, generator: np.random.Generator
) -> Iterator[DeletionRegion]:
    """Yield the groups of tissues that are present, the first one first, and controls of the first
    one's size and shape.

    A control is the first group moved within the image, at most a quarter of it on the group
    itself, to where it lies most on another group or in the joint; of the moves that do this nearly
    as well as any, ``copies`` are drawn. There is none where no move will do.

    Args:
        tissues: group -> its fields on the image's grid, None where it is absent; the first is the
            one that controls are of.
        joint: voxels of the joint region.
        copies: controls of each kind.
        generator: draws the moves.
    """
    present = {name: one.share for name, one in tissues.items() if one is not None}
    first = next(iter(tissues), None)
    if first not in present or joint is None:
        return
    whole = tissue_voxels(present[first])
    for name, share in present.items():
        inside = tissue_voxels(share)
        if not inside.all():
            yield DeletionRegion(name, 0, inside, float((inside & whole).sum() / inside.sum()))
    copy = fourier_transform(whole / whole.sum())
    overlap = shifted_hits(copy, fourier_transform(whole.astype(np.float64)), whole.shape)
    free = _unwrapped(whole) & (overlap <= _OVERLAP)
    if not free.any():
        return
    kinds = {JOINT: joint.astype(np.float64)} | {name: share for name, share in present.items() if name != first}
    for kind, field in kinds.items():
        reached = np.where(free, shifted_hits(copy, fourier_transform(field), whole.shape), -1.0)
        good = np.flatnonzero(reached.ravel() >= _NEARLY * reached.max())
        for number, place in enumerate(generator.choice(good, size=min(copies, good.size), replace=False)):
            shift = tuple(int(step) for step in np.unravel_index(place, whole.shape))
            yield DeletionRegion(
                CONTROL + kind, number, np.roll(whole, shift, axis=tuple(range(whole.ndim))), float(max(overlap[shift], 0.0))
            )


def _unwrapped(inside: Booleans) -> Booleans:
    """``[*shape]``: the circular shifts under which no voxel of ``inside`` leaves the image on one
    side and enters on the other.
    """
    allowed = np.ones(inside.shape, dtype=np.bool_)
    for axis, size in enumerate(inside.shape):
        used = np.flatnonzero(inside.any(axis=tuple(other for other in range(inside.ndim) if other != axis)))
        steps = np.zeros(size, dtype=np.bool_)
        steps[np.arange(-int(used[0]), size - int(used[-1])) % size] = True
        allowed &= steps.reshape([-1 if other == axis else 1 for other in range(inside.ndim)])
    return allowed


def fill_from_surroundings(image: NDArray[np.floating], inside: Booleans, sigma: tuple[float, ...]) -> NDArray[np.float32]:
    """Replace ``inside`` by its surroundings: their mean under a Gaussian of standard deviation
    ``sigma`` (voxels).

    Normalised convolution (Knutsson and Westin 1993); voxels that no surroundings reach take the
    mean of all that is left.
    """
    outside = (~inside).astype(np.float64)
    surroundings = image.astype(np.float64) * outside
    weight = gaussian_filter(outside, sigma)
    mean = surroundings.sum() / max(outside.sum(), 1.0)
    blurred = np.divide(
        gaussian_filter(surroundings, sigma), weight, out=np.full(image.shape, mean), where=weight > np.finfo(np.float32).eps
    )
    filled: NDArray[np.float32] = np.where(inside, blurred, image).astype(np.float32)
    return filled
