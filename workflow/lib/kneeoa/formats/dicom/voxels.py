"""Decode the voxels of slices into one array: uncompressed ones straight from the disk, the others
through a codec.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.file import modality_values, open_file, read_voxels
from kneeoa.formats.dicom.frames import Frame
from kneeoa.formats.dicom.pixels import darken_padding
from kneeoa.formats.dicom.source import DicomSource


class Decoder:
    """Decodes slices one by one; keeps the last compressed file parsed, for the next of its
    frames.
    """

    def __init__(self) -> None:
        self._last: tuple[DicomSource, pydicom.Dataset] | None = None

    def __call__(self, frame: Frame) -> NDArray[np.number]:
        """Values of a slice, shape ``[rows, columns]``; float32 where slope and intercept were
        applied.

        Raises:
            UnusableImage: the voxels cannot be decoded.
        """
        stored = self.stored(frame)
        _take_padding(frame, stored)
        return modality_values(frame.form, stored, frame.slope, frame.intercept)

    def stored(self, frame: Frame) -> NDArray[np.integer]:
        """Stored values of a slice, a new array."""
        if frame.header.offset is not None:
            cells = np.empty(frame.form.shape[1:], dtype=frame.form.dtype)
            read_uncompressed(frame, cells)
            return cells
        source = frame.header.source
        if self._last is None or self._last[0] is not source:
            with source.open() as stream:
                self._last = source, open_file(stream, source.name)
        return read_voxels(self._last[1], frame.name, frame.index, frame.form)


def read_uncompressed(frame: Frame, cells: NDArray[np.integer]) -> None:
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
    form.clear_unused_bits(cells)


def _take_padding(frame: Frame, stored: NDArray[np.integer]) -> NDArray[np.bool_] | None:
    """Find padding, as :meth:`kneeoa.formats.dicom.pixels.PixelFormat.take_padding`.

    Raises:
        UnusableImage: the voxels are inverted (MONOCHROME1) and exceed the bits in which they are
            to be mirrored (``unsupported-dicom``): slices would be mirrored differently.
    """
    blank = frame.form.take_padding(stored)
    if frame.form.inverted and not frame.form.signed and frame.form.exceeded_by(stored):
        raise UnusableImage(
            "unsupported-dicom", f"{frame.name}: its voxels exceed the bits that its header gives them, and dark is bright."
        )
    return blank


def decode_all(frames: tuple[Frame, ...]) -> NDArray[np.number]:
    """Values of slices of one size, shape ``[slices, rows, columns]``: integers where no slope,
    intercept or Modality LUT applies, else float32. Padding gets the darkest value of all slices.

    Raises:
        UnusableImage: a slice cannot be decoded.
    """
    target, exceeded = _decode_slices(frames)
    if exceeded:
        # Slices whose extra bits are all equal do not show by themselves that these bits count.
        wide = [replace(frame.form, stored=frame.form.bits, high=frame.form.bits - 1) for frame in frames]
        target, _ = _decode_slices(tuple(replace(frame, form=form) for frame, form in zip(frames, wide, strict=True)))
    return target


def _decode_slices(frames: tuple[Frame, ...]) -> tuple[NDArray[np.number], bool]:
    """Values of slices, and whether some of them exceed their BitsStored."""
    scaled = any((frame.slope, frame.intercept) != (1.0, 0.0) or frame.form.table is not None for frame in frames)
    dtype = np.dtype(np.float32) if scaled else np.result_type(*{frame.form.dtype for frame in frames})
    target = np.empty((len(frames), *frames[0].form.shape[1:]), dtype=dtype)
    blanks: dict[int, NDArray[np.bool_]] = {}
    exceeded = False
    decoder = Decoder()
    for number, (frame, plane) in enumerate(zip(frames, target, strict=True)):
        if frame.header.offset is not None and frame.form.dtype == dtype:
            read_uncompressed(frame, plane)
            blank = _take_padding(frame, plane)
            exceeded = exceeded or frame.form.exceeded_by(plane)
            frame.form.to_monochrome2(plane)
        else:
            stored = decoder.stored(frame)
            blank = _take_padding(frame, stored)
            exceeded = exceeded or frame.form.exceeded_by(stored)
            plane[...] = modality_values(frame.form, stored, frame.slope, frame.intercept)
        if blank is not None:
            blanks[number] = blank
    if blanks:
        padding = np.zeros(target.shape, dtype=np.bool_)
        for number, blank in blanks.items():
            padding[number] = blank
        darken_padding(target, padding)
    return target, exceeded
