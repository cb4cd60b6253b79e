"""Sound knees whose canonical form is known without any decoder: voxels in canonical order, and the
same voxels as files store them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import View

SHAPE = (20, 32, 30)
SPACING = (4.0, 3.0, 3.2)
VIEW = View(shape=SHAPE, spacing=SPACING)
_AXES = {"R": (0, 1.0), "L": (0, -1.0), "A": (1, 1.0), "P": (1, -1.0), "S": (2, 1.0), "I": (2, -1.0)}
LPS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Knee:
    """A knee on the canonical grid of :data:`VIEW`: nothing has to interpolate it.

    Attributes:
        array: int16, axes (left-right, superior-inferior, anterior-posterior), medial first.
        affine: 4 x 4, RAS+ millimetres.
        side: ``RIGHT`` or ``LEFT``.
    """

    array: NDArray[np.int16]
    affine: NDArray[np.float64]
    side: str

    def stored(self, codes: str = "", dtype: str = "<i2") -> tuple[NDArray[np.generic], NDArray[np.float64]]:
        """Return the voxels with array axes that point along ``codes`` (default: as they are), and
        their affine.
        """
        codes = codes or self.codes
        order = next(p for p in permutations(range(3)) if all(_AXES[codes[i]][0] == _AXES[self.codes[p[i]]][0] for i in range(3)))
        array, affine = np.transpose(self.array, order), self.affine.copy()
        affine[:3, :3] = affine[:3, list(order)]
        for axis in range(3):
            if _AXES[codes[axis]][1] != _AXES[self.codes[order[axis]]][1]:
                affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
                affine[:3, axis] *= -1
                array = np.flip(array, axis)
        return np.ascontiguousarray(array).astype(dtype), affine

    @property
    def codes(self) -> str:
        """Directions of the canonical axes."""
        return ("R" if self.side == "RIGHT" else "L") + "IP"

    def scaled(self) -> NDArray[np.float64]:
        """The canonical array in the network's units: clipped at percentiles 0.5 and 99.5, zero
        mean, unit deviation.
        """
        low, high = np.percentile(self.array, (0.5, 99.5))
        clipped = np.clip(self.array, low, high)
        return np.asarray((clipped - clipped.mean()) / clipped.std())


def knee(seed: int, side: str = "RIGHT") -> Knee:
    """A lopsided pattern with noise of its own: no flip, permutation or other seed looks like it.
    Every other one lies obliquely.
    """
    rng = np.random.default_rng([7, seed])
    i, j, k = np.meshgrid(*(np.linspace(-1, 1, size) for size in SHAPE), indexing="ij")
    waves = 300 * i + 200 * j * (1 + 0.5 * k) - 150 * k**2 + 120 * np.sin(3 * i + 5 * j + rng.uniform(0, 6))
    array = np.clip(900 + waves + rng.normal(0, 60, SHAPE), 1, 4095).astype(np.int16)
    angle = np.radians(6.0 * (seed % 2))
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    linear = np.zeros((3, 3))
    for column, code in enumerate(("R" if side == "RIGHT" else "L") + "IP"):
        linear[_AXES[code][0], column] = _AXES[code][1] * SPACING[column]
    affine = np.eye(4)
    affine[:3, :3] = turn @ linear
    affine[:3, 3] = rng.uniform(-20, 20, 3) - affine[:3, :3] @ ((np.asarray(SHAPE) - 1) / 2)
    return Knee(array, affine, side)
