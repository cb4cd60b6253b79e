"""The voxels of slices, decoded into one array: uncompressed ones straight from the disk, the
others through a codec.
"""

from __future__ import annotations

import numpy as np
import pydicom
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.images.dicom_file import open_file, rescale, voxels
from kneeoa.images.dicom_frames import Frame
from kneeoa.images.dicom_source import Source


class Decoder:
    """Decodes slices one by one; keeps the last compressed file parsed, for the next of its
    frames.
    """

    def __init__(self) -> None:
        self._last: tuple[Source, pydicom.Dataset] | None = None

    def __call__(self, frame: Frame) -> NDArray[np.number]:
        """Values of a slice, shape ``[rows, columns]``; float32 where slope and intercept were
        applied.

        Raises:
            UnusableImage: the voxels cannot be decoded.
        """
        return rescale(frame.form.monochrome2(self.stored(frame)), frame.slope, frame.intercept)

    def stored(self, frame: Frame) -> NDArray[np.integer]:
        """Stored values of a slice, a new array."""
        if frame.header.offset is not None:
            cells = np.empty(frame.form.shape[1:], dtype=frame.form.dtype)
            fill(frame, cells)
            return cells
        source = frame.header.source
        if self._last is None or self._last[0] is not source:
            with source.open() as stream:
                self._last = source, open_file(stream, source.name)
        return voxels(self._last[1], frame.name, frame.index)


def fill(frame: Frame, cells: NDArray[np.integer]) -> None:
    """Read an uncompressed slice into an array of its type, shape ``[rows, columns]``.

    Raises:
        UnusableImage: the file is shorter than it was (``unreadable``).
    """
    offset, form = frame.header.offset, frame.form
    assert offset is not None  # callers ask for uncompressed slices only
    with frame.header.source.open() as stream:
        stream.seek(offset + frame.index * form.frame_bytes)
        if stream.readinto(memoryview(cells.data).cast("B")) != form.frame_bytes:  # type: ignore[attr-defined]
            raise UnusableImage("unreadable", f"{frame.name}: ends within its voxels.")
    form.clean(cells)


def decode_all(frames: tuple[Frame, ...]) -> NDArray[np.number]:
    """Values of slices of one size, shape ``[slices, rows, columns]``: integers where no slope or
    intercept applies, else float32.

    Raises:
        UnusableImage: a slice cannot be decoded.
    """
    scaled = any((frame.slope, frame.intercept) != (1.0, 0.0) for frame in frames)
    dtype = np.dtype(np.float32) if scaled else np.result_type(*{frame.form.dtype for frame in frames})
    target = np.empty((len(frames), *frames[0].form.shape[1:]), dtype=dtype)
    decoder = Decoder()
    for frame, plane in zip(frames, target, strict=True):
        if frame.header.offset is not None and frame.form.dtype == dtype:
            fill(frame, plane)
            frame.form.monochrome2(plane)
        else:
            plane[...] = decoder(frame)
    return target
