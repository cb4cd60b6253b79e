"""Read NumPy arrays (``.npy``). They hold voxels alone: voxel size and orientation are declared by
the cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kneeoa.errors import UnusableImage
from kneeoa.formats.bare_header import with_declared_orientation
from kneeoa.formats.limits import require_size, require_spacing
from kneeoa.formats.volume import Volume
from kneeoa.formats.voxel_file import read_voxels

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_array(path: Path, orientation: str | None, spacing: Sequence[float] | None) -> Volume:
    """Read a ``.npy`` file of three axes, mapped into memory. Pickled objects are not read.

    Args:
        path: the file.
        orientation: the side that the index of each axis of the array increases to, as ``RIP`` of
            sagittal slices (slice, row, column).
        spacing: mm of a voxel along each of these axes.

    Raises:
        UnusableImage: orientation or spacing is not declared (``missing-geometry``); damaged or cut
            (``unreadable``), other than three axes (``not-3d``), colour, complex numbers or
            pickled objects (``not-greyscale``), ``too-large``, or an ``absurd-spacing``.
    """
    name = path.name
    if orientation is None or spacing is None:
        raise UnusableImage(
            "missing-geometry",
            f"{name}: an array of NumPy has neither orientation nor voxel sizes; declare 'orientation' and 'spacing_mm' of the cohort.",
        )
    require_spacing(spacing, name)
    with path.open("rb") as stream:
        version = np.lib.format.read_magic(stream)
        if version not in _HEADERS:
            raise UnusableImage("unreadable", f"{name}: is a .npy file of version {version[0]}.{version[1]}; expected 1.0 or 2.0.")
        shape, reversed_axes, dtype = _HEADERS[version](stream)
        offset = stream.tell()
    if dtype.kind not in "iuf":
        raise UnusableImage("not-greyscale", f"{name}: its entries are of type {dtype}; expected one integer or decimal number each.")
    if len(shape) != 3:
        raise UnusableImage("not-3d", f"{name}: has the shape {shape}; expected three axes.")
    require_size(shape, name)
    stored = read_voxels(path, offset, int(np.prod(shape)), dtype, "raw").reshape(shape, order="F" if reversed_axes else "C")
    values = stored.astype(np.dtype(np.float32) if dtype.kind == "f" else dtype.newbyteorder("="), copy=False)
    return with_declared_orientation(Volume(values, np.diag([*spacing, 1.0])), orientation, reversed_axes=False)
