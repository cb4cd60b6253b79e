"""List the DICOM files of a folder or an archive, or one alone, each with its parsed header and the
place of its voxels.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from kneeoa.errors import UnusableImage
from kneeoa.formats.archive import SUFFIXES, read_members
from kneeoa.formats.dicom.acquisition import ACQUISITION_TAGS
from kneeoa.formats.dicom.file import PIXEL_TAGS, VOXEL_TAGS, open_stream, parse, require_length, require_voxels
from kneeoa.formats.dicom.image_type import GE_COMPONENT_TAGS
from kneeoa.formats.dicom.objects import CAPTURE_SPACINGS, holds_no_image, is_capture, is_placed
from kneeoa.formats.dicom.pixels import PixelFormat, pixel_format
from kneeoa.formats.dicom.side import SIDE_TAGS
from kneeoa.formats.file_names import VOLUMES, format_of, lies_beside
from kneeoa.formats.os_errors import unreadable
from kneeoa.formats.walk import Trail, trail_into

GEOMETRY_TAGS = (
    "ImagePositionPatient", "ImageOrientationPatient", "SeriesInstanceUID", "ImageType", "EchoTime", "EchoNumbers",
    "TemporalPositionIdentifier", "TriggerTime", "AcquisitionNumber", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "ComplexImageComponent", *GE_COMPONENT_TAGS, *CAPTURE_SPACINGS, *ACQUISITION_TAGS, *SIDE_TAGS,
)  # fmt: skip
"""Elements for sorting slices, and for the acquisition and the side that they show."""
# Headers with long private elements are parsed again from the whole file.
_HEAD_BYTES = 1 << 16
_PIXEL_DATA = 0x7FE00010
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, eq=False)
class DicomSource:
    """A file on disk, or one already in memory."""

    name: str
    content: Path | bytes

    def open(self) -> BinaryIO:
        """A stream at the file's start; the caller closes it."""
        return open_stream(self.content) if isinstance(self.content, Path) else BytesIO(self.content)


class NotASlice(UnusableImage):
    """A picture that cannot be a slice of a volume: in colour, or without any position in space.
    One in a series makes the series unusable; a series of such pictures alone is skipped.

    Attributes:
        series: its SeriesInstanceUID.
        frames: how many pictures the file holds.
    """

    def __init__(self, error: UnusableImage, dataset: pydicom.Dataset) -> None:
        super().__init__(error.reason, error.detail)
        self.series = str(dataset.get("SeriesInstanceUID") or "")
        count = str(dataset.get("NumberOfFrames") or 1)
        self.frames = int(count) if count.isdecimal() else 1


@dataclass(frozen=True, eq=False)
class Header:
    """The parsed part of a file.

    Attributes:
        source: the file.
        dataset: :data:`PIXEL_TAGS` and :data:`GEOMETRY_TAGS`, where it has them.
        form: how its voxels are stored.
        offset: where uncompressed little-endian voxels begin in the file; None where they must be
            decoded.
    """

    source: DicomSource
    dataset: pydicom.Dataset
    form: PixelFormat
    offset: int | None


def list_sources(path: Path) -> Iterator[DicomSource]:
    """The files that may hold slices: those of a folder, of an archive, or the file itself.

    A folder without a file that may be a slice (a study's, a person's) stands for the folders in
    it, or for the one archive in it; subfolders of other folders are not looked at. Hidden files
    (``._001``) and directories of media (``DICOMDIR``) are skipped.

    Raises:
        UnusableImage: a link leads nowhere, or the archive is damaged (``unreadable``) or too large
            (``too-large``).
    """
    if path.is_dir():
        status = path.stat()
        yield from _folder_sources(path, path.name, ((status.st_dev, status.st_ino),))
    elif path.name.lower().endswith(SUFFIXES):
        for name, content in read_members(path):
            if not _is_skipped(name):
                yield DicomSource(f"{path.name}/{name}", content)
    else:
        yield DicomSource(path.name, path)


