"""From scanner units to the network's: N4 (if asked), percentile clip, z-score, by the voxels that lie in the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import Intensity
from kneeoa.errors import UnusableImage
from kneeoa.images.canonical import Canonical

_FLOAT16_TOP = float(np.finfo(np.float16).max)
# N4 fits splines of four control points an axis: fewer voxels than this along a shrunken axis would not carry them.
_N4_LEAST = 16
_N4_SHRINK = 4


@dataclass(frozen=True)
class Scaled:
    """Voxels in the network's units and how they came about, in source units (after N4, where asked)."""

    array: NDArray[np.float16]
    low: float
    high: float
    mean: float
    sd: float


def scale(canonical: Canonical, intensity: Intensity) -> Scaled:
    """Clip at the image's percentiles and z-score by the clipped image; the padding gets the lower clip value.

    Raises:
        UnusableImage: the image is constant (``constant-image``) or too bright for half precision (``intensity-range``).
    """
    array = _n4(canonical) if intensity.n4 else canonical.array
    image = array[canonical.inside]
    low, high = (float(value) for value in np.percentile(image, intensity.clip))
    if not high > low:
        raise UnusableImage("constant-image", f"the image is constant ({low:g}) between the percentiles {intensity.clip}.")
    clipped = np.clip(image, low, high)
    mean, sd = float(clipped.mean(dtype=np.float64)), float(clipped.std(dtype=np.float64))
    shift, unit = (mean, sd) if intensity.zscore else (0.0, 1.0)
    if max(abs(low - shift), abs(high - shift)) / unit > _FLOAT16_TOP:
        raise UnusableImage("intensity-range", f"intensities up to {high:g} do not fit half precision; set 'zscore: true'.")
    out = np.full(array.shape, (low - shift) / unit, dtype=np.float16)
    out[canonical.inside] = (clipped - np.float32(shift)) / np.float32(unit)
    return Scaled(out, low, high, mean, sd)


def _n4(canonical: Canonical) -> NDArray[np.float32]:
    """N4 bias-field correction (Tustison 2010) of the voxels in the image; the foreground is Otsu's."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(canonical.array[canonical.inside])
    lengths = np.linalg.norm(canonical.affine[:3, :3], axis=0)
    image.SetSpacing([float(value) for value in lengths[::-1]])
    mask = SimpleITK.OtsuThreshold(image, 0, 1)
    shrink = [max(1, min(_N4_SHRINK, size // _N4_LEAST)) for size in image.GetSize()]
    n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
    n4.SetNumberOfThreads(1)  # sums over threads differ in their last bits
    n4.Execute(SimpleITK.Shrink(image, shrink), SimpleITK.Shrink(mask, shrink))
    field = SimpleITK.GetArrayFromImage(SimpleITK.Exp(SimpleITK.Cast(n4.GetLogBiasFieldAsImage(image), SimpleITK.sitkFloat32)))
    out = canonical.array.copy()
    out[canonical.inside] /= field
    return out
