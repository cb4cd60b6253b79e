"""From an image as it was scanned to the canonical grid of its view.

The grid keeps the image's own axes (flipped and permuted to the canonical order), so an oblique image is never turned: the affine
carries its obliqueness. It has the view's spacing and shape and is centred on the image's centre; what lies outside the image is
padding. Masks are brought to the same grid through the world (:mod:`kneeoa.images.alignment`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError
from kneeoa.images.orientation import codes_of_side, reorient
from kneeoa.images.resample import axis_weights, separable
from kneeoa.images.volume import Affine, Volume


@dataclass(frozen=True)
class Canonical:
    """A volume on the canonical grid, before its intensities are brought to scale.

    Attributes:
        array: float32, the view's shape; zero in the padding.
        affine: 4 x 4; canonical voxel index -> mm (RAS+).
        inside: for each axis the slice of voxels that lie in the image; the rest is padding.
        source_shape: voxels of the image in canonical axis order.
        source_spacing: mm of the image's voxels in canonical axis order.
    """

    array: NDArray[np.float32]
    affine: Affine
    inside: tuple[slice, slice, slice]
    source_shape: tuple[int, int, int]
    source_spacing: tuple[float, float, float]


def to_canonical(volume: Volume, view: View, side: str | None) -> Canonical:
    """Bring an image to the canonical grid of its view; left knees are mirrored along axis 0.

    Interpolation is linear, and an average where the image is finer than the grid (:mod:`kneeoa.images.resample`).

    Raises:
        KneeoaError: the view is two-dimensional.
        UnusableImage: the image's axes are degenerate.
    """
    if view.dimensions != 3:
        raise KneeoaError("a view of 2 dimensions has no canonical volume: 'dimensions' must be 3 for knee MRI.")
    own = reorient(volume, codes_of_side(side))
    weights, inside = [], []
    linear, middle = np.empty((3, 3)), np.empty(3)
    for axis, (size, new, spacing) in enumerate(zip(own.array.shape, view.shape, view.spacing, strict=True)):
        step = spacing / own.spacing[axis]
        positions = (np.arange(new) - (new - 1) / 2) * step + (size - 1) / 2
        covered = np.flatnonzero((positions >= -0.5) & (positions <= size - 0.5))
        weights.append(axis_weights(positions, size, step))
        inside.append(slice(int(covered[0]), int(covered[-1]) + 1) if covered.size else slice(0, 0))
        linear[:, axis] = own.affine[:3, axis] * step
        middle[axis] = (size - 1) / 2
    affine = np.eye(4)
    affine[:3, :3] = linear
    # The image's centre is the grid's centre.
    affine[:3, 3] = own.affine[:3, :3] @ middle + own.affine[:3, 3] - linear @ ((np.asarray(view.shape) - 1) / 2)
    return Canonical(
        separable(own.array, (weights[0], weights[1], weights[2])),
        affine,
        (inside[0], inside[1], inside[2]),
        (own.array.shape[0], own.array.shape[1], own.array.shape[2]),
        (float(own.spacing[0]), float(own.spacing[1]), float(own.spacing[2])),
    )
