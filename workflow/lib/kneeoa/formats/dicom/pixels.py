"""Storage of one DICOM file's voxels: type, significant bits, padding, look-up table, and which end
of the scale is bright.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pydicom
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.silence import silenced

_MAX_PICTURE_ROUGHNESS = 0.5
"""Mean squared difference of neighbours, as a share of that of noise, below which cells are a
picture.
"""


@dataclass(frozen=True, eq=False)
class ModalityTable:
    """A file's Modality LUT Sequence (PS3.3 C.11.1).

    Attributes:
        first: the stored value that the first entry is for; values below it take that entry too,
            values beyond the last one the last.
        entries: the values that stored ones stand for.
        top: the highest value of their bits.
    """

    first: int
    entries: NDArray[np.uint16]
    top: int

    def values(self, stored: NDArray[np.integer], *, inverted: bool) -> NDArray[np.uint16]:
        """The values that stored ones stand for, mirrored within their bits where ``inverted``."""
        places = np.clip(stored.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        entries = np.subtract(self.top, self.entries, dtype=np.uint16) if inverted else self.entries
        return entries[places]


@dataclass(frozen=True)
class PixelFormat:
    """The Image Pixel module of a file (PS3.3 C.7.6.3), and its padding and Modality LUT.

    Attributes:
        frames, rows, columns: the shape.
        bits: bits of a stored cell (8, 16 or 32).
        stored: significant bits of it.
        high: index of the highest significant bit.
        signed: two's complement.
        inverted: MONOCHROME1, the lowest value is the brightest.
        padding: least and greatest cell that fills up a picture which is no rectangle
            (PixelPaddingValue, PixelPaddingRangeLimit); None where the header gives none.
        table: the Modality LUT, which replaces slope and intercept; None where there is none.
    """

    frames: int
    rows: int
    columns: int
    bits: int
    stored: int
    high: int
    signed: bool
    inverted: bool
    padding: tuple[int, int] | None = None
    table: ModalityTable | None = None

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

    def clear_unused_bits(self, cells: NDArray[np.integer]) -> NDArray[np.integer]:
        """Keep the significant bits, with their sign, in place: old scanners put overlays and
        rubbish into the others. Padding stays as it is.

        Bits beyond BitsStored are kept where they carry the picture: software that replaces the
        voxels of a file often leaves its BitsStored as it was.
        """
        if self.stored == self.bits:
            return cells
        blank = self.take_padding(cells)
        if self.high >= self.stored:
            np.right_shift(cells, self.high + 1 - self.stored, out=cells)
        if self.exceeded_by(cells):
            if self.signed:
                unused = self.bits - self.stored
                kept = np.right_shift(np.left_shift(cells, unused), unused)
            else:
                kept = np.bitwise_and(cells, (1 << self.stored) - 1)
            if not _bits_carry_picture(cells, kept):
                cells[...] = kept
        if blank is not None and self.padding is not None:
            cells[blank] = self.padding[0]
        return cells

    def exceeded_by(self, cells: NDArray[np.integer]) -> bool:
        """Whether some cell holds more than BitsStored bits do."""
        if self.stored == self.bits:
            return False
        top = (1 << (self.stored - 1 if self.signed else self.stored)) - 1
        return int(cells.max()) > top or (self.signed and int(cells.min()) < -top - 1)

    def take_padding(self, cells: NDArray[np.integer]) -> NDArray[np.bool_] | None:
        """Find the cells that are padding (None: there are none) and give them the least value of
        the others, in place.
        """
        if self.padding is None:
            return None
        blank = (cells >= self.padding[0]) & (cells <= self.padding[1])
        if not blank.any():
            return None
        cells[blank] = 0 if blank.all() else cells[~blank].min()
        return blank

    def to_monochrome2(self, stored: NDArray[np.integer]) -> NDArray[np.integer]:
        """Stored values with the highest one brightest, in place: MONOCHROME1 is mirrored within
        the range of its bits (of the whole cell where the picture exceeds them).
        """
        if not self.inverted:
            return stored
        if self.signed:
            np.invert(stored, out=stored)
        else:
            np.bitwise_xor(stored, (1 << (self.bits if self.exceeded_by(stored) else self.stored)) - 1, out=stored)
        return stored


def darken_padding(values: NDArray[np.number], blank: NDArray[np.bool_] | None) -> None:
    """Give padding the darkest value of the picture, in place."""
    if blank is not None and not blank.all():
        values[blank] = values[~blank].min()


def _bits_carry_picture(cells: NDArray[np.integer], kept: NDArray[np.integer]) -> bool:
    """Whether the bits that ``kept`` lacks belong to the picture.

    If they do, values wrap round without these bits, so that neighbours lie closer with them than
    without; overlays and rubbish put neighbours further apart. Where only noise is left without
    these bits, and a picture with them, they belong to it as well.
    """
    (step, noise), (step_kept, noise_kept) = _roughness(cells), _roughness(kept)
    return step < step_kept or (noise_kept > _MAX_PICTURE_ROUGHNESS and noise < noise_kept / 2)


def _roughness(cells: NDArray[np.integer]) -> tuple[float, float]:
    """Mean difference of neighbours, and the mean of its square as a share of what noise has (twice
    the variance).
    """
    values = cells.astype(np.float64)
    steps = np.concatenate([np.diff(values, axis=axis).ravel() for axis in (-1, -2)])
    spread = 2 * float(values.var())
    return float(np.abs(steps).mean()), float(np.square(steps).mean()) / spread if spread else 0.0


def pixel_format(dataset: pydicom.Dataset, name: str) -> PixelFormat:
    """Read the pixel module of a parsed header; ``name`` is the file's name in errors.

    Raises:
        UnusableImage: colour (``not-greyscale``), cells of an odd width (``unsupported-dicom``), or
            a header that contradicts itself or has a damaged look-up table (``unreadable``).
    """
    try:
        with silenced():
            return _read_format(dataset, name)
    except (AttributeError, TypeError, ValueError):
        raise UnusableImage("unreadable", f"{name}: its header does not say how its voxels are stored; is it damaged or cut?") from None


def _read_format(dataset: pydicom.Dataset, name: str) -> PixelFormat:
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
    plain = PixelFormat(frames, rows, columns, bits, stored, high, signed, photometric == "MONOCHROME1")
    return replace(plain, padding=_padding(dataset, plain.dtype), table=_modality_table(dataset, name, signed))


def _padding(dataset: pydicom.Dataset, dtype: np.dtype[np.integer]) -> tuple[int, int] | None:
    """The range of cells that are padding; a value is taken by its bits, whatever sign its element
    has.
    """
    ends = [_padding_value(dataset.get(tag), dtype) for tag in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    if ends[0] is None:
        return None
    other = ends[0] if ends[1] is None else ends[1]
    return min(ends[0], other), max(ends[0], other)


def _padding_value(value: object, dtype: np.dtype[np.integer]) -> int | None:
    if isinstance(value, bytes):
        number = int.from_bytes(value[: dtype.itemsize], "little")
    elif isinstance(value, int | float | str) and str(value).strip():
        number = int(value)
    else:
        return None
    return int(np.array(number & ((1 << 8 * dtype.itemsize) - 1), dtype=f"<u{dtype.itemsize}").view(dtype))


def _modality_table(dataset: pydicom.Dataset, name: str, signed: bool) -> ModalityTable | None:
    """The first item of the Modality LUT Sequence.

    Raises:
        UnusableImage: it has fewer entries than it says, or does not say it (``unreadable``).
    """
    sequence = dataset.get("ModalityLUTSequence")
    if not sequence:
        return None
    try:
        size, first, bits = (int(number) for number in sequence[0].LUTDescriptor)
        data = sequence[0].LUTData
        count = size & 0xFFFF or 1 << 16
        if isinstance(data, bytes):
            little = dataset.original_encoding[1] is not False
            # Entries of 8 bits may be packed, two in a word.
            packed = bits <= 8 and len(data) < 2 * count
            entries = np.frombuffer(data, np.uint8 if packed else "<u2" if little else ">u2")
        else:
            entries = np.atleast_1d(np.asarray(data, dtype=np.int64))
        if not 0 < bits <= 16 or entries.size < count:
            raise ValueError
    except (AttributeError, TypeError, ValueError):
        raise UnusableImage("unreadable", f"{name}: its look-up table of grey values is not whole; is it damaged?") from None
    table = (entries[:count].astype(np.int64) & 0xFFFF).astype(np.uint16)
    top = max((1 << bits) - 1, int(table.max()))
    return ModalityTable(first - (1 << 16) if signed and first >= 1 << 15 else first, table, top)
