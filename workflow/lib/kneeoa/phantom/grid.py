"""A regular grid of voxels in the patient's space."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Affine = npt.NDArray[np.float64]

_DIRECTIONS = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True)
class Grid:
    """Voxels in space.

    Attributes:
        shape: voxels along the three array axes.
        affine: 4 x 4, array index -> millimetres in RAS+ (x to the patient's right, y to the front,
            z to the head).
    """

    shape: tuple[int, int, int]
    affine: Affine

    @property
    def spacing(self) -> npt.NDArray[np.float64]:
        """Millimetres along each array axis, shape (3,)."""
        spacing: npt.NDArray[np.float64] = np.linalg.norm(self.affine[:3, :3], axis=0)
        return spacing

    @property
    def directions(self) -> npt.NDArray[np.float64]:
        """Unit vectors of the array axes as columns, RAS+, shape (3, 3)."""
        return np.asarray(self.affine[:3, :3] / self.spacing)

    def slab(self, start: int, stop: int) -> Grid:
        """The planes ``start:stop`` of the first array axis as another grid."""
        affine = self.affine.copy()
        affine[:3, 3] += start * affine[:3, 0]
        return Grid((stop - start, *self.shape[1:]), affine)

    def translated(self, by: npt.ArrayLike) -> Grid:
        """The grid translated ``by`` millimetres (RAS+)."""
        affine = self.affine.copy()
        affine[:3, 3] += np.asarray(by)
        return Grid(self.shape, affine)

    @classmethod
    def centred(
        cls,
        centre: npt.ArrayLike,
        shape: tuple[int, int, int],
        spacing: npt.ArrayLike,
        axes: str,
        tilt: npt.NDArray[np.float64] | None = None,
    ) -> Grid:
        """A grid whose middle lies at ``centre`` (mm, RAS+).

        ``axes`` names where each array axis points (``"RIP"``: right, inferior, posterior);
        ``tilt`` is a rotation (3 x 3) of the whole grid about its middle.
        """
        linear = axis_directions(axes) * np.asarray(spacing, dtype=np.float64)
        if tilt is not None:
            linear = tilt @ linear
        affine = np.eye(4)
        affine[:3, :3] = linear
        affine[:3, 3] = np.asarray(centre, dtype=np.float64) - linear @ ((np.asarray(shape) - 1) / 2)
        return cls(shape, affine)


def axis_directions(axes: str) -> npt.NDArray[np.float64]:
    """Unit vectors (columns, RAS+) of array axes that point as ``axes`` says; two axes along one
    direction raise ValueError.
    """
    linear = np.zeros((3, 3))
    for column, letter in enumerate(axes):
        row, sign = _DIRECTIONS[letter]
        linear[row, column] = sign
    if abs(np.linalg.det(linear)) != 1:
        raise ValueError(f"'{axes}' does not name three different axes")
    return linear


def rotation(x: float, y: float, z: float) -> npt.NDArray[np.float64]:
    """The rotation by ``x``, then ``y``, then ``z`` degrees about the three axes, shape (3, 3)."""
    turned: npt.NDArray[np.float64] = np.eye(3)
    for axis, angle in enumerate((x, y, z)):
        cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        one = np.eye(3)
        first, second = [other for other in range(3) if other != axis]
        one[first, first] = one[second, second] = cosine
        # The y axis turns z towards x, hence the other sign.
        one[first, second], one[second, first] = (-sine, sine) if axis != 1 else (sine, -sine)
        turned = one @ turned
    return turned


def corners(low: npt.ArrayLike, high: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The eight corners of a box, shape (8, 3)."""
    return np.array(list(itertools.product(*zip(np.asarray(low), np.asarray(high), strict=True))), dtype=np.float64)
