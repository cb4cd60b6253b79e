"""One DICOM file: the elements that are asked for, and its voxels, in any transfer syntax; people's
names and dates of birth are asked for by nobody and not even parsed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.datadict import tag_for_keyword
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from kneeoa.errors import UnusableImage
from kneeoa.images.dicom_pixels import pixel_format
from kneeoa.images.dicom_quiet import quiet
from kneeoa.images.plausible import require_size
from kneeoa.images.trouble import unreadable

PIXEL_TAGS = (
    "SOPClassUID", "Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "PixelSpacing",
)  # fmt: skip
"""What every reading parses: how the voxels are stored and scaled."""
VOXEL_TAGS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""Elements that hold voxels; only whole numbers (the first) are decoded."""
# The first elements of a file that lacks the preamble and the letters DICM: group 2, or group 8
# with its first tags.
_BARE = (b"\x02\x00\x00\x00", b"\x02\x00\x01\x00", b"\x08\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00")


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file's first 132 bytes are DICOM's, with the preamble or without it."""
    return head[128:] == b"DICM" or head[:4] in _BARE


def open_file(source: Path | BinaryIO, name: str, tags: Iterable[str] = ()) -> pydicom.Dataset:
    """Parse one file: :data:`PIXEL_TAGS`, the voxels' bytes, and the further keywords ``tags``;
    nothing else of its header.

    Args:
        source: a file, or a stream at its start.
        name: how errors call the file.
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
        with quiet():
            return _parse(source, _numbers(tuple(tags)), before_voxels)
    except InvalidDicomError:
        raise UnusableImage("unreadable", f"{name}: is not a DICOM file; is it damaged or empty?") from None
    except OSError as error:
        raise unreadable(error, name) from None
    except MemoryError:
        raise
    except Exception as error:  # a cut or spoiled header makes pydicom raise anything; its words may quote the header
        raise UnusableImage("unreadable", f"{name}: its header cannot be read ({type(error).__name__}); is it damaged?") from None


@cache
def _numbers(tags: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(tag_for_keyword(tag) or int(tag, 16) for tag in tags)


def _parse(source: Path | BinaryIO, tags: tuple[int, ...], before_voxels: bool) -> pydicom.Dataset:
    if isinstance(source, Path):
        with source.open("rb") as stream:
            return _parse(stream, tags, before_voxels)
    start = source.tell()
    head = source.read(132)
    source.seek(start)
    bare = head[128:] != b"DICM" and head[:4] in _BARE
    dataset = pydicom.dcmread(source, stop_before_pixels=before_voxels, specific_tags=list(tags), force=bare)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = (
            ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        )
    return dataset


def voxels(dataset: pydicom.Dataset, name: str, frame: int | None = None) -> NDArray[np.integer]:
    """Stored values of all frames, shape ``[frames, rows, columns]`` (or of one frame, ``[rows,
    columns]``), little-endian integers.

    Bits that do not count are cleared; the sign, slope, intercept and MONOCHROME1 are as stored
    (:meth:`kneeoa.images.dicom_pixels.PixelFormat.monochrome2`, :func:`rescale`).

    Raises:
        UnusableImage: no decoder is installed (``missing-codec``), the voxels are cut, damaged or
            contradict the header (``unreadable``), more voxels than the header says
            (``wrong-dimensions``), or colour (``not-greyscale``).
    """
    form = pixel_format(dataset, name)
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    _require_codec(syntax, name)
    if not syntax.is_compressed or syntax.is_deflated:
        require_length(len(dataset.PixelData), form.frames * form.frame_bytes, name)
    elif syntax != RLELossless:
        form = replace(form, high=form.stored - 1)  # these codecs keep the bits that count and no others
    require_size(form.shape, name)
    shape = form.shape if frame is None else form.shape[1:]
    try:
        from pydicom.pixels.decoders.base import get_decoder

        options: dict[str, Any] = {"correct_unused_bits": False}
        with quiet():
            decoded, _ = get_decoder(syntax).as_array(dataset, index=frame, raw=True, **options)
        cells = np.asarray(decoded, dtype=form.dtype).reshape(shape)
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes, or a header that contradicts them
        raise UnusableImage("unreadable", f"{name}: its voxels cannot be decoded ({type(error).__name__}); is it damaged?") from None
    return form.clean(cells)


def require_length(found: int, expected: int, name: str) -> None:
    """Compare the bytes of uncompressed voxels with what rows, columns and frames ask for (one byte
    of padding is allowed).

    Raises:
        UnusableImage: too few (``unreadable``) or too many (``wrong-dimensions``).
    """
    if found < expected:
        raise UnusableImage("unreadable", f"{name}: has {found} bytes of voxels, its header asks for {expected}; is it cut?")
    if found > expected + 1:
        raise UnusableImage("wrong-dimensions", f"{name}: has {found} bytes of voxels, its header's rows and columns make {expected}.")


def rescale(stored: NDArray[np.integer], slope: float, intercept: float) -> NDArray[np.number]:
    """Slope and intercept applied in one pass, float32; the array itself where they are 1 and 0."""
    if (slope, intercept) == (1.0, 0.0):
        return stored
    scaled: NDArray[np.float32] = np.multiply(stored, np.float32(slope), dtype=np.float32)
    scaled += np.float32(intercept)
    return scaled


def _require_codec(syntax: UID, name: str) -> None:
    from pydicom.pixels.decoders.base import get_decoder

    known = syntax.name if syntax.is_transfer_syntax else "an unknown transfer syntax"
    try:
        ready = get_decoder(syntax).is_available
    except NotImplementedError:
        raise UnusableImage("unsupported-dicom", f"{name}: is stored as {known}, which is not an image's.") from None
    if not ready:
        raise UnusableImage("missing-codec", f"{name}: is compressed as {known}, for which no decoder is installed (see envs/).")
