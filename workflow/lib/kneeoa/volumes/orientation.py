"""Bring volumes to the one orientation in which all are stored: flips and permutations, never
interpolation.

Codes name where the index of an array axis *increases to*. A right knee is stored as ``("R", "I",
"P")``: slices from left to right (medial to lateral), rows from head to foot, columns from front to
back. A left knee is stored as ``("L", "I", "P")``: the same array mirrored along axis 0, so that it
too runs from medial to lateral and looks like a right knee. Its affine is that of the mirrored
array, so voxel -> world stays true, and a mask resampled to the grid through the world is mirrored
with it.
"""

from __future__ import annotations

import nibabel
import numpy as np
from nibabel.orientations import (
    apply_orientation,
    axcodes2ornt,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)

from kneeoa.errors import UnusableImage
from kneeoa.formats.volume import Volume

Codes = tuple[str, str, str]

RIGHT_KNEE: Codes = ("R", "I", "P")
LEFT_KNEE: Codes = ("L", "I", "P")


def canonical_codes(side: str | None) -> Codes:
    """The canonical codes of a knee; one whose side is not known is stored as a right one."""
    return LEFT_KNEE if side == "L" else RIGHT_KNEE


def axis_codes(volume: Volume) -> tuple[str | None, ...]:
    """The nearest code of each array axis."""
    codes: tuple[str | None, ...] = nibabel.aff2axcodes(volume.affine)
    return codes


def reorient(volume: Volume, codes: Codes) -> Volume:
    """Permute and flip the axes to the nearest ``codes``; the world position of every voxel stays
    what it was.

    The array of the result is a view. An oblique image stays oblique: its axes are named by the
    nearest patient axis.

    Raises:
        UnusableImage: two axes are nearest to one patient axis (``bad-affine``).
    """
    current = io_orientation(volume.affine)
    if np.isnan(current).any():
        raise UnusableImage("bad-affine", "the image's axes cannot be told apart by the patient's axes.")
    change = ornt_transform(current, axcodes2ornt(codes))
    affine = volume.affine @ inv_ornt_aff(change, volume.array.shape)
    return Volume(apply_orientation(volume.array, change), affine)
