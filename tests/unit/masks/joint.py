"""A toy joint in the world: two bones, each with a cap of cartilage, lopsided in every direction;
bright caps on dark bone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.unit.formats.made import world

TISSUES = {"femur": (1,), "femoral_cartilage": (2,), "tibia": (3,), "tibial_cartilage": (4,)}
BRIGHTNESS = np.array([300.0, 100.0, 900.0, 100.0, 900.0])


def labels(affine: NDArray[np.float64], shape: tuple[int, ...], *, stretch: float = 1.0, thickness: float = 3.0) -> NDArray[np.uint8]:
    """Labels (1 femur, 2 its cartilage, 3 tibia, 4 its cartilage) at the voxels' centres; the joint
    lies at the world's origin.

    ``stretch`` makes it another knee: wider and set elsewhere.
    """
    x, y, z = np.moveaxis(world(affine, shape), -1, 0)
    x, y, z = x / stretch, y - 12 * (stretch - 1), z + 15 * (stretch - 1)
    out = np.zeros(shape, dtype=np.uint8)
    # Two condyles of unequal size; the caps face the foot. The plateau slopes, its cap faces the
    # head.
    for centre, radius in (((-13, 2, 20), 19.0), ((14, -3, 22), 21.0)):
        distance = np.sqrt((x - centre[0]) ** 2 + 1.3 * (y - centre[1]) ** 2 + (z - centre[2]) ** 2) - radius
        out[(distance < 0) & (out == 0)] = 1
        out[(distance < 0) & (distance > -thickness) & (z < centre[2] - 6)] = 2
    out[(z > 20) & (z < 45) & (np.abs(x) < 18) & (np.abs(y) < 14)] = 1
    height = -2 + 0.08 * x - 0.12 * y
    plateau = (np.abs(x) < 33) & (np.abs(y + 2) < 22) & (z < height) & (z > -40) & (out == 0)
    out[plateau] = 3
    out[plateau & (z > height - thickness) & (np.abs(x) > 6)] = 4
    return out


def picture(affine: NDArray[np.float64], shape: tuple[int, ...], seed: int = 0, *, noise: float = 60.0) -> NDArray[np.int16]:
    """The joint as a noisy image on a grid, with a bias field along the slices."""
    rng = np.random.default_rng(seed)
    bias = 1 + 0.2 * np.linspace(-1, 1, shape[0])[:, None, None]
    return (BRIGHTNESS[labels(affine, shape)] * bias + rng.normal(0, noise, shape)).astype(np.int16)
