"""An image with its place in space: array and affine are one value and never separated."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.header_claims import NO_CLAIMS, Claims

Affine = NDArray[np.float64]


class Segment(NamedTuple):
    """A segment as its file's header names it; ``value`` is None where the header gives no label
    value.
    """

    name: str
    value: int | None
    layer: str


@dataclass(frozen=True)
class Volume:
    """A three-dimensional array and its affine.

    Attributes:
        array: voxels, three axes, any numeric type.
        affine: 4 x 4; array index (i, j, k, 1) -> millimetres in RAS+ (x to the right, y to the
            front, z to the head).
        side: the side (``L``, ``R``) that the file itself claims to show.
        declared: the orientation that a cohort declares, where it was used because the header gives
            none; else None.
        segments: the segments that a mask of 3D Slicer names; empty for other files.

    Raises:
        UnusableImage: the array has not three axes (``not-3d``), is empty, or the affine is not
            finite or not invertible (``bad-affine``).
    """

    array: NDArray[np.generic]
    affine: Affine
    side: Claims = NO_CLAIMS
    declared: str | None = None
    segments: tuple[Segment, ...] = ()

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or min(self.array.shape) < 1:
            raise UnusableImage("not-3d", f"the image has the shape {self.array.shape}; expected three axes.")
        if self.array.dtype.kind not in "iufb":
            raise UnusableImage("not-greyscale", f"the voxels are of type {self.array.dtype}; expected one number each.")
        # A voxel of less than a cubic micrometre is a degenerate affine, not a scan.
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all() or abs(np.linalg.det(self.affine[:3, :3])) < 1e-9:
            raise UnusableImage("bad-affine", "the affine (voxel index -> mm) is not finite or not invertible.")

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Millimetres of a voxel along each array axis, shape (3,)."""
        lengths: NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)
        return lengths

    def digest(self) -> str:
        """SHA-256 of type, shape, voxels and affine.

        Voxels are taken in the order in which they lie in memory, and that order is hashed with
        them: copying an array of another order takes several times as long as the hash.
        """
        order = sorted(range(3), key=lambda axis: -abs(self.array.strides[axis]))
        backwards = tuple(slice(None, None, -1 if self.array.strides[axis] < 0 else 1) for axis in order)
        voxels = np.ascontiguousarray(self.array.transpose(order)[backwards])
        layout = [(axis, step.step) for axis, step in zip(order, backwards, strict=True)]
        value = hashlib.sha256(f"{self.array.dtype.str}{self.array.shape}{layout}".encode())
        value.update(voxels.data)
        value.update(np.ascontiguousarray(self.affine, dtype=np.float64).data)
        return value.hexdigest()


LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""DICOM's and ITK's millimetres (LPS) -> ours (RAS+)."""
