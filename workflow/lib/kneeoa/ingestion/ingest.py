"""Bring one raw file to one row of a shard, whatever its dimensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.config.volumes import View
from kneeoa.ingestion.ingested import Ingested
from kneeoa.ingestion.radiograph import ingest_radiograph
from kneeoa.ingestion.volume import ingest_volume


def ingest(root: Path, file: dict[str, Any], view: View, side: str | None) -> Ingested:
    """Decode one row of the images table and bring it to the canonical form of its view.

    Args:
        root: the cohort's folder.
        file: the row (``path``, ``format``, ``shows``, ``centre_row``, ``centre_column``), and the
            ``orientation`` and ``spacing_mm`` that the cohort declares, if it does.
        view: the canonical form.
        side: ``L``, ``R`` or None; left knees are mirrored.

    Raises:
        UnusableImage: the file cannot enter the study.
    """
    if view.dimensions == 2:
        return ingest_radiograph(root, file, view, side)
    return ingest_volume(root, file, view, side)
