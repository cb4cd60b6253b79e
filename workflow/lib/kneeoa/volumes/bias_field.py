"""N4 bias-field correction (Tustison et al., IEEE Trans Med Imaging 2010;29:1310), through
SimpleITK.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kneeoa.config.volumes import N4
from kneeoa.errors import UnusableImage

# The field is a spline of four control points an axis: it needs at least this many voxels along a
# shrunken axis.
_MIN_VOXELS = 16


def correct_bias_field(image: NDArray[np.float32], spacing: tuple[float, ...], fit: N4) -> NDArray[np.float32]:
    """Divide an image by its bias field, which is fitted to the shrunken image's foreground (Otsu)
    and evaluated at every voxel.

    Args:
        image: three axes.
        spacing: mm of a voxel along each axis.
        fit: N4's parameters.

    Raises:
        UnusableImage: the image has no foreground to fit, or the field is not finite
            (``n4-failed``).
    """
    import SimpleITK

    picture = SimpleITK.GetImageFromArray(image)
    picture.SetSpacing([float(value) for value in spacing[::-1]])
    shrink = [max(1, min(fit.shrink, size // _MIN_VOXELS)) for size in picture.GetSize()]
    n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(list(fit.iterations))
    n4.SetConvergenceThreshold(fit.convergence)
    n4.SetNumberOfThreads(1)  # sums over threads differ in their last bits
    mask = SimpleITK.Shrink(SimpleITK.OtsuThreshold(picture, 0, 1), shrink)
    if not SimpleITK.GetArrayViewFromImage(mask).any():  # N4 itself would return the image as it is
        raise UnusableImage("n4-failed", "the image has no foreground that a bias field could be fitted to.")
    try:
        n4.Execute(SimpleITK.Shrink(picture, shrink), mask)
        field = SimpleITK.GetArrayFromImage(SimpleITK.Cast(n4.GetLogBiasFieldAsImage(picture), SimpleITK.sitkFloat32))
    except RuntimeError as error:
        raise UnusableImage("n4-failed", "N4 cannot fit a bias field to the image.") from error
    out: NDArray[np.float32] = image / np.exp(field)
    if not np.isfinite(out).all():
        raise UnusableImage("n4-failed", "N4's bias field is not finite.")
    return out
