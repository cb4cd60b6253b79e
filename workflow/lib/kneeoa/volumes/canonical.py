"""Resample an image as it was scanned to the canonical grid of its view.

The grid keeps the image's own axes (flipped and permuted to the canonical order), so an oblique
image is never turned: the affine carries its obliqueness. It has the view's shape, and either the
view's spacing around the centre of its region (what lies outside the image is padding) or the
image's extent. Masks are brought to the same grid through the world
(:mod:`kneeoa.masks.tissue_labels`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import Region, View
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.volume import Affine, Volume
from kneeoa.volumes.foreground import foreground_centre
from kneeoa.volumes.orientation import canonical_codes, reorient
from kneeoa.volumes.resample import axis_weights, resample_separably


@dataclass(frozen=True)
class Canonical:
    """An image on the canonical grid, before its intensities are brought to scale.

    Attributes:
        array: float32, the view's shape; zero in the padding.
        affine: 4 x 4; canonical voxel index -> mm (RAS+).
        inside: for each axis the slice of voxels that lie in the image; the rest is padding.
        source_shape: voxels of the image in canonical axis order.
        source_spacing: mm of the image's voxels in canonical axis order.
        source_centre: canonical voxel index (real numbers) of the image's centre; a region need not
            be centred on it.
    """

    array: NDArray[np.float32]
    affine: Affine
    inside: tuple[slice, ...]
    source_shape: tuple[int, ...]
    source_spacing: tuple[float, ...]
    source_centre: tuple[float, ...]


def to_canonical(volume: Volume, view: View, side: str | None) -> Canonical:
    """Bring an image to the canonical grid of its view; left knees are mirrored along axis 0.

    Interpolation is linear, and an average where the image is finer than the grid
    (:mod:`kneeoa.volumes.resample`).

    Raises:
        KneeoaError: the view is two-dimensional.
        UnusableImage: the image's axes are degenerate (``bad-affine``), none of it lies in the
            region (``outside-region``), or its numbers overflow single precision
            (``intensity-range``).
    """
    if view.dimensions != 3:
        raise KneeoaError("a view of 2 dimensions has no canonical volume: 'dimensions' must be 3 for knee MRI.")
    oriented = reorient(volume, canonical_codes(side))
    _check_range(oriented)
    sizes, shape = np.asarray(oriented.array.shape), np.asarray(view.shape)
    steps = sizes / shape if view.fit == "extent" else np.asarray(view.spacing) / oriented.spacing
    middle = (sizes - 1) / 2 + _region_shift(oriented, view.region)
    weights, inside = [], []
    for size, new, step, centre in zip(oriented.array.shape, view.shape, steps, middle, strict=True):
        positions = (np.arange(new) - (new - 1) / 2) * step + centre
        covered = np.flatnonzero((positions >= -0.5) & (positions <= size - 0.5))
        if not covered.size:
            raise UnusableImage("outside-region", f"the image ({size} voxels along an axis) does not reach a voxel of the grid.")
        weights.append(axis_weights(positions, size, step, antialias=view.antialias))
        inside.append(slice(int(covered[0]), int(covered[-1]) + 1))
    affine = np.eye(4)
    affine[:3, :3] = oriented.affine[:3, :3] * steps
    affine[:3, 3] = oriented.affine[:3, :3] @ middle + oriented.affine[:3, 3] - affine[:3, :3] @ ((shape - 1) / 2)
    centre = (shape - 1) / 2 + ((sizes - 1) / 2 - middle) / steps
    return Canonical(
        resample_separably(oriented.array, (weights[0], weights[1], weights[2])),
        affine,
        (inside[0], inside[1], inside[2]),
        (oriented.array.shape[0], oriented.array.shape[1], oriented.array.shape[2]),
        (float(oriented.spacing[0]), float(oriented.spacing[1]), float(oriented.spacing[2])),
        (float(centre[0]), float(centre[1]), float(centre[2])),
    )


def _region_shift(oriented: Volume, region: Region) -> NDArray[np.float64]:
    """Shift from the image's middle to the region's, in whole voxels of the image along its
    canonical axes.
    """
    shift = np.asarray(region.offset) / oriented.spacing
    if region.around == "foreground":
        shift = shift + foreground_centre(oriented.array) - (np.asarray(oriented.array.shape) - 1) / 2
    whole: NDArray[np.float64] = np.round(shift)
    return whole


def _check_range(volume: Volume) -> None:
    if volume.array.dtype == np.float64 and float(np.abs(volume.array).max()) > float(np.finfo(np.float32).max):
        raise UnusableImage("intensity-range", "the image has voxels beyond single precision.")
