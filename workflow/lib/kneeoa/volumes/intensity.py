"""Scale intensities from scanner units to the network's: N4 (if asked), percentile clip and
z-score, by the voxels that lie in the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import Intensity
from kneeoa.errors import UnusableImage
from kneeoa.volumes.canonical import Canonical
from kneeoa.volumes.foreground import otsu_threshold, subsample
from kneeoa.volumes.percentiles import percentile

_FLOAT16_TOP = float(np.finfo(np.float16).max)
_FLAT = 1e-5
"""A range of this share of the level is that of a constant: resampling in single precision leaves a
millionth.
"""


@dataclass(frozen=True)
class Scaled:
    """Voxels in the network's units, and the parameters of the scaling in source units (after N4,
    where asked).
    """

    array: NDArray[np.float16]
    low: float
    high: float
    mean: float
    sd: float


def scale_intensities(canonical: Canonical, intensity: Intensity) -> Scaled:
    """Clip at the image's percentiles and z-score by the clipped image; the padding gets the lower
    clip value.

    ``low`` and ``high`` are the image's least and greatest value where nothing is clipped; ``mean``
    and ``sd`` are those of the clipped voxels in ``intensity.over`` (of all, where no z-score is
    asked for).

    Raises:
        UnusableImage: the image is constant but for rounding (``constant-image``), too bright for
            half precision (``intensity-range``), not finite (``non-finite``), or N4 fails
            (``n4-failed``).
    """
    image = canonical.array[canonical.inside]
    if _is_flat(float(image.min()), float(image.max())):
        raise UnusableImage("constant-image", f"the image is constant ({float(image.flat[0]):g}) on the grid.")
    if intensity.n4:
        from kneeoa.volumes.bias_field import correct_bias_field

        image = correct_bias_field(image, tuple(np.linalg.norm(canonical.affine[:3, :3], axis=0)), intensity.n4_fit)
    low, high = (float(np.float32(percentile(image, rank))) for rank in intensity.clip or (0, 100))
    if _is_flat(low, high):
        raise UnusableImage("constant-image", f"the image is constant ({low:g}) between the percentiles {intensity.clip}.")
    mean, sd = _moments(canonical, image, low, high, intensity.over if intensity.zscore else "image")
    shift, unit = (mean, sd) if intensity.zscore else (0.0, 1.0)
    if max(abs(low - shift), abs(high - shift)) > _FLOAT16_TOP * unit:
        raise UnusableImage("intensity-range", f"intensities from {low:g} to {high:g} do not fit half precision; set 'zscore: true'.")
    out = np.full(canonical.array.shape, (low - shift) / unit, dtype=np.float16)
    for plane, scaled in zip(_planes(image), _planes(out[canonical.inside]), strict=True):
        scaled[:] = (np.clip(plane, low, high) - np.float32(shift)) / np.float32(unit)
    return Scaled(out, low, high, mean, sd)


def _planes(image: NDArray[Any]) -> NDArray[Any]:
    """The planes of a volume, which are worked on one by one to save memory; a picture is one."""
    return image if image.ndim == 3 else image[np.newaxis]


def _is_flat(low: float, high: float) -> bool:
    """Whether values from ``low`` to ``high`` are one value but for rounding; True also where one
    is not a number.
    """
    return not high - low > _FLAT * max(abs(low), abs(high))


def _moments(canonical: Canonical, image: NDArray[np.float32], low: float, high: float, over: str) -> tuple[float, float]:
    """Mean and standard deviation of the clipped voxels in ``over``; sums in double precision,
    plane by plane.

    Raises:
        UnusableImage: there are no such voxels or they are constant (``constant-image``), or one is
            not finite (``non-finite``).
    """
    floor = otsu_threshold(np.clip(subsample(image)[0], low, high)) if over == "foreground" else None
    if over == "centre":
        image = image[_middle_half(canonical)]
    count, total, squares = 0, 0.0, 0.0
    for plane in _planes(image):
        clipped = np.clip(plane, low, high)
        # Distances from the lower limit: no small difference of two large sums.
        values = (clipped if floor is None else clipped[clipped > floor]).ravel().astype(np.float64) - low
        count += values.size
        total += float(values.sum())
        squares += float(np.einsum("i,i", values, values))
    if not np.isfinite(squares):
        raise UnusableImage("non-finite", "the image has voxels that are not numbers.")
    variance = squares / count - (total / count) ** 2 if count else 0.0
    if not variance > (_FLAT * max(abs(low), abs(high))) ** 2:
        raise UnusableImage("constant-image", f"the image's voxels in '{over}', which the z-score is taken from, are constant or none.")
    return low + total / count, float(np.sqrt(variance))


def _middle_half(canonical: Canonical) -> tuple[slice, ...]:
    """Slices of the image's part of the grid that lie in the middle half of the grid along each
    axis.
    """
    box = []
    for size, covered in zip(canonical.array.shape, canonical.inside, strict=True):
        start, stop = size // 4, max(size - size // 4, size // 4 + 1)
        box.append(slice(max(start - covered.start, 0), max(min(stop, covered.stop) - covered.start, 0)))
    return tuple(box)
