"""Ingest one MRI volume: from its file to its canonical array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.images.canonical import to_canonical
from kneeoa.images.ingest import Flags, Ingested, other_side_in_header
from kneeoa.images.intensity import scale
from kneeoa.images.plausible import require_scan
from kneeoa.images.readers import read_image
from kneeoa.images.scanner_side import scanner_side
from kneeoa.images.side_words import SIDES
from kneeoa.images.volume import Volume


def ingest_volume(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
    """Read, orient, resample and scale one volume.

    Raises:
        UnusableImage: the file cannot enter the study.
    """
    name = Path(file["path"]).name
    volume = read_image(
        root / file["path"], file["format"], view.echo, view.plane, view.image_type, file.get("orientation"), file.get("spacing_mm")
    )
    require_scan(volume.array.shape, volume.affine, name)
    flags = _side_flags(volume, name, side) if side is not None else ()
    digest, declared = volume.digest(), volume.declared
    canonical = to_canonical(volume, view, side)
    del volume  # the decoded voxels are not needed beside the scaled ones
    scaled = scale(canonical, view.intensity)
    return Ingested(
        scaled.array,
        canonical.affine,
        digest,
        canonical.source_shape,
        canonical.source_spacing,
        scaled.low,
        scaled.high,
        scaled.mean,
        scaled.sd,
        canonical.source_centre,
        orientation=declared,
        flags=flags,
    )


def _side_flags(volume: Volume, name: str, side: str) -> Flags:
    """Flags for weak evidence of the other side: the study's description, and the place in the
    scanner.

    Raises:
        UnusableImage: the header contradicts the tables (``wrong-side``).
    """
    other = volume.side.against(side)
    if other is not None:
        raise UnusableImage("wrong-side", f"{name}: its header says side {other}, the source's tables say {side}; which is right?")
    flags = []
    if volume.side.doubt(side) is not None:
        flags.append(other_side_in_header(name, side))
    place = scanner_side(volume)
    if place is not None and place[0] != side:
        detail = f"{name}: its middle lies {place[1]:.0f} mm to the patient's {SIDES[place[0]]}, and its side is {side}; which is right?"
        flags.append(("other-side-in-scanner", detail))
    return tuple(flags)
