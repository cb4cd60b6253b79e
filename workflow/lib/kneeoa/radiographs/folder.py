"""Read the one radiograph of a folder or an archive: an exam as hospitals export it, a series as
image archives deliver it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.file import parse
from kneeoa.formats.dicom.objects import holds_no_image, is_capture
from kneeoa.formats.dicom.silence import silenced
from kneeoa.formats.dicom.source import DicomSource, list_sources
from kneeoa.formats.file_names import PICTURES, format_of
from kneeoa.radiographs.dicom import read_dicom_radiograph
from kneeoa.radiographs.picture import read_picture
from kneeoa.radiographs.radiograph import Projection, Radiograph

_LOG = logging.getLogger(__name__)

Kind = Literal["film", "screenshot", "picture"]
_ORDER_OF_KINDS: tuple[Kind, ...] = ("film", "screenshot", "picture")
# Reasons for which a file is another picture than the one that the view asks for.
_OTHER_PICTURE = ("wrong-projection", "not-greyscale")


def read_only_radiograph(path: Path, projection: Projection) -> Radiograph:
    """Read the only radiograph of a folder (or of the folders in it) or of an archive.

    DICOM images come before secondary captures (films that were digitised, where there is nothing
    else), and these before pictures of other formats, which may be previews. Of several, those of
    another projection by their header and those in colour are left; copies are one.

    Raises:
        UnusableImage: there is none (``missing-file``), there are several (``duplicate-image``), a
            DICOM file is damaged (``unreadable``), or what reading the only one raises.
    """
    candidates: dict[Kind, list[DicomSource]] = {kind: [] for kind in _ORDER_OF_KINDS}
    for file_kind, source in _pictures(path):
        candidates[file_kind].append(source)
    kind = next((kind for kind in _ORDER_OF_KINDS if candidates[kind]), None)
    if kind is None:
        raise UnusableImage("missing-file", f"{path.name}: holds no radiograph.")
    chosen = candidates[kind]
    first: tuple[str, Radiograph] | None = None
    refused: list[UnusableImage] = []
    for source in chosen:
        try:
            radiograph = _read_picture(source) if kind == "picture" else _read_dicom(source, projection)
        except UnusableImage as error:
            if error.reason not in _OTHER_PICTURE:
                raise
            refused.append(error)
            continue
        if first is None:
            first = source.name, radiograph
        elif _identity(first[1]) != _identity(radiograph):
            both = f"{first[0]}; {source.name}"
            raise UnusableImage("duplicate-image", f"{path.name}: holds several radiographs ({both}); name the right one.")
    if first is None:
        raise refused[0]
    if len(chosen) > 1:
        _LOG.info("%s: reads %s of %d pictures", path.name, first[0], len(chosen))
    return first[1]


def _identity(radiograph: Radiograph) -> tuple[object, ...]:
    """Attributes in which two copies of a film agree: the picture, and its headers' claims of its
    side.
    """
    return radiograph.digest(), radiograph.side, radiograph.claims


def _pictures(path: Path) -> Iterator[tuple[Kind, DicomSource]]:
    """The files that hold a picture, with their kind; all others are skipped."""
    with silenced():
        for source in list_sources(path):
            kind = _kind(source)
            if kind is not None:
                yield kind, source


def _kind(source: DicomSource) -> Kind | None:
    with source.open() as stream:
        letters = stream.read(132)[128:]
        stream.seek(0)
        try:
            dataset = parse(stream, source.name, ("SOPClassUID", "SeriesInstanceUID", "Rows", "BitsAllocated"), before_voxels=True)
        except UnusableImage:
            if letters == b"DICM":
                raise
            return "picture" if format_of(source.name) in PICTURES else None
    if holds_no_image(dataset) or (letters != b"DICM" and "Rows" not in dataset):
        return None
    return "screenshot" if is_capture(dataset) else "film"


def _read_dicom(source: DicomSource, projection: Projection) -> Radiograph:
    return read_dicom_radiograph(source.content if isinstance(source.content, Path) else source, projection)


def _read_picture(source: DicomSource) -> Radiograph:
    kind = str(format_of(source.name))
    if isinstance(source.content, Path):
        return Radiograph(read_picture(source.content, kind))
    # Decoders of pictures read files; this temporary one is deleted once it is read.
    with TemporaryDirectory() as folder:
        path = Path(folder) / source.name.rpartition("/")[2]
        path.write_bytes(source.content)
        return Radiograph(read_picture(path, kind))
