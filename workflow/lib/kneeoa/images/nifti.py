"""NIfTI files."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

from kneeoa.errors import UnusableImage
from kneeoa.images.volume import Volume


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file; trailing axes of one entry are dropped, slope and intercept applied (then float32).

    Raises:
        UnusableImage: more than three axes (``not-3d``), or a header that gives no orientation or a bad one (``bad-affine``).
    """
    image = nibabel.load(path)
    if not isinstance(image, nibabel.Nifti1Image):
        raise UnusableImage("unreadable", f"{path.name}: is a {type(image).__name__}, not a NIfTI file.")
    shape = image.shape
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise UnusableImage("not-3d", f"{path.name}: has the shape {image.shape}; expected three axes.")
    if int(image.header["sform_code"]) == 0 and int(image.header["qform_code"]) == 0:
        raise UnusableImage("bad-affine", f"{path.name}: its header gives no orientation (sform and qform codes are both 0).")
    # Unscaled voxels keep their integer type, which halves the memory of the usual 16-bit image.
    array = np.asanyarray(image.dataobj)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return Volume(array.reshape(shape), np.asarray(image.affine, dtype=np.float64))
