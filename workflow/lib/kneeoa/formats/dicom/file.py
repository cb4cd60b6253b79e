"""Parse one DICOM file: the requested elements, and its voxels in any transfer syntax. People's
names and dates of birth are never requested and not even parsed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from kneeoa.errors import UnusableImage
from kneeoa.formats.archive import read_gzip
from kneeoa.formats.dicom.pixels import PixelFormat, pixel_format
from kneeoa.formats.dicom.silence import silenced
from kneeoa.formats.limits import require_size
from kneeoa.formats.os_errors import unreadable

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import Decoder

PIXEL_TAGS = (
    "SOPClassUID", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "PixelSpacing",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "ModalityLUTSequence",
)  # fmt: skip
"""Elements that every read parses: how the voxels are stored and scaled."""
VOXEL_TAGS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""Elements that hold voxels; only whole numbers (the first) are decoded."""
_MAX_FIRST_ELEMENT = 1 << 10
"""Largest first element (bytes) of a file that is taken for DICOM without preamble."""
# Messages of decoders (GDCM, Pillow, pydicom's RLE) about sound voxels that they do not support.
_UNSUPPORTED = re.compile(r"does not support|sample precision|RLE encoded pixel data with")


def open_file(source: Path | BinaryIO, name: str, tags: Iterable[str] = ()) -> pydicom.Dataset:
    """Parse one file: :data:`PIXEL_TAGS`, the voxels' bytes, and the further keywords ``tags``;
    nothing else of its header.

    Args:
        source: a file, or a stream at its start.
        name: the file's name in errors.
        tags: keywords (or hexadecimal strings) of further elements.

    Raises:
        UnusableImage: not DICOM, cut or empty, without voxels, or not to be opened
            (``unreadable``).
    """
    dataset = parse(source, name, (*PIXEL_TAGS, *VOXEL_TAGS, *tags))
    require_voxels(dataset, name)
    return dataset


def require_voxels(dataset: pydicom.Dataset, name: str) -> None:
    """Make sure that a parsed file has voxels that are whole numbers.

    Raises:
        UnusableImage: none (``unreadable``), or others (``unsupported-dicom``).
    """
    if "PixelData" not in dataset:
        if any(tag in dataset for tag in VOXEL_TAGS):
            raise UnusableImage("unsupported-dicom", f"{name}: has voxels of floating point; expected whole numbers.")
        raise UnusableImage("unreadable", f"{name}: holds no voxels; is it cut?")


def parse(source: Path | BinaryIO, name: str, tags: Iterable[str], before_voxels: bool = False) -> pydicom.Dataset:
    """Parse the elements ``tags`` of one file, up to its voxels if asked (a stream then stands at
    their element).

    Raises:
        UnusableImage: not DICOM, empty, or not to be opened (``unreadable``).
    """
    try:
        with silenced():
            return _parse(source, _tag_numbers(tuple(tags)), before_voxels)
    except InvalidDicomError:
        raise UnusableImage("unreadable", f"{name}: is not a DICOM file; is it damaged or empty?") from None
    except OSError as error:
        raise unreadable(error, name) from None
    except (MemoryError, UnusableImage):
        raise
    except Exception as error:  # a cut or spoiled header makes pydicom raise anything; its words may quote the header
        raise UnusableImage("unreadable", f"{name}: its header cannot be read ({type(error).__name__}); is it damaged?") from None


@cache
def _tag_numbers(tags: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(tag_for_keyword(tag) or int(tag, 16) for tag in tags)


def _parse(source: Path | BinaryIO, tags: tuple[int, ...], before_voxels: bool) -> pydicom.Dataset:
    if isinstance(source, Path):
        with open_stream(source) as stream:
            return _parse(stream, tags, before_voxels)
    start = source.tell()
    head = source.read(132)
    source.seek(start)
    bare = head[128:] != b"DICM" and is_dicom(head)
    dataset = pydicom.dcmread(source, stop_before_pixels=before_voxels, specific_tags=list(tags), force=bare)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        )
    return dataset


def open_stream(path: Path) -> BinaryIO:
    """Open a file; a gzip file (``.dcm.gz``) is decompressed into memory.

    Raises:
        UnusableImage: the compressed file is damaged (``unreadable``) or decompresses to more than
            a series has (``too-large``).
    """
    return BytesIO(read_gzip(path)) if path.name.lower().endswith(".gz") else path.open("rb")


def is_dicom(head: bytes) -> bool:
    """Whether a file that begins with these 132 bytes is DICOM: by the letters after its preamble,
    or by a first element of group 2 or 8 where the preamble is missing.
    """
    if head[128:132] == b"DICM":
        return True
    if len(head) < 8:
        return False
    # An element's length stands behind its two letters of type, or in their place.
    typed = head[4:6].isalpha() and head[4:6].isupper()
    for order in ("<", ">"):
        group, element, length = struct.unpack_from(f"{order}HHL", head)
        if group in (2, 8) and element <= 0xFF and (typed or (order == "<" and length <= _MAX_FIRST_ELEMENT)):
            return True
    return False


