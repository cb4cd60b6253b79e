"""The volumes stage: one shard of subjects in, one array with its index and its exclusions out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.images.array_writer import row_writer
from kneeoa.images.ingest import ingest
from kneeoa.images.shard_tables import files_of, reason_row
from kneeoa.tables.cases import CASES
from kneeoa.tables.exclusions import EXCLUSIONS
from kneeoa.tables.volumes import VOLUMES

_LOG = logging.getLogger(__name__)


def make_volumes(
    *,
    images: Path,
    cases: Path,
    root: Path,
    cohort: str,
    view_name: str,
    view: View,
    shard: int,
    out_array: Path,
    out_index: Path,
    out_exclusions: Path,
) -> None:
    """Decode a shard's images and bring them to the canonical grid: float16 ``[rows, *view.shape]``, rows in the order of ``case_id``.

    An image that cannot be used becomes a row of exclusions (stage ``volumes``, scope ``case``) and no row of the array. One image is
    in memory at a time.

    Raises:
        KneeoaError: a table is not what it should be.
    """
    people = CASES.read(cases).set_index("case_id")[["subject", "side"]].to_dict("index")
    rows: list[dict[str, Any]] = []
    excluded: list[dict[str, Any]] = []
    with row_writer(out_array, view.shape, np.float16) as writer:
        for case_id, file in files_of(images, shard, view_name, "image").items():
            case = {"cohort": cohort, "case_id": case_id, "view": view_name}
            person = people[case_id]
            try:
                image = ingest(root, file, view, person["side"])
            except UnusableImage as error:
                excluded.append({**case, "subject": person["subject"], **reason_row("volumes", "case", error.reason, error.detail)})
                _LOG.warning("%s: %s", case_id, error.detail)
                continue
            rows.append(
                {
                    **case,
                    "shard": shard,
                    "row": writer.append(image.array),
                    "source_digest": image.source_digest,
                    "source_shape": list(image.source_shape),
                    "source_spacing": list(image.source_spacing),
                    "affine": image.affine.ravel().tolist(),
                    "mirrored": person["side"] == "L",
                    "low": image.low,
                    "high": image.high,
                    "mean": image.mean,
                    "sd": image.sd,
                }
            )
    VOLUMES.write(out_index, rows)
    EXCLUSIONS.write(out_exclusions, excluded)
    _LOG.info("%s, %s, shard %d: %d volumes, %d unusable", cohort, view_name, shard, len(rows), len(excluded))