def _folder_sources(path: Path, name: str, trail: Trail) -> Iterator[DicomSource]:
    """Sources of a folder, called by ``name``, the outermost folder's: names of inner folders may
    be a person's.
    """
    with os.scandir(path) as listing:
        entries = sorted((entry for entry in listing if not _is_skipped(entry.name)), key=lambda entry: entry.name)
    files = [entry for entry in entries if _is_file(entry, name)]
    content = [entry for entry in files if not lies_beside(entry.name)]
    packed = len(content) == 1 and content[0].name.lower().endswith(SUFFIXES)
    for entry in files:
        if not packed or entry is not content[0]:
            yield DicomSource(f"{name}/{entry.name}", Path(entry.path))
    if packed:
        yield from list_sources(Path(content[0].path))
    elif not content:
        for entry in entries:
            inner_trail = trail_into(entry, trail)
            if inner_trail:
                yield from _folder_sources(Path(entry.path), name, inner_trail)


def _is_skipped(name: str) -> bool:
    return name.startswith(".") or name.upper() == "DICOMDIR"


def _is_file(entry: os.DirEntry[str], folder: str) -> bool:
    try:
        if entry.is_file():
            return True
        dangling = entry.is_symlink() and not entry.is_dir()
    except OSError:  # a loop of links
        dangling = True
    if dangling:
        raise UnusableImage("unreadable", f"{folder}/{entry.name}: is a link that leads nowhere.")
    return False


def read_header(source: DicomSource) -> Header | None:
    """Parse a file's header; None for files that are no slices (documents, converted volumes,
    screenshots without a position in the patient, reports, presentation states, scanners' private
    objects).

    Raises:
        NoSlice: in colour (``not-greyscale``).
        UnusableImage: damaged, cut or empty (``unreadable``), not an image of whole numbers
            (``unsupported-dicom``), or more voxels than the header says (``wrong-dimensions``).
    """
    try:
        dataset, uncompressed = _parse_head(source) or (_parse_whole(source), None)
    except UnusableImage:
        if lies_beside(source.name.rpartition("/")[2]) or format_of(source.name) in VOLUMES:
            return None
        raise
    if holds_no_image(dataset) or (is_capture(dataset) and not is_placed(dataset)):
        return None
    try:
        form = pixel_format(dataset, source.name)
    except UnusableImage as error:
        if error.reason == "not-greyscale":
            raise NotASlice(error, dataset) from None
        raise
    if uncompressed is None:
        return Header(source, dataset, form, None)
    offset, length = uncompressed
    require_length(length, form, source.name, lambda start: _read_bytes(source, offset + start, length - start))
    return Header(source, dataset, form, offset)


def _read_bytes(source: DicomSource, start: int, count: int) -> bytes:
    with source.open() as stream:
        stream.seek(start)
        return stream.read(count)


def _parse_head(source: DicomSource) -> tuple[pydicom.Dataset, tuple[int, int] | None] | None:
    """The header, and offset and length of uncompressed voxels; None where it does not end within
    the file's first bytes.
    """
    size = 0
    try:
        with source.open() as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            head = stream if isinstance(stream, BytesIO) else BytesIO(stream.read(_HEAD_BYTES))
            dataset = parse(head, source.name, (*PIXEL_TAGS, *GEOMETRY_TAGS), before_voxels=True)
            syntax, start, element = dataset.file_meta.TransferSyntaxUID, head.tell(), head.read(12)
    except OSError as error:
        raise unreadable(error, source.name) from None
    except UnusableImage:
        if size <= _HEAD_BYTES:
            raise
        return None
    if len(element) < 12 or syntax.is_deflated or not syntax.is_little_endian:
        return None
    group, number = struct.unpack_from("<HH", element)
    if group << 16 | number != _PIXEL_DATA:
        return None
    if syntax == ImplicitVRLittleEndian:
        (length,), offset = struct.unpack_from("<L", element, 4), start + 8
    else:
        (length,), offset = struct.unpack_from("<L", element, 8), start + 12
    if syntax not in (ImplicitVRLittleEndian, ExplicitVRLittleEndian) or length == _UNDEFINED:
        return dataset, None
    return dataset, (offset, min(length, size - offset))


def _parse_whole(source: DicomSource) -> pydicom.Dataset:
    with source.open() as stream:
        dataset = parse(stream, source.name, (*PIXEL_TAGS, *VOXEL_TAGS, *GEOMETRY_TAGS))
    if not holds_no_image(dataset):
        require_voxels(dataset, source.name)
        del dataset.PixelData  # read again when the slice is decoded
    return dataset
