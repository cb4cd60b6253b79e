"""One radiograph from its file to its canonical array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.config.volumes import View
from kneeoa.errors import KneeoaError
from kneeoa.images.ingest import Ingested


def ingest_radiograph(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
    """Read one radiograph, cut the case's knee out of it where it shows both, and scale it.

    Raises:
        UnusableImage: the file cannot enter the study.
    """
    raise KneeoaError("a view of 2 dimensions has no canonical volume: 'dimensions' must be 3 for knee MRI.")
