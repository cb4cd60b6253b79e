"""One MRI volume from its file to its canonical array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.config.volumes import View
from kneeoa.images.canonical import to_canonical
from kneeoa.images.ingest import Ingested
from kneeoa.images.intensity import scale
from kneeoa.images.readers import read_image


def ingest_volume(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
    """Read, orient, resample and scale one volume.

    Raises:
        UnusableImage: the file cannot enter the study.
    """
    volume = read_image(root / file["path"], file["format"])
    canonical = to_canonical(volume, view, side)
    scaled = scale(canonical, view.intensity)
    return Ingested(
        scaled.array,
        canonical.affine,
        volume.digest(),
        canonical.source_shape,
        canonical.source_spacing,
        scaled.low,
        scaled.high,
        scaled.mean,
        scaled.sd,
    )
