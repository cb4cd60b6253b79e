"""The bytes of NIfTI, MetaImage and NRRD files, made by hand so that every field of a header can be
bent.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.ingestion.faults.knees import LPS, Knee

_NIFTI_TYPES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "c8": 32, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "c16": 1792}
_META_TYPES = {"u1": "MET_UCHAR", "i2": "MET_SHORT", "u2": "MET_USHORT", "i4": "MET_INT", "f4": "MET_FLOAT", "f8": "MET_DOUBLE"}
_NRRD_TYPES = {"u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "f4": "float", "f8": "double"}

# Byte offset and type of the fields of a NIfTI-1 header that are bent (nifti1.h).
FIELDS = {
    "sizeof_hdr": (0, "i"), "ndim": (40, "h"), "dim1": (42, "h"), "dim2": (44, "h"), "dim3": (46, "h"), "dim4": (48, "h"),
    "dim5": (50, "h"), "datatype": (70, "h"), "bitpix": (72, "h"), "pixdim0": (76, "f"), "pixdim1": (80, "f"), "pixdim2": (84, "f"),
    "pixdim3": (88, "f"), "vox_offset": (108, "f"), "scl_slope": (112, "f"), "scl_inter": (116, "f"), "xyzt_units": (123, "B"),
    "qform_code": (252, "h"), "sform_code": (254, "h"), "quatern_b": (256, "f"), "quatern_c": (260, "f"), "quatern_d": (264, "f"),
    "qoffset_x": (268, "f"), "qoffset_y": (272, "f"), "qoffset_z": (276, "f"),
    **{f"srow{row}{column}": (280 + 16 * row + 4 * column, "f") for row in range(3) for column in range(4)},
}  # fmt: skip


def nifti(knee: Knee, codes: str = "RAS", dtype: str = "<i2", **fields: float) -> bytes:
    """A NIfTI-1 file with an sform; ``fields`` overwrites header fields."""
    array, affine = knee.stored(codes, dtype)
    return nifti_of(array, affine, **fields)


def nifti_of(array: NDArray[Any], affine: NDArray[np.float64], *, text: dict[int, bytes] | None = None, **fields: float) -> bytes:
    """Any array and affine; ``text`` overwrites bytes at an offset."""
    order = array.dtype.str[0].replace("|", "<")
    header = bytearray(352)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    values: dict[str, float] = {
        "sizeof_hdr": 348, "ndim": array.ndim, "datatype": _NIFTI_TYPES[array.dtype.str[1:]], "bitpix": 8 * array.dtype.itemsize,
        "pixdim0": 1, "pixdim1": spacing[0], "pixdim2": spacing[1], "pixdim3": spacing[2], "vox_offset": 352, "scl_slope": 1,
        "xyzt_units": 2, "sform_code": 1,
        **{f"srow{row}{column}": affine[row, column] for row in range(3) for column in range(4)},
    }  # fmt: skip
    for axis in range(7):
        struct.pack_into(f"{order}h", header, 42 + 2 * axis, array.shape[axis] if axis < array.ndim else 1)
    for name, value in (values | fields).items():
        offset, kind = FIELDS[name]
        struct.pack_into(order + kind, header, offset, value if kind == "f" else int(value))
    header[344:348] = b"n+1\0"
    for offset, content in (text or {}).items():
        header[offset : offset + len(content)] = content
    return bytes(header) + array.tobytes(order="F")


def nifti2_of(array: NDArray[Any], affine: NDArray[np.float64], *, shape: tuple[int, ...] | None = None) -> bytes:
    """A NIfTI-2 file (nifti2.h), whose header can claim more than 32767 voxels an axis."""
    header = bytearray(544)
    struct.pack_into("<i", header, 0, 540)
    header[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into("<hh", header, 12, _NIFTI_TYPES[array.dtype.str[1:]], 8 * array.dtype.itemsize)
    sizes = shape or array.shape
    struct.pack_into("<8q", header, 16, len(sizes), *sizes, *([1] * (7 - len(sizes))))
    struct.pack_into("<4d", header, 104, 1, *np.linalg.norm(affine[:3, :3], axis=0))
    struct.pack_into("<q", header, 168, 544)
    struct.pack_into("<d", header, 176, 1.0)
    struct.pack_into("<ii", header, 344, 0, 1)
    struct.pack_into("<12d", header, 400, *affine[:3].ravel())
    return bytes(header) + array.tobytes(order="F")


def meta_fields(knee: Knee, codes: str = "LPS", dtype: str = "<i2") -> tuple[dict[str, str], bytes]:
    """Header fields and voxels of a MetaImage (LPS+ millimetres; the first index changes
    fastest).
    """
    array, affine = knee.stored(codes, dtype)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    directions = LPS @ affine[:3, :3] / spacing
    fields = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": str(array.dtype.str[0] == ">"),
        "CompressedData": "False",
        "TransformMatrix": _numbers(directions.T.ravel()),
        "Offset": _numbers(LPS @ affine[:3, 3]),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": _numbers(spacing),
        "DimSize": " ".join(map(str, array.shape)),
        "ElementType": _META_TYPES[array.dtype.str[1:]],
    }
    return fields, array.tobytes(order="F")


def meta(knee: Knee, codes: str = "LPS", dtype: str = "<i2", data_file: str = "LOCAL", **fields: str | None) -> tuple[bytes, bytes]:
    """Header and voxels of a MetaImage; ``fields`` overwrites, None leaves out."""
    fields_written, voxels = meta_fields(knee, codes, dtype)
    chosen = {key: value for key, value in (fields_written | fields).items() if value is not None}
    text = "".join(f"{key} = {value}\n" for key, value in chosen.items()) + f"ElementDataFile = {data_file}\n"
    return text.encode(), voxels


def nrrd(
    knee: Knee, codes: str = "LPS", dtype: str = "<i2", pack: Callable[[bytes], bytes] | None = gzip.compress, **fields: str | None
) -> bytes:
    """An NRRD file with a space; ``fields`` (blanks as underscores) overwrites, None leaves out;
    ``pack`` compresses.
    """
    array, affine = knee.stored(codes, dtype)
    columns = (LPS @ affine[:3, :3]).T
    fields_written = {
        "type": _NRRD_TYPES[array.dtype.str[1:]],
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": " ".join(map(str, array.shape)),
        "space directions": " ".join(_vector(column) for column in columns),
        "kinds": "domain domain domain",
        "endian": "big" if array.dtype.str[0] == ">" else "little",
        "encoding": "raw" if pack is None else "gzip",
        "space origin": _vector(LPS @ affine[:3, 3]),
    }
    fields_written |= {key.replace("_", " "): value for key, value in fields.items()}
    text = "NRRD0004\n" + "".join(f"{key}: {value}\n" for key, value in fields_written.items() if value is not None) + "\n"
    voxels = array.tobytes(order="F")
    return text.encode() + (voxels if pack is None else pack(voxels))


def _numbers(values: NDArray[np.float64]) -> str:
    return " ".join(f"{value:.9g}" for value in values)


def _vector(values: NDArray[np.float64]) -> str:
    return "(" + ",".join(f"{value:.9g}" for value in values) + ")"
