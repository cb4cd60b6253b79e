"""Ingest one radiograph: from its file to its canonical array.

The display convention is described in :mod:`kneeoa.radiographs.read`, the canonical form and its
affine in :mod:`kneeoa.radiographs.crop`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.config.volumes import View
from kneeoa.ingestion.ingested import Ingested, other_side_in_header
from kneeoa.radiographs.crop import crop, window
from kneeoa.radiographs.exposed_field import exposed_field
from kneeoa.radiographs.joint import locate, positive
from kneeoa.radiographs.read import read_radiograph
from kneeoa.volumes.intensity import scale_intensities


def ingest_radiograph(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
    """Read one radiograph, cut the case's knee out of it where it shows both, and scale it.

    Raises:
        UnusableImage: the file cannot enter the study.
    """
    radiograph = read_radiograph(root / file["path"], file["format"], view.projection)
    digest, flags = radiograph.digest(), radiograph.flags
    if side is not None and file["shows"] == "knee" and radiograph.claims.far_contradiction(side) is not None:
        flags = (*flags, other_side_in_header(Path(file["path"]).name, side))
    field = exposed_field(radiograph.pixels)
    joint = locate(radiograph, field, file, view, side)
    radiograph = positive(radiograph, joint, view)
    piece = window(radiograph, view, joint.centre, joint.width)
    canonical = crop(radiograph, field, piece, view, side)
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
        piece.centre,
        joint.fit,
        joint.negative,
        flags=flags,
    )
