"""Decompress gzip and zlib streams with ISA-L (python-isal) where it is installed, else with the
standard library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

_STEP_BYTES = 1 << 20


def open_gzip(source: Path | BinaryIO) -> BinaryIO:
    """Open a gzip file, or the rest of an open one; consecutive members are one stream, checksums
    are compared.
    """
    try:
        from isal import igzip
    except ImportError:
        import gzip

        return cast(BinaryIO, gzip.open(source, "rb"))
    return cast(BinaryIO, igzip.open(source, "rb"))  # type: ignore[no-untyped-call]


def read_into(stream: BinaryIO, target: NDArray[np.uint8]) -> int:
    """Fill a flat byte array from a stream; returns how many bytes there were.

    In steps that stay in the processor's cache, since a gzip stream hands out copies.
    """
    view, filled = memoryview(target.data), 0
    while filled < len(view):
        count = stream.readinto(view[filled : filled + _STEP_BYTES])  # type: ignore[attr-defined]
        if not count:
            break
        filled += count
    return filled


def decompress_into(stream: BinaryIO, target: NDArray[np.uint8]) -> int:
    """Fill a flat byte array from a zlib stream and compare its checksum; returns how many bytes
    there were, at most one too many.

    Raises:
        EOFError: the stream ends before its checksum.
        Exception: the zlib error of the library in use, where the stream is damaged.
    """
    view, filled, decompressor = memoryview(target.data), 0, _zlib_module().decompressobj()
    while not decompressor.eof:
        data = decompressor.unconsumed_tail or stream.read(_STEP_BYTES)
        chunk = decompressor.decompress(data, max(1, min(len(view) - filled, _STEP_BYTES)))
        if not data and not chunk:
            raise EOFError
        if filled + len(chunk) > len(view):
            return len(view) + 1
        view[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    return filled


def _zlib_module() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        import zlib

        return zlib
    return isal_zlib
