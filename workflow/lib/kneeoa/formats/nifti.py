"""Read NIfTI files: the header through nibabel, the voxels straight into the array that is
returned.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.converted_echo import ECHO_HINT, pick_echo
from kneeoa.formats.decompress import open_gzip, read_into
from kneeoa.formats.limits import is_plausible_spacing, require_size
from kneeoa.formats.volume import Affine, Volume
from kneeoa.formats.voxel_file import read_voxels, require_bytes

_HEADERS_BY_SIZE: dict[int, Any] = {348: nibabel.Nifti1Header, 540: nibabel.Nifti2Header}
# Affines by which a corner of the image lies further apart than this (in its largest voxels) are
# two different places.
_SAME_PLACE = 1.0
_SAME_SPACING = 0.01  # relative
_MILLIMETRES = {1: 1000.0, 3: 0.001}
"""Millimetres in a metre and in a micrometre, by the code of the header's units (xyzt_units)."""


def read_nifti(path: Path, echo: int | None = None, *, bare: bool = False) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file of one part (``.nii``, ``.nii.gz``), of either byte order.

    Array axes are the file's. Trailing axes of one entry are dropped; slope and intercept are
    applied (then float32). An uncompressed file is mapped into memory, not read. The sform places
    the image where its code is set, else the qform does; metres and micrometres become millimetres.

    Args:
        path: the file.
        echo: which volume of a fourth axis, from 1 (:mod:`kneeoa.formats.converted_echo`).
        bare: where both codes are 0, use the voxel sizes alone, along the patient's axes.

    Raises:
        UnusableImage: damaged or cut (``unreadable``), more voxels than the header says
            (``wrong-dimensions``), more than three axes (``not-3d``), colour or complex numbers
            (``not-greyscale``), a header that gives no orientation or an impossible one
            (``bad-affine``), or two that contradict each other (``ambiguous-affine``).
    """
    with path.open("rb") as start:
        compressed = start.read(2) == b"\x1f\x8b"
    with open_gzip(path) if compressed else path.open("rb") as stream:
        header = _header(stream, path.name)
        shape, dtype, offset = _layout(header, path.name, fourth=echo is not None)
        affine = _in_millimetres(_affine(header, shape[:3], path.name, bare), header)
        if compressed:
            stored = np.empty(prod(shape), dtype=dtype)
            stream.seek(offset)  # past header extensions
            # One byte more than the voxels: to the end, where the checksum is.
            count = read_into(stream, stored.view(np.uint8)) + len(stream.read(1))
            require_bytes(count, stored.nbytes, path.name)
    if not compressed:
        stored = read_voxels(path, offset, prod(shape), dtype, "raw")
    volumes = list(stored.reshape(-1, prod(shape[:3])))
    chosen = pick_echo(volumes, echo, path)
    return Volume(_values(chosen, header).reshape(shape[:3], order="F"), affine)


def _header(stream: BinaryIO, name: str) -> nibabel.Nifti1Header:
    head = stream.read(540)
    sizes = {order: int.from_bytes(head[:4], order) for order in ("little", "big")}  # type: ignore[arg-type]
    for order, size in sizes.items():
        if size in _HEADERS_BY_SIZE and len(head) >= size:
            header: nibabel.Nifti1Header = _HEADERS_BY_SIZE[size](head[:size], endianness="<" if order == "little" else ">", check=False)
            magic = bytes(header["magic"])[:3]
            if magic in (b"n+1", b"n+2"):
                return header
            if magic in (b"ni1", b"ni2"):
                raise UnusableImage("unsupported-nifti", f"{name}: keeps its voxels in a second file; convert it to one '.nii.gz'.")
    raise UnusableImage("unreadable", f"{name}: is not a NIfTI file; is it damaged or empty?")


def _layout(header: nibabel.Nifti1Header, name: str, *, fourth: bool) -> tuple[tuple[int, ...], np.dtype[np.generic], int]:
    """Shape without trailing axes of one entry, type of a stored voxel, and the byte where voxels
    begin; ``fourth``: four axes are accepted.
    """
    axes = int(header["dim"][0])
    dimensions = [int(size) for size in header["dim"][1 : axes + 1]]
    shape = list(dimensions)
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if not 1 <= axes <= 7 or min(shape) < 1:
        raise UnusableImage("unreadable", f"{name}: its header gives the size {dimensions}; is it damaged?")
    if len(shape) != 3 and not (fourth and len(shape) == 4):
        hint = ECHO_HINT if len(shape) == 4 else ""
        raise UnusableImage("not-3d", f"{name}: has the shape {tuple(dimensions)}; expected three axes{hint}.")
    require_size(shape, name)
    try:
        dtype = header.get_data_dtype()
    except (HeaderDataError, KeyError):
        raise UnusableImage("unreadable", f"{name}: its header names a type of voxel that does not exist; is it damaged?") from None
    if dtype.kind not in "iuf":
        raise UnusableImage("not-greyscale", f"{name}: has voxels of several numbers each (colour or complex); expected one.")
    offset = float(header["vox_offset"])
    if not np.isfinite(offset) or offset < int(header["sizeof_hdr"]) or offset > 2**31:
        raise UnusableImage("unreadable", f"{name}: its header says that voxels begin at byte {offset:g}; is it damaged?")
    return tuple(shape), dtype, int(offset)


def _affine(header: nibabel.Nifti1Header, shape: tuple[int, ...], name: str, bare: bool) -> Affine:
    placed = [code for code in ("sform_code", "qform_code") if int(header[code]) > 0]
    if not placed and bare:
        return np.diag([*np.abs(np.asarray(header["pixdim"][1:4], dtype=np.float64)), 1.0])
    if not placed:
        raise UnusableImage("bad-affine", f"{name}: its header gives no orientation (sform and qform codes are both 0).")
    affines: dict[str, Affine] = {}
    if "sform_code" in placed:
        affines["sform"] = np.asarray(header.get_sform(), dtype=np.float64)
    if "qform_code" in placed:
        try:
            affines["qform"] = np.asarray(header.get_qform(), dtype=np.float64)
        except (HeaderDataError, ValueError):
            raise UnusableImage("bad-affine", f"{name}: the rotation of its qform is not one.") from None
    for form, affine in affines.items():
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise UnusableImage("bad-affine", f"{name}: its {form} is not finite or not invertible.")
    if len(affines) == 2:
        corners = np.array([[i, j, k, 1.0] for i in (0, shape[0] - 1) for j in (0, shape[1] - 1) for k in (0, shape[2] - 1)])
        apart = float(np.linalg.norm(corners @ (affines["sform"] - affines["qform"]).T, axis=1).max())
        if apart > _SAME_PLACE * float(np.linalg.norm(affines["sform"][:3, :3], axis=0).max()):
            raise UnusableImage("ambiguous-affine", f"{name}: its sform and qform put it {apart:.1f} mm apart; correct one of them.")
    affine = next(iter(affines.values()))
    spacing, pixdim = np.linalg.norm(affine[:3, :3], axis=0), np.asarray(header["pixdim"][1:4], dtype=np.float64)
    if not np.isfinite(pixdim).all() or (np.abs(spacing - np.abs(pixdim)) > _SAME_SPACING * spacing).any():
        raise UnusableImage(
            "ambiguous-affine",
            f"{name}: its orientation has voxels of {_mm(spacing)} mm, its voxel sizes (pixdim) are {_mm(pixdim)} mm; correct one of them.",
        )
    return affine


def _in_millimetres(affine: Affine, header: nibabel.Nifti1Header) -> Affine:
    """Convert an affine from the header's units to millimetres; unchanged where the result could be
    no scan's: the field is often wrong, and most software ignores it.
    """
    scaled = affine.copy()
    scaled[:3] *= _MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)
    return scaled if is_plausible_spacing(np.linalg.norm(scaled[:3, :3], axis=0)) else affine


def _mm(spacing: NDArray[np.float64]) -> str:
    return " x ".join(f"{value:.4g}" for value in spacing)


def _values(stored: NDArray[np.generic], header: nibabel.Nifti1Header) -> NDArray[np.generic]:
    """Voxels in native byte order, scaled to float32 where a slope or an intercept applies; float64
    becomes float32.
    """
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if not np.isfinite(slope) or slope == 0:  # NIfTI: then the voxels are not scaled
        slope, intercept = 1.0, 0.0
    if not np.isfinite(intercept):
        intercept = 0.0
    if (slope, intercept) != (1.0, 0.0):
        scaled: NDArray[np.float32] = np.multiply(stored, np.float32(slope), dtype=np.float32, casting="unsafe")
        scaled += np.float32(intercept)
        return scaled
    dtype = np.dtype(np.float32) if stored.dtype.kind == "f" else stored.dtype.newbyteorder("=")
    return stored.astype(dtype, copy=False)
