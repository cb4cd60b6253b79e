"""An image painted over a real segmentation whose own image is not there: what DESS shows of each
tissue, with all that blurs it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_FEMUR, _TIBIA, _PATELLA, _LESIONS = 1, 3, 5, (7, 8, 9)
_CARTILAGE = (2, 4, 6)


def paint(
    labels: NDArray[np.integer], spacing: NDArray[np.float64], rng: np.random.Generator, *, noise: float = 0.1, bias: float = 0.3
) -> NDArray[np.int16]:
    """Stored values on the map's own grid.

    Relative signal: marrow 0.2 with a dark cortex and lesions of 0.7, cartilage 1 with texture;
    within 6 mm of cartilage pools of fluid (1.75), meniscus (0.15) and synovium (0.42); else muscle
    and fat. Then blur (partial volume), a coil's bias field and Rician noise.
    """
    shape = labels.shape
    cartilage, bone = np.isin(labels, _CARTILAGE), np.isin(labels, (_FEMUR, _TIBIA, _PATELLA, *_LESIONS))
    coarse = ndimage.distance_transform_edt(~cartilage[::2, ::2, ::2], sampling=spacing * 2)
    near = coarse.repeat(2, 0).repeat(2, 1).repeat(2, 2)[: shape[0], : shape[1], : shape[2]]
    soft, pools = _waves(rng, shape, 9, spacing), _waves(rng, shape, 5, spacing)
    image = np.where(soft > 0.2, 0.56, 0.27).astype(np.float32)
    joint = near < 6
    image[joint] = np.where(pools[joint] > 0.7, 1.75, np.where(pools[joint] < -0.3, 0.15, 0.42))
    image[bone] = 0.2 + 0.04 * pools[bone]
    image[bone & (_waves(rng, shape, 12, spacing) > 2.2) & (near < 15)] = 0.7
    image[bone & ~ndimage.binary_erosion(bone, iterations=2)] = 0.06
    image[cartilage] = 1 + 0.08 * pools[cartilage]
    image = ndimage.gaussian_filter(image, 0.22 / spacing)
    image *= 1 + bias * np.clip(_waves(rng, shape, 90, spacing), -1.5, 1.5) / 1.5
    real, imaginary = (noise * rng.standard_normal(shape, dtype=np.float32) for _ in range(2))
    painted: NDArray[np.int16] = (500 * np.hypot(image + real, imaginary)).astype(np.int16)
    return painted


def _waves(rng: np.random.Generator, shape: tuple[int, ...], length: float, spacing: NDArray[np.float64]) -> NDArray[np.float32]:
    """Smooth noise of unit variance that changes over ``length`` mm."""
    small = [max(4, int(size * step / length * 1.5)) for size, step in zip(shape, spacing, strict=True)]
    field = ndimage.gaussian_filter(rng.standard_normal(small), 1.0)
    waves = (field / field.std()).astype(np.float32)
    # Linear between the small grid's voxels, one axis after another, as products of matrices:
    # several times as fast as ndimage.zoom.
    for size in shape:
        count = waves.shape[0]
        there = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)
        weights = np.maximum(0, 1 - np.abs(there[:, None] - np.arange(count))).astype(np.float32)
        waves = np.tensordot(waves, weights, axes=(0, 1))
    return np.ascontiguousarray(waves)
