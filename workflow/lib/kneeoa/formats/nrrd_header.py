"""Read the header of a NRRD file (teem.sourceforge.net/nrrd/format.html), and the segments that 3D
Slicer names in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kneeoa.errors import UnusableImage
from kneeoa.formats.volume import Segment

# Bytes; a longer header is no header.
_MAX_HEADER = 1 << 20


@dataclass(frozen=True)
class NrrdHeader:
    """Fields by their names in lower case, key/value pairs (``key:=value``) as they are, and the
    byte after the header.
    """

    fields: dict[str, str]
    pairs: dict[str, str]
    offset: int


def read_header(path: Path) -> NrrdHeader:
    """Read a header, attached or detached.

    Raises:
        UnusableImage: not a NRRD file, or no end of the header (``unreadable``).
    """
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    with path.open("rb") as stream:
        if not re.fullmatch(rb"NRRD\d{4}", stream.readline(16).strip()):
            raise UnusableImage("unreadable", f"{path.name}: is not a NRRD file; is it damaged or empty?")
        while stream.tell() < _MAX_HEADER:
            raw = stream.readline(_MAX_HEADER)
            line = raw.decode("utf-8", errors="replace").strip()
            # A detached header may end with its file.
            if not line and (raw or "data file" in fields or "datafile" in fields):
                return NrrdHeader(fields, pairs, stream.tell())
            if not raw:
                break
            if line.startswith("#"):
                continue
            if ":=" in line and not re.match(r"[a-z ]+: ", line):
                key, _, value = line.partition(":=")
                pairs[key] = value
            else:
                key, _, value = line.partition(":")
                fields[key.strip().lower()] = value.strip()
    raise UnusableImage("unreadable", f"{path.name}: its header has no end; is it damaged or cut?")


def segments(header: NrrdHeader) -> tuple[Segment, ...]:
    """The segments that a Slicer segmentation (``.seg.nrrd``) names, in their order; empty for
    other files.
    """
    numbers = sorted(int(match[1]) for key in header.pairs if (match := re.fullmatch(r"Segment(\d+)_Name", key)))
    listed = []
    for number in numbers:
        value = header.pairs.get(f"Segment{number}_LabelValue", "").strip()
        layer = header.pairs.get(f"Segment{number}_Layer", "0").strip()
        listed.append(Segment(header.pairs[f"Segment{number}_Name"].strip(), int(value) if value.isdecimal() else None, layer))
    return tuple(listed)


def segment_labels(path: Path) -> dict[str, int]:
    """Names and label values of the segments of a Slicer segmentation (``.seg.nrrd``), in their
    order.

    Raises:
        UnusableImage: no segments (``unreadable``), or segments that are not one label map
            (``layered-segmentation``).
    """
    listed = segments(read_header(path))
    if not listed:
        raise UnusableImage("unreadable", f"{path.name}: names no segments; is it a segmentation of 3D Slicer?")
    return label_values(listed, path.name)


def label_values(listed: Sequence[Segment], name: str) -> dict[str, int]:
    """The label value of each segment, by its name; ``name`` is the file's name in errors.

    Raises:
        UnusableImage: segments in several layers or without a value of their own, or two of one
            name (``layered-segmentation``): such a file is not one label map.
    """
    values = {segment.name: segment.value for segment in listed if segment.value is not None}
    layers = {segment.layer for segment in listed}
    if len(layers) > 1 or len(values) < len(listed) or len({*values.values()}) < len(values):
        raise UnusableImage(
            "layered-segmentation",
            f"{name}: its segments overlap in layers or share a name or a value; export them from 3D Slicer as one label map.",
        )
    return values
