"""How one DICOM file stores its voxels: type, bits that count, and which end of the scale is
bright.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pydicom
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.images.dicom_quiet import quiet


@dataclass(frozen=True)
class PixelFormat:
    """The Image Pixel module of a file (PS3.3 C.7.6.3).

    Attributes:
        frames, rows, columns: the shape.
        bits: bits of a stored cell (8, 16 or 32).
        stored: bits of it that count.
        high: index of the highest bit that counts.
        signed: two's complement.
        inverted: MONOCHROME1, the lowest value is the brightest.
    """

    frames: int
    rows: int
    columns: int
    bits: int
    stored: int
    high: int
    signed: bool
    inverted: bool

    @property
    def dtype(self) -> np.dtype[np.integer]:
        """The cell's type in little-endian byte order."""
        return np.dtype(f"<{'i' if self.signed else 'u'}{self.bits // 8}")

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(frames, rows, columns)``."""
        return self.frames, self.rows, self.columns

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.bits // 8

    def clean(self, cells: NDArray[np.integer]) -> NDArray[np.integer]:
        """Keep the bits that count, with their sign, in place: old scanners put overlays and
        rubbish into the others.
        """
        if self.stored == self.bits:
            return cells
        if self.signed:
            np.left_shift(cells, self.bits - 1 - self.high, out=cells)
            np.right_shift(cells, self.bits - self.stored, out=cells)
        else:
            np.right_shift(cells, self.high + 1 - self.stored, out=cells)
            np.bitwise_and(cells, (1 << self.stored) - 1, out=cells)
        return cells

    def monochrome2(self, stored: NDArray[np.integer]) -> NDArray[np.integer]:
        """Stored values with the highest one brightest, in place: MONOCHROME1 is mirrored within
        the range of its bits.
        """
        if not self.inverted:
            return stored
        if self.signed:
            np.invert(stored, out=stored)
        else:
            np.bitwise_xor(stored, (1 << self.stored) - 1, out=stored)
        return stored


def pixel_format(dataset: pydicom.Dataset, name: str) -> PixelFormat:
    """Read the pixel module of a parsed header; ``name`` is how errors call the file.

    Raises:
        UnusableImage: colour (``not-greyscale``), cells of an odd width (``unsupported-dicom``), or
            a header that contradicts itself (``unreadable``).
    """
    try:
        with quiet():
            return _checked(dataset, name)
    except (AttributeError, TypeError, ValueError):
        raise UnusableImage("unreadable", f"{name}: its header does not say how its voxels are stored; is it damaged or cut?") from None


def _checked(dataset: pydicom.Dataset, name: str) -> PixelFormat:
    photometric = str(dataset.get("PhotometricInterpretation") or "MONOCHROME2").strip().upper()
    samples = int(dataset.get("SamplesPerPixel") or 1)
    frames, rows, columns = int(dataset.get("NumberOfFrames") or 1), int(dataset.Rows), int(dataset.Columns)
    bits = int(dataset.BitsAllocated)
    stored = int(dataset.get("BitsStored") or bits)
    high = int(dataset.get("HighBit", stored - 1))
    signed = bool(int(dataset.get("PixelRepresentation") or 0))
    if samples != 1 or photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UnusableImage("not-greyscale", f"{name}: is a colour image; expected one number a pixel.")
    if bits not in (8, 16, 32):
        raise UnusableImage("unsupported-dicom", f"{name}: has {bits} bits a pixel; expected 8, 16 or 32.")
    if min(frames, rows, columns) < 1 or not (0 < stored <= high + 1 <= bits):
        raise UnusableImage("unreadable", f"{name}: its header contradicts itself about size or bits; is it damaged?")
    return PixelFormat(frames, rows, columns, bits, stored, high, signed, photometric == "MONOCHROME1")
