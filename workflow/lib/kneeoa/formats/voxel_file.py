"""Read the voxels of formats that keep them as one run of bytes (NIfTI, MetaImage, NRRD), to the
last byte.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.decompress import decompress_into, open_gzip, read_into

Encoding = Literal["raw", "gzip", "zlib"]


def read_voxels(path: Path, offset: int, count: int, dtype: np.dtype[np.generic], encoding: Encoding) -> NDArray[np.generic]:
    """Read ``count`` voxels that begin at byte ``offset`` and end with the file: a flat array,
    mapped into memory where not compressed.

    Raises:
        UnusableImage: fewer bytes than that, or damaged ones (``unreadable``), or more
            (``wrong-dimensions``).
    """
    expected = count * dtype.itemsize
    if encoding == "raw":
        require_bytes(path.stat().st_size - offset, expected, path.name)
        # Copy-on-write: a change of the array does not change the file.
        return np.memmap(path, dtype=dtype, mode="c", offset=offset, shape=(count,)).view(np.ndarray)
    voxels = np.empty(count, dtype=dtype)
    with path.open("rb") as stream:
        stream.seek(offset)
        if encoding == "zlib":
            filled = decompress_into(stream, voxels.view(np.uint8))
        else:
            with open_gzip(stream) as decompressed:
                filled = read_into(decompressed, voxels.view(np.uint8)) + len(decompressed.read(1))
    require_bytes(filled, expected, path.name)
    return voxels


def require_bytes(count: int, expected: int, name: str) -> None:
    """Compare the number of bytes of a file's voxels with its header's size and type.

    Raises:
        UnusableImage: too few (``unreadable``) or too many (``wrong-dimensions``).
    """
    if count < expected:
        raise UnusableImage("unreadable", f"{name}: holds {max(count, 0)} bytes of voxels, its header asks for {expected}; is it cut?")
    if count > expected:
        raise UnusableImage("wrong-dimensions", f"{name}: holds more voxels than its header's size says ({expected} bytes).")


def find_data_file(header: Path, file_name: str) -> Path:
    """The file of voxels that a header names, in the header's own folder.

    Raises:
        UnusableImage: the name leads out of the folder (``outside-folder``), or the file is not
            there (``missing-file``).
    """
    for parts in (PurePosixPath(file_name), PureWindowsPath(file_name)):
        if parts.is_absolute() or parts.drive or parts.root or ".." in parts.parts:
            raise UnusableImage("outside-folder", f"{header.name}: names a file of voxels in another folder; put it beside the header.")
    path = header.parent / file_name
    if not path.is_file():
        raise UnusableImage("missing-file", f"{header.name}: its file of voxels is not beside it.")
    return path
