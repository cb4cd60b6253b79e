"""The header of a NRRD file (teem.sourceforge.net/nrrd/format.html), and the segments that 3D
Slicer names in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from kneeoa.errors import UnusableImage

# A header longer than this is not one.
_MOST_HEADER = 1 << 20


@dataclass(frozen=True)
class NrrdHeader:
    """Fields by their names in lower case, key/value pairs (``key:=value``) as they are, and the
    byte behind the header.
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
        while stream.tell() < _MOST_HEADER:
            raw = stream.readline(_MOST_HEADER)
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


def segment_labels(path: Path) -> dict[str, int]:
    """Names and label values of the segments of a Slicer segmentation (``.seg.nrrd``), in their
    order.

    Raises:
        UnusableImage: no segments (``unreadable``), or segments in several layers or without a
            value of their own, or two of one name (``layered-segmentation``): such a file is not
            one label map.
    """
    pairs = read_header(path).pairs
    numbers = sorted(int(found[1]) for key in pairs if (found := re.fullmatch(r"Segment(\d+)_Name", key)))
    if not numbers:
        raise UnusableImage("unreadable", f"{path.name}: names no segments; is it a segmentation of 3D Slicer?")
    names = [pairs[f"Segment{number}_Name"] for number in numbers]
    values = [pairs.get(f"Segment{number}_LabelValue", "") for number in numbers]
    layers = {pairs.get(f"Segment{number}_Layer", "0") for number in numbers}
    if len(layers) > 1 or not all(value.isdigit() for value in values) or len({*values}) < len(values) or len({*names}) < len(names):
        raise UnusableImage(
            "layered-segmentation",
            f"{path.name}: its segments overlap in layers or share a name or a value; export them from 3D Slicer as one label map.",
        )
    return {name: int(value) for name, value in zip(names, values, strict=True)}
