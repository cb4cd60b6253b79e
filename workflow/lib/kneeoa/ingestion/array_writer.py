"""Write a stack of equal-shaped arrays row by row: memory does not grow with the shard, and the
number of rows is known only at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib.format import write_array_header_1_0
from numpy.typing import DTypeLike, NDArray

from kneeoa.atomic_io import atomic_path
from kneeoa.errors import KneeoaError, rerun_hint


class RowWriter:
    """Appends rows of one shape to a ``.npy`` file."""

    def __init__(self, stream: BinaryIO, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self._stream = stream
        self._shape = tuple(shape)
        self._dtype = np.dtype(dtype)
        self.rows = 0
        self.digest = ""
        """SHA-256 of the last row as stored, 32 hexadecimal characters."""
        self._header()

    def append(self, row: NDArray[np.generic]) -> int:
        """Write a row and return its number.

        Raises:
            KneeoaError: the row has another shape.
        """
        if row.shape != self._shape:
            raise KneeoaError(f"a row of shape {row.shape} does not fit an array of rows of shape {self._shape}.")
        stored = np.ascontiguousarray(row, dtype=self._dtype).data
        self._stream.write(stored)
        self.digest = hashlib.sha256(stored).hexdigest()[:32]
        self.rows += 1
        return self.rows - 1

    def finish(self) -> None:
        """Put the number of rows into the header, which numpy pads so that it keeps its length."""
        end = self._stream.tell()
        self._stream.seek(0)
        self._header()
        if self._stream.tell() != end - self.rows * int(np.prod(self._shape)) * self._dtype.itemsize:
            raise KneeoaError("this version of numpy does not pad the header of .npy files; install the pinned one.")

    def _header(self) -> None:
        description = {"descr": self._dtype.str, "fortran_order": False, "shape": (self.rows, *self._shape)}
        write_array_header_1_0(self._stream, description)


@contextmanager
def row_writer(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[RowWriter]:
    """A ``.npy`` file of shape ``[rows, *shape]`` that appears under its name when the block ends
    without an error.
    """
    with atomic_path(path) as temporary, open(temporary, "wb") as stream:
        writer = RowWriter(stream, shape, dtype)
        yield writer
        writer.finish()


def open_rows(path: Path) -> NDArray[np.generic]:
    """Open a file of :func:`row_writer` memory-mapped and read-only.

    Raises:
        KneeoaError: the file is not there or not a whole ``.npy`` array.
    """
    try:
        array: NDArray[np.generic] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise KneeoaError(f"{path}: cannot be opened as a .npy array ({error}); {rerun_hint(path)}.") from error
    return array
