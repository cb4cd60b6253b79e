"""Recognise headers that give no orientation, and apply the one that a cohort declares for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kneeoa.formats.volume import Affine, Volume

_AXES = {"R": (0, 1.0), "L": (0, -1.0), "A": (1, 1.0), "P": (1, -1.0), "S": (2, 1.0), "I": (2, -1.0)}
# Directions of an array's axes that writers assume where they know the voxel sizes alone: RAS+
# (NIfTI), LPS (ITK, DICOM), LAS (Analyze).
_DEFAULTS = ((1, 1, 1), (-1, -1, 1), (-1, 1, 1))
_ALIGNED = 1e-6  # of a direction's cosines
_ZERO_MM = 1e-3


def lacks_orientation(shape: Sequence[int], affine: NDArray[np.float64]) -> bool:
    """Whether an affine is that of a writer who knew the voxel sizes alone: axes along the
    patient's, in any order, from an origin of exactly 0.

    The test looks at the box that the voxels fill, so that it also recognises such a file whose
    axes were flipped afterwards: one of its corners lies at exactly 0, and it reaches from there to
    where a default's axes point, or its axes are in the patient's order (x, y, z or z, y, x),
    whichever way they point. A scanner puts no voxel at exactly 0 in all three directions. An
    origin of 0 under other directions is accepted, as such directions are written only where they
    are known.

    Args:
        shape: voxels along each axis.
        affine: 4 x 4, index -> mm (RAS+).
    """
    linear = affine[:3, :3]
    cosines = np.abs(linear) / np.linalg.norm(linear, axis=0)
    along = cosines > 0.5
    if float(np.abs(cosines - along).max()) > _ALIGNED:
        return False
    ends = np.stack([affine[:3, 3], affine[:3, 3] + linear @ (np.asarray(shape) - 1)])
    if not (np.abs(ends) <= _ZERO_MM).any(axis=0).all():
        return False
    ordered = bool(along.diagonal().all() or along[:, ::-1].diagonal().all())
    return ordered or tuple(np.sign(ends.sum(axis=0)).astype(int)) in _DEFAULTS


def with_declared_orientation(volume: Volume, codes: str, *, reversed_axes: bool) -> Volume:
    """Point the axes of a volume along ``codes`` and put its middle at the world's origin: its
    place in the scanner is not known.

    Args:
        volume: of a file whose header gives no orientation; its voxel sizes are kept.
        codes: for each axis as the file's header counts them the side that its index increases to.
        reversed_axes: the array has the header's axes in reverse order.
    """
    affine: Affine = np.diag([0.0, 0.0, 0.0, 1.0])
    for axis, code in enumerate(codes[::-1] if reversed_axes else codes):
        row, sign = _AXES[code]
        affine[row, axis] = sign * volume.spacing[axis]
    affine[:3, 3] = -affine[:3, :3] @ ((np.asarray(volume.array.shape) - 1) / 2)
    return replace(volume, affine=affine, declared=codes)
