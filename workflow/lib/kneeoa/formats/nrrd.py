"""Read NRRD files (``.nrrd``, ``.seg.nrrd``, ``.nhdr`` with its voxels beside it), to the last
byte.
"""

from __future__ import annotations

import re
from math import prod
from pathlib import Path

import numpy as np

from kneeoa.errors import UnusableImage
from kneeoa.formats.converted_echo import ECHO_HINT, pick_echo
from kneeoa.formats.limits import require_size
from kneeoa.formats.nrrd_header import NrrdHeader, read_header, segments
from kneeoa.formats.volume import LPS_TO_RAS, Affine, Volume
from kneeoa.formats.voxel_file import Encoding, find_data_file, read_voxels

_SPACES = {
    "left-posterior-superior": LPS_TO_RAS, "lps": LPS_TO_RAS,
    "right-anterior-superior": np.eye(4), "ras": np.eye(4),
    "left-anterior-superior": np.diag([-1.0, 1.0, 1.0, 1.0]), "las": np.diag([-1.0, 1.0, 1.0, 1.0]),
}  # fmt: skip
_ENCODINGS: dict[str, Encoding] = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
_INTEGERS = {"char": "1", "short": "2", "int": "4", "long long": "8", "longlong": "8"}


def read_nrrd(path: Path, echo: int | None = None, *, bare: bool = False) -> Volume:
    """Read a file; array axes are the file's, reversed (as in memory). Axes of one entry that are
    not in space are dropped.

    Args:
        path: the file.
        echo: which volume of a fourth axis, a list, from 1
            (:mod:`kneeoa.formats.converted_echo`).
        bare: where the header gives no directions, use the voxel sizes (``spacings``) alone, along
            the patient's axes.

    Raises:
        UnusableImage: damaged or cut (``unreadable``), more voxels than its size
            (``wrong-dimensions``), not three axes in space (``not-3d``), segments in several layers
            (``layered-segmentation``), several numbers a voxel (``not-greyscale``), no orientation
            or an impossible one (``bad-affine``), axes of an unknown space (``ambiguous-affine``),
            voxels as text or in several files (``unsupported-nrrd``), or in a file elsewhere or
            gone (``outside-folder``, ``missing-file``).
    """
    header = read_header(path)
    fields = _with_directions(header.fields) if bare else header.fields
    sizes, columns, list_axis = _axes(NrrdHeader(fields, header.pairs, header.offset), path.name, fourth=echo is not None)
    require_size(sizes, path.name)
    affine = _affine(fields, columns, path.name)
    dtype = _dtype(fields, path.name)
    encoding = fields.get("encoding", "").lower()
    data_file = fields.get("data file", fields.get("datafile"))
    skips = {int(fields.get(key, "0")) for key in ("line skip", "lineskip", "byte skip", "byteskip")}
    if encoding not in _ENCODINGS or skips != {0} or (data_file and (data_file.upper().startswith("LIST") or "%" in data_file)):
        raise UnusableImage("unsupported-nrrd", f"{path.name}: keeps its voxels as text, in several files or behind others; save it again.")
    voxels, offset = (find_data_file(path, data_file), 0) if data_file else (path, header.offset)
    stored = read_voxels(voxels, offset, prod(sizes), dtype, _ENCODINGS[encoding])
    array = stored.reshape(sizes[::-1])
    volumes = [array] if list_axis is None else list(np.moveaxis(array, len(sizes) - 1 - list_axis, 0))
    chosen = pick_echo(volumes, echo, path)
    if chosen.dtype.kind == "f":
        chosen = chosen.astype(np.float32, copy=False)
    return Volume(chosen.astype(chosen.dtype.newbyteorder("="), copy=False), affine, segments=segments(header))


def _with_directions(fields: dict[str, str]) -> dict[str, str]:
    """Fields of a header that gives voxel sizes and no directions, with directions along the
    patient's axes from an origin of 0; other fields as they are.
    """
    steps = fields.get("spacings", "").split()
    if "space directions" in fields or len(steps) != 3:
        return fields
    columns = [f"({','.join(step if axis == row else '0' for row in range(3))})" for axis, step in enumerate(steps)]
    return fields | {"space": "lps", "space directions": " ".join(columns), "space origin": "(0,0,0)"}


