"""Read MetaImage files (``.mha``, ``.mhd`` with ``.raw`` or ``.zraw``) strictly.

MetaIO, the library behind SimpleITK, silently accepts damaged compressed voxels, sizes that do not
fit the voxels and negative spacing; so the format is read here, and the tests compare with
SimpleITK.
"""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np

from kneeoa.errors import UnusableImage
from kneeoa.formats.converted_echo import ECHO_HINT, pick_echo
from kneeoa.formats.limits import require_size, require_spacing
from kneeoa.formats.volume import LPS_TO_RAS, Affine, Volume
from kneeoa.formats.voxel_file import find_data_file, read_voxels

_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4", "MET_LONG": "i4",
    "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
# Bytes; a longer header is no header.
_MAX_HEADER = 1 << 16
_LAST_FIELD = "elementdatafile"


def read_metaimage(path: Path, echo: int | None = None) -> Volume:
    """Read a file; array axes are (z, y, x) of the file, as in memory. Without a transform its axes
    are the patient's (LPS), as in ITK.

    Args:
        path: the file.
        echo: which volume of a fourth axis, from 1 (:mod:`kneeoa.formats.converted_echo`).

    Raises:
        UnusableImage: damaged or cut (``unreadable``), more voxels than its size
            (``wrong-dimensions``), not three axes (``not-3d``), several numbers a voxel
            (``not-greyscale``), no or impossible geometry (``missing-geometry``, ``bad-affine``,
            ``absurd-spacing``), voxels in several files, as text or scaled (``unsupported-meta``),
            or in a file elsewhere or gone (``outside-folder``, ``missing-file``).
    """
    fields, offset = _header(path)
    sizes = [int(number) for number in _numbers(fields, "dimsize", path.name) or []]
    axes = int(fields.get("ndims", "0"))
    if not (axes == 3 or (axes == 4 and echo is not None)) or len(sizes) != axes or min(sizes) < 1:
        hint = ECHO_HINT if axes == 4 else ""
        raise UnusableImage("not-3d", f"{path.name}: has {fields.get('ndims', 'no number of')[:4]} axes; expected three{hint}.")
    require_size(sizes, path.name)
    affine = _affine(fields, path.name, axes)
    voxels, offset = _voxel_location(path, fields, offset)
    kind = fields.get("elementtype", "").upper()
    if int(fields.get("elementnumberofchannels", "1")) != 1 or kind.endswith("_ARRAY"):
        raise UnusableImage("not-greyscale", f"{path.name}: has several numbers a voxel; expected one.")
    if kind not in _TYPES:
        raise UnusableImage("unreadable", f"{path.name}: its header names a type of voxel that does not exist; is it damaged?")
    big = _is_true(fields, "binarydatabyteordermsb") or _is_true(fields, "elementbyteordermsb")
    dtype = np.dtype((">" if big else "<") + _TYPES[kind])
    stored = read_voxels(voxels, offset, prod(sizes), dtype, "zlib" if _is_true(fields, "compresseddata") else "raw")
    chosen = pick_echo(list(stored.reshape(-1, prod(sizes[:3]))), echo, path)
    return Volume(chosen.astype(dtype.newbyteorder("="), copy=False).reshape(sizes[2::-1]), LPS_TO_RAS @ affine)


def _header(path: Path) -> tuple[dict[str, str], int]:
    """Fields by their names in lower case, and the byte after the last one."""
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while _LAST_FIELD not in fields and stream.tell() < _MAX_HEADER:
            line = stream.readline(_MAX_HEADER).decode("utf-8", errors="replace")
            key, equals, value = line.partition("=")
            if not equals:
                break
            fields[key.strip().lower()] = value.strip()
        if _LAST_FIELD not in fields:
            raise UnusableImage("unreadable", f"{path.name}: is not a MetaImage file; is it damaged or empty?")
        return fields, stream.tell()


def _voxel_location(path: Path, fields: dict[str, str], offset: int) -> tuple[Path, int]:
    """The file of the voxels and the byte at which they begin."""
    file_name, skipped = fields[_LAST_FIELD], int(fields.get("headersize", "0"))
    scaled = (fields.get("elementtointensityfunctionslope", "1"), fields.get("elementtointensityfunctionoffset", "0"))
    if not _is_true(fields, "binarydata", "true") or [float(value) for value in scaled] != [1.0, 0.0]:
        raise UnusableImage("unsupported-meta", f"{path.name}: keeps its voxels as text or scaled; save it again as plain numbers.")
    if file_name.upper() == "LOCAL":
        return path, offset
    if file_name.upper().startswith("LIST") or "%" in file_name or skipped < 0:
        raise UnusableImage("unsupported-meta", f"{path.name}: keeps its voxels in several files or behind others; save it as '.mha'.")
    return find_data_file(path, file_name), skipped


def _affine(fields: dict[str, str], name: str, axes: int) -> Affine:
    """Index -> mm (LPS) of the first three of three or four axes."""
    spacing = _numbers(fields, "elementspacing", name) or _numbers(fields, "elementsize", name)
    if spacing is None or len(spacing) != axes:
        raise UnusableImage("missing-geometry", f"{name}: its header gives no spacing (ElementSpacing).")
    spacing = spacing[:3]
    require_spacing(spacing, name)
    matrix = next((numbers for key in ("transformmatrix", "rotation", "orientation") if (numbers := _numbers(fields, key, name))), None)
    origin = next((numbers for key in ("offset", "position", "origin") if (numbers := _numbers(fields, key, name))), [0.0] * axes)
    directions = np.eye(axes) if matrix is None else np.array(matrix)
    if directions.size != axes**2 or len(origin) != axes:
        raise UnusableImage("bad-affine", f"{name}: its transform or origin has too few or too many numbers.")
    affine = np.eye(4)
    # A row of the matrix is the direction of an axis; array axes run the other way round.
    affine[:3, :3] = (directions.reshape(axes, axes)[:3, :3] * np.array(spacing)[:, None]).T[:, ::-1]
    affine[:3, 3] = origin[:3]
    return affine


def _numbers(fields: dict[str, str], key: str, name: str) -> list[float] | None:
    if key not in fields:
        return None
    try:
        return [float(word) for word in fields[key].split()]
    except ValueError:
        raise UnusableImage("unreadable", f"{name}: its field {key} does not hold numbers; is it damaged?") from None


def _is_true(fields: dict[str, str], key: str, default: str = "false") -> bool:
    return fields.get(key, default).lower() in ("true", "1", "t")
