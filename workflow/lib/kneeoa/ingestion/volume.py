"""Ingest one MRI volume: from its file to its canonical array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.formats.limits import require_scan
from kneeoa.formats.read_volume import read_volume
from kneeoa.formats.side_words import SIDE_NAMES
from kneeoa.formats.volume import Volume
from kneeoa.ingestion.ingested import Flags, Ingested, other_side_in_header
from kneeoa.volumes.canonical import to_canonical
from kneeoa.volumes.intensity import scale_intensities
from kneeoa.volumes.scanner_side import scanner_side


def ingest_volume(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
    """Read, orient, resample and scale one volume.

    Raises:
        UnusableImage: the file cannot enter the study.
    """
    name = Path(file["path"]).name
    volume = read_volume(
        root / file["path"], file["format"], view.echo, view.plane, view.image_type, file.get("orientation"), file.get("spacing_mm")
    )
    require_scan(volume.array.shape, volume.affine, name)
    flags = _side_flags(volume, name, side) if side is not None else ()
    digest, declared = volume.digest(), volume.declared
    canonical = to_canonical(volume, view, side)
    del volume  # the decoded voxels are not needed beside the scaled ones
    scaled = scale_intensities(canonical, view.intensity)
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
    other = volume.side.contradiction(side)
    if other is not None:
        raise UnusableImage("wrong-side", f"{name}: its header says side {other}, the source's tables say {side}; which is right?")
    flags = []
    if volume.side.far_contradiction(side) is not None:
        flags.append(other_side_in_header(name, side))
    place = scanner_side(volume)
    if place is not None and place[0] != side:
        detail = (
            f"{name}: its middle lies {place[1]:.0f} mm to the patient's {SIDE_NAMES[place[0]]}, and its side is {side}; which is right?"
        )
        flags.append(("other-side-in-scanner", detail))
    return tuple(flags)