def read_voxels(dataset: pydicom.Dataset, name: str, frame: int | None = None, form: PixelFormat | None = None) -> NDArray[np.integer]:
    """Stored values of all frames, shape ``[frames, rows, columns]`` (or of one frame, ``[rows,
    columns]``), little-endian integers.

    Bits that do not count are cleared; padding, the sign, slope, intercept and MONOCHROME1 are as
    stored (:class:`kneeoa.formats.dicom.pixels.PixelFormat`, :func:`meant`). ``form`` is used
    instead of what the header says of them.

    Raises:
        UnusableImage: no decoder for them is installed (``missing-codec``), the voxels are cut,
            damaged or contradict the header (``unreadable``), more voxels than the header says
            (``wrong-dimensions``), or colour (``not-greyscale``).
    """
    form = pixel_format(dataset, name) if form is None else form
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    decoder = require_codec(syntax, name)
    if not syntax.is_compressed or syntax.is_deflated:
        require_length(len(dataset.PixelData), form, name, lambda start: bytes(dataset.PixelData[start:]))
    elif syntax != RLELossless:
        form = replace(form, high=form.stored - 1)  # these codecs keep the bits that count and no others
    require_size(form.shape, name)
    shape = form.shape if frame is None else form.shape[1:]
    try:
        options: dict[str, Any] = {"correct_unused_bits": False}
        with silenced():
            decoded, _ = decoder.as_array(dataset, index=frame, raw=True, **options)
        cells = np.asarray(decoded, dtype=form.dtype).reshape(shape)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes, or a header that contradicts them
        raise decoding_error(error, syntax, name) from None
    return form.clear_unused_bits(cells)


def require_length(length: int, form: PixelFormat, name: str, bytes_from: Callable[[int], bytes]) -> None:
    """Compare the number of bytes of uncompressed voxels with the header's rows, columns and
    frames.

    One byte more is allowed, and padding: fewer bytes than a frame has, all of them alike.

    Args:
        length: how many bytes there are.
        form: how they are stored, by the header.
        name: the file's name in errors.
        bytes_from: returns the bytes from a given one on.

    Raises:
        UnusableImage: too few (``unreadable``) or too many (``wrong-dimensions``).
    """
    expected = form.frames * form.frame_bytes
    if length < expected:
        raise UnusableImage("unreadable", f"{name}: has {length} bytes of voxels, its header asks for {expected}; is it cut?")
    if length > expected + 1 and (length - expected >= form.frame_bytes or len(set(bytes_from(expected))) > 1):
        raise UnusableImage("wrong-dimensions", f"{name}: has {length} bytes of voxels, its header's rows and columns make {expected}.")


def modality_values(form: PixelFormat, stored: NDArray[np.integer], slope: float, intercept: float) -> NDArray[np.number]:
    """Convert stored values to meaningful ones, the brightest highest: by the file's Modality LUT,
    else by slope and intercept.
    """
    if form.table is not None:
        return form.table.values(stored, inverted=form.inverted)
    return rescale(form.to_monochrome2(stored), slope, intercept)


def rescale(stored: NDArray[np.integer], slope: float, intercept: float) -> NDArray[np.number]:
    """Slope and intercept applied in one pass, float32; the array itself where they are 1 and 0."""
    if (slope, intercept) == (1.0, 0.0):
        return stored
    scaled: NDArray[np.float32] = np.multiply(stored, np.float32(slope), dtype=np.float32)
    scaled += np.float32(intercept)
    return scaled


def decoding_error(error: Exception, syntax: UID, name: str) -> UnusableImage:
    """The exclusion for a decoder's error: sound voxels that no installed decoder supports
    (``missing-codec``), or damaged ones (``unreadable``).
    """
    if _UNSUPPORTED.search(str(error)):
        what = f"{name}: is compressed as {syntax.name} in a form that no installed decoder takes"
        return UnusableImage("missing-codec", f"{what}; the file may be sound: decompress it first.")
    return UnusableImage("unreadable", f"{name}: its voxels cannot be decoded ({type(error).__name__}); is it damaged?")


def require_codec(syntax: UID, name: str) -> Decoder:
    """The decoder of a transfer syntax.

    Raises:
        UnusableImage: there is none for images (``unsupported-dicom``), or none is installed
            (``missing-codec``).
    """
    from pydicom.pixels.decoders.base import get_decoder

    codec = syntax.name if syntax.is_transfer_syntax else "an unknown transfer syntax"
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise UnusableImage("unsupported-dicom", f"{name}: is stored as {codec}, which is not an image's.") from None
    if not decoder.is_available:
        raise UnusableImage(
            "missing-codec",
            f"{name}: is compressed as {codec}, for which no decoder is installed (see envs/); the file may be sound: decompress it first.",
        )
    return decoder