def _axes(header: NrrdHeader, name: str, *, fourth: bool) -> tuple[list[int], list[str], int | None]:
    """Sizes of the axes, directions (as text) of those in space, and which of four is a list of
    volumes, where one is taken (``fourth``).
    """
    fields = header.fields
    sizes = [int(word) for word in fields.get("sizes", "").split()]
    directions = re.findall(r"\([^)]*\)|none", fields.get("space directions", ""))
    kinds = fields.get("kinds", "").lower().split()
    if not sizes or min(sizes) < 1 or len(sizes) != int(fields.get("dimension", "0")):
        raise UnusableImage("unreadable", f"{name}: its header gives no size; is it damaged?")
    if len(directions) != len(sizes):
        raise UnusableImage("bad-affine", f"{name}: its header gives no orientation (space directions).")
    kept = [axis for axis, size in enumerate(sizes) if not (size == 1 and directions[axis] == "none")]
    outside = [axis for axis in kept if directions[axis] == "none"]
    if outside and any(key.startswith("Segment") for key in header.pairs):
        raise UnusableImage(
            "layered-segmentation", f"{name}: holds segments in several layers, which may overlap; export them as one label map."
        )
    # An axis that is not in space holds the numbers of a voxel, points in time, or a list of
    # volumes.
    kind = kinds[outside[0]] if outside and outside[0] < len(kinds) else ""
    if fourth and len(kept) == 4 and len(outside) == 1 and not kind.endswith(("vector", "color", "complex", "time")):
        return [sizes[axis] for axis in kept], [directions[axis] for axis in kept if axis not in outside], kept.index(outside[0])
    if kind.endswith(("vector", "color", "complex", "list")):
        raise UnusableImage("not-greyscale", f"{name}: has several numbers a voxel; expected one.")
    if outside or len(kept) != 3:
        hint = ECHO_HINT if len(kept) == 4 else ""
        raise UnusableImage("not-3d", f"{name}: has the shape {tuple(sizes)}; expected three axes in space{hint}.")
    return [sizes[axis] for axis in kept], [directions[axis] for axis in kept], None


def _affine(fields: dict[str, str], columns: list[str], name: str) -> Affine:
    space = _SPACES.get(fields.get("space", "").lower())
    if space is None:
        raise UnusableImage("ambiguous-affine", f"{name}: does not say which way its axes of space point ('space'); expected LPS or RAS.")
    try:
        vectors = [[float(number) for number in text.strip("() ").split(",")] for text in (*columns, fields["space origin"])]
        placed = np.array(vectors, dtype=np.float64).reshape(4, 3)
    except (KeyError, ValueError):
        raise UnusableImage("bad-affine", f"{name}: its origin or directions are not three numbers each.") from None
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = placed[2::-1].T, placed[3]
    return space @ affine


def _dtype(fields: dict[str, str], name: str) -> np.dtype[np.generic]:
    type_name = fields.get("type", "").lower()
    order = ">" if fields.get("endian", "little").lower() == "big" else "<"
    if match := re.fullmatch(r"(u?)int(8|16|32|64)(_t)?", type_name):
        return np.dtype(f"{order}{match[1] or 'i'}{int(match[2]) // 8}")
    if type_name in ("float", "double"):
        return np.dtype(f"{order}f{4 if type_name == 'float' else 8}")
    # 'short', 'signed short int', 'unsigned char', 'ushort', ...
    unsigned = type_name.startswith("u")
    base = re.sub(r"^(un)?signed ", "", type_name).removeprefix("u" if not type_name.startswith("unsigned") else "")
    base = base.removesuffix(" int") if base != "int" else base
    if base not in _INTEGERS:
        raise UnusableImage("unreadable", f"{name}: its header names a type of voxel that does not exist; is it damaged?")
    return np.dtype(f"{order}{'u' if unsigned else 'i'}{_INTEGERS[base]}")
