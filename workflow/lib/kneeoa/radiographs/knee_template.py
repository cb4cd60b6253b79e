"""A drawing of a knee from the front, made from a dozen numbers, and its fit at every place of a
picture.

The drawing holds what every frontal radiograph of a knee shows: the dark joint space, level between
each condyle and its half of the plateau and arched over the spines into the notch; the dense plate
below it; bones that narrow away from the joint. It is symmetric, so one drawing serves both sides.
The fit is the normalised cross-correlation (Lewis 1995, *Fast Normalized Cross-Correlation*) of how
grey changes from head to foot, over its local contrast: the borders of shafts and legs, veils and
exposure hardly count.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.sparse import csr_array

from kneeoa.volumes.resample import axis_weights

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Detail:
    """Steps in which a picture is searched.

    Attributes:
        width: pixels of the tibial plateau's width in the drawing; pictures are brought to it.
        ratio: between one width that is tried and the next.
    """

    width: int
    ratio: float


FINE = Detail(48, 1.1)
COARSE = Detail(28, 1.25)
"""A seventh of the work of ``FINE``; what a knee fits by differs by some hundredths."""
ANGLES = (-8.0, -4.0, 0.0, 4.0, 8.0)
"""Tilts of the leg (degrees) that are tried."""
# The drawing's window in widths of the plateau: (from, to) from the joint's centre.
_DOWN, _ACROSS = (-0.32, 0.28), (-0.58, 0.58)
# Widths over which a picture is smoothed, and over which its contrast is taken.
_NARROW, _BROAD = 0.02, 0.2
_SOFT, _DENSE = 0.8, 1.3
"""Grey levels of soft tissue and of the plate below the joint, where bone is 1."""
_SPACE, _PLATE = 0.03, 0.1
"""Half the height of the joint space, and where the plate ends."""
_ARCH = (0.27, 0.12)
"""Half width and height of the arch over the spines."""


def resized(picture: Floats, shape: tuple[int, int]) -> Floats:
    """The picture with ``shape`` pixels over the same extent, each the mean of what it covers."""
    out: Floats = picture
    for axis, new in enumerate(shape):
        weights = _weights(picture.shape[axis], new)
        out = np.asarray(weights @ out if axis == 0 else (weights @ out.T).T, dtype=np.float32)
    return out


@lru_cache(maxsize=128)
def _weights(size: int, new: int) -> csr_array:
    """Weights that resize an axis from ``size`` pixels to ``new``."""
    step = size / new
    return axis_weights((np.arange(new, dtype=np.float64) + 0.5) * step - 0.5, size, step)


def normalised(picture: Floats, width: int) -> Floats:
    """Return the change of grey from head to foot in a picture with knees of ``width`` pixels, over
    its local contrast.
    """
    detail = ndimage.gaussian_filter(picture, _NARROW * width, order=(1, 0), mode="nearest")
    power = detail**2
    contrast = np.sqrt(ndimage.gaussian_filter(power, _BROAD * width, mode="nearest"))
    # A floor, so that the noise of air is not blown up to the contrast of bone.
    floor = 0.5 * np.sqrt(power.mean()) + np.finfo(np.float32).tiny
    return np.asarray(detail / (contrast + floor), dtype=np.float32)


@cache
def drawing(angle: float, width: int) -> Floats:
    """The knee of ``width`` pixels tilted by ``angle`` degrees, locally normalised, mean zero and
    length one; odd shape, the joint in the middle pixel.
    """
    reach = [int(np.ceil(max(-low, high) * width)) for low, high in (_DOWN, _ACROSS)]
    margin = int(np.ceil(2 * _BROAD * width))
    sizes = [np.arange(-size - margin, size + margin + 1) / width for size in reach]
    down, across = np.meshgrid(*sizes, indexing="ij")
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    picture = normalised(_bones(c * down - s * across, c * across + s * down), width)
    window = (down >= _DOWN[0]) & (down <= _DOWN[1]) & (np.abs(across) <= _ACROSS[1])
    picture = np.where(window, picture - picture[window].mean(), 0.0)[margin:-margin, margin:-margin]
    return np.asarray(picture / np.linalg.norm(picture), dtype=np.float32)


@lru_cache(maxsize=32)
def _spectra(shape: tuple[int, int], width: int) -> NDArray[np.complex64]:
    """Fourier transforms of the drawings at each of ``ANGLES``, turned by half a circle and padded
    to ``shape``.
    """
    return np.stack([fft.rfft2(drawing(angle, width)[::-1, ::-1], shape) for angle in ANGLES])


def fit(picture: Floats, width: int) -> Floats:
    """Correlation in [-1, 1] of the drawing at each of ``ANGLES`` with every place of a picture,
    ``[angles, rows, columns]``.

    A negative of the picture has the negative of its correlations. What lies outside the picture
    counts as featureless.

    Args:
        picture: knees in it are ``width`` pixels wide.
        width: of the drawing.
    """
    detail = normalised(picture, width)
    upright = drawing(0.0, width)
    down, across = (fft.next_fast_len(size + extra - 1, real=True) for size, extra in zip(detail.shape, upright.shape, strict=True))
    spectrum = fft.rfft2(detail, (down, across))
    start = [size // 2 for size in upright.shape]
    inside = tuple(slice(first, first + size) for first, size in zip(start, detail.shape, strict=True))
    products = np.stack([fft.irfft2(spectrum * knee, (down, across))[inside] for knee in _spectra((down, across), width)])
    power = ndimage.uniform_filter(detail**2, upright.shape, mode="constant") * upright.size
    # Where next to nothing is to be seen the ratio would be noise.
    length = np.sqrt(np.maximum(power, 0.5 * power.max())) + np.finfo(np.float32).tiny
    return np.asarray(products / length, dtype=np.float32)


def _bones(down: NDArray[np.float64], across: NDArray[np.float64]) -> Floats:
    """Bone 1, soft tissue less; lengths are widths of the plateau."""
    x = np.abs(across)
    # The joint space from one margin to the other: level between condyle and plateau, arched over
    # the spines up into the notch.
    arch = 0.5 + 0.5 * np.cos(np.pi * np.minimum(x / _ARCH[0], 1.0))
    space = np.abs(down + _ARCH[1] * arch) < _SPACE * (1.0 + 0.5 * arch)
    half = np.interp(down, [-0.75, -0.5, -0.3, 0.1, 0.3, 0.65], [0.25, 0.36, 0.48, 0.48, 0.4, 0.22])
    bone = np.where((down > 0.0) & (down < _PLATE) & (x > 0.12), _DENSE, 1.0)
    return np.where((x < half) & ~space, bone, _SOFT).astype(np.float32)
