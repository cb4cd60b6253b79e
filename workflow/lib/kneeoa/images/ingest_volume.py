"""One MRI volume from its file to its canonical array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.images.canonical import to_canonical
from kneeoa.images.ingest import Ingested
from kneeoa.images.intensity import scale
from kneeoa.images.plausible import require_scan
from kneeoa.images.readers import read_image


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
    if side is not None and volume.told_side not in (None, side):
        raise UnusableImage(
            "wrong-side", f"{name}: its header says side {volume.told_side}, the source's tables say {side}; which is right?"
        )
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
    )
