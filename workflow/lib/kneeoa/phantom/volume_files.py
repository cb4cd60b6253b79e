"""Write volumes as NIfTI or MetaImage files; equal voxels give equal bytes."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
import SimpleITK

from kneeoa.phantom.grid import Grid

_LPS = np.array([-1.0, -1.0, 1.0])


def write_nifti(path: Path, voxels: npt.NDArray[np.generic], grid: Grid) -> None:
    """Write ``<name>.nii.gz`` with sform and qform. The gzip header has neither a time nor a
    name.
    """
    image = nibabel.Nifti1Image(voxels, grid.affine)
    image.set_sform(grid.affine, code=1)
    image.set_qform(grid.affine, code=1)
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(image.to_bytes(), compresslevel=4, mtime=0))


def write_metaimage(path: Path, voxels: npt.NDArray[np.uint8], grid: Grid) -> None:
    """Write ``<name>.mha``, compressed. ITK has LPS+ coordinates and numpy's axes in reverse
    order.
    """
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(voxels.T))
    image.SetOrigin([float(value) for value in grid.affine[:3, 3] * _LPS])
    image.SetSpacing([float(value) for value in grid.spacing])
    image.SetDirection([float(value) for value in (grid.directions * _LPS[:, None]).ravel()])
    path.parent.mkdir(parents=True, exist_ok=True)
    SimpleITK.WriteImage(image, str(path), useCompression=True)
