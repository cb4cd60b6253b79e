"""Limits of a scan of a joint; a file beyond them has a wrong header."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.bare_header import lacks_orientation

MIN_SPACING, MAX_SPACING = 0.01, 30.0
"""Millimetres of a voxel along any axis. Ex-vivo scans reach 0.05 mm, localisers 20 mm; values
beyond are metres, micrometres or zeros.
"""
MAX_SHEAR = 30.0
"""Degrees by which two axes may differ from a right angle: as far as a scanner's gantry tilts."""
MIN_SLICES = 3
"""Smallest number of slices of a volume."""
MAX_VOXELS = 2**29
"""Voxels of one image: 800 along each axis. A header that asks for more is damaged, or made to
exhaust the memory.
"""


def is_plausible_spacing(spacing: Sequence[float] | NDArray[np.float64]) -> bool:
    """Whether each spacing (mm) is one that an image of a joint can have."""
    values = np.asarray(spacing, dtype=np.float64)
    return bool(((values >= MIN_SPACING) & (values <= MAX_SPACING)).all())


def require_spacing(spacing: Sequence[float], name: str) -> None:
    """Compare the spacing (mm) of an image's axes with the limits; ``name`` is the file's name in
    errors.

    Raises:
        UnusableImage: a spacing is not a number or outside the limits (``absurd-spacing``).
    """
    if not is_plausible_spacing(spacing):
        lengths = " x ".join(f"{value:.4g}" for value in spacing)
        raise UnusableImage(
            "absurd-spacing", f"{name}: its voxels measure {lengths} mm; expected {MIN_SPACING} to {MAX_SPACING:g} mm along each axis."
        )


def require_square_axes(affine: NDArray[np.float64], name: str) -> None:
    """Refuse an affine (4 x 4) whose axes differ from right angles by more than a tilted gantry
    explains.

    Raises:
        UnusableImage: ``sheared-stack``.
    """
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosine = np.abs(directions.T @ directions - np.eye(3)).max()
    if cosine > np.sin(np.radians(MAX_SHEAR)):
        angle = 90 - np.degrees(np.arcsin(min(float(cosine), 1.0)))
        raise UnusableImage("sheared-stack", f"{name}: two of its axes lie {angle:.0f} degrees apart; expected about 90.")


def require_scan(shape: Sequence[int], affine: NDArray[np.float64], name: str) -> None:
    """Refuse a readable file that is no scan of a joint: a slab of one or two slices, or a header
    that was never filled in.

    Raises:
        UnusableImage: fewer than :data:`LEAST_SLICES` voxels along an axis (``too-few-slices``), or
            a header that gives no orientation (``bad-affine``).
    """
    if min(shape) < MIN_SLICES:
        sizes = " x ".join(str(int(size)) for size in shape)
        raise UnusableImage("too-few-slices", f"{name}: has {sizes} voxels; expected a volume.")
    if lacks_orientation(shape, affine):
        raise UnusableImage(
            "bad-affine",
            f"{name}: its header gives no orientation (the patient's axes from an origin of exactly 0, as of an array that was saved "
            "with its voxel sizes alone); correct it, or declare 'orientation' (a key of the cohort; of kneeoa.apply --orientation).",
        )


def require_size(shape: Sequence[int], name: str) -> None:
    """Refuse a shape of more than :data:`MOST_VOXELS` before memory is allocated.

    Raises:
        UnusableImage: ``too-large``.
    """
    if math.prod(int(size) for size in shape) > MAX_VOXELS:
        sizes = " x ".join(str(int(size)) for size in shape)
        raise UnusableImage("too-large", f"{name}: its header asks for {sizes} voxels, more than any scan of a joint has.")
