"""MetaImage (.mha, .mhd) and NRRD files, through SimpleITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK

from kneeoa.errors import UnusableImage
from kneeoa.images.volume import LPS_TO_RAS, Volume


def read_itk(path: Path) -> Volume:
    """Read a file; array axes are (z, y, x) of the file, as in memory.

    Raises:
        UnusableImage: not three axes (``not-3d``) or several numbers a voxel (``not-greyscale``).
    """
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)  # its warnings go to standard error, past every log
    image = SimpleITK.ReadImage(str(path))
    if image.GetDimension() != 3:
        raise UnusableImage("not-3d", f"{path.name}: has {image.GetDimension()} axes; expected three.")
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise UnusableImage("not-greyscale", f"{path.name}: has {image.GetNumberOfComponentsPerPixel()} numbers a voxel; expected one.")
    linear = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine = np.eye(4)
    affine[:3, :3] = linear[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return Volume(SimpleITK.GetArrayFromImage(image), LPS_TO_RAS @ affine)
