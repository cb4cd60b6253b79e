"""The masks stage: one shard's masks on the grids of their volumes, each with the measures by which it is believed."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from kneeoa.config.volumes import MaskChecks
from kneeoa.errors import UnusableImage
from kneeoa.images.alignment import Tissues, inside_share, resample_labels, tissue_values, to_tissues
from kneeoa.images.array_writer import open_rows, row_writer
from kneeoa.images.cartilage import measure
from kneeoa.images.quality import flags, pose
from kneeoa.images.readers import read_image
from kneeoa.images.shard_tables import files_of, reason_row
from kneeoa.tables.exclusions import EXCLUSIONS
from kneeoa.tables.masks import MASKS
from kneeoa.tables.volumes import VOLUMES

_LOG = logging.getLogger(__name__)


def make_masks(
    *,
    images: Path,
    root: Path,
    cohort: str,
    view_name: str,
    tissues: Tissues,
    checks: MaskChecks,
    volumes_array: Path,
    volumes_index: Path,
    shard: int,
    out_array: Path,
    out_index: Path,
    out_exclusions: Path,
) -> None:
    """Bring a shard's masks to the grids of their volumes: uint8 ``[rows, *shape]``, values by ``sorted(tissues)``, rows by ``case_id``.

    Every volume of the shard gets a mask, or a row of exclusions that says why not. A mask that was read but is not believed keeps its
    row in the index (``usable`` false, with its flags) and has a row of exclusions too. Their scope is ``case`` where
    ``checks.required``, else ``mask``.

    Raises:
        KneeoaError: a table or array is not what it should be, or the tissues contradict each other.
    """
    volumes = open_rows(volumes_array)
    index = VOLUMES.read(volumes_index).sort_values("case_id").to_dict("records")
    files = files_of(images, shard, view_name, "mask")
    values = tissue_values(tissues)
    scope = "case" if checks.required else "mask"
    rows: list[dict[str, Any]] = []
    excluded: list[dict[str, Any]] = []
    with row_writer(out_array, volumes.shape[1:], np.uint8) as writer:
        for volume in index:
            case_id = volume["case_id"]
            case = {"cohort": cohort, "case_id": case_id, "view": view_name}
            reasons: list[tuple[str, str]] = []
            try:
                if case_id not in files:
                    raise UnusableImage("missing-mask", f"{case_id} has no mask of view '{view_name}' in the source.")
                mask = read_image(root / files[case_id]["path"], files[case_id]["format"])
                labels = to_tissues(mask, tissues)
            except UnusableImage as error:
                reasons = [(error.reason, error.detail)]
            else:
                affine = np.asarray(volume["affine"], dtype=np.float64).reshape(4, 4)
                spacing = np.linalg.norm(affine[:3, :3], axis=0)
                aligned = resample_labels(labels, affine, volumes.shape[1:])
                extent = np.asarray(volume["source_shape"]) * np.asarray(volume["source_spacing"]) / spacing
                inside = inside_share(labels, affine, volumes.shape[1:], tuple(extent))
                measures = measure(labels, values)
                found = pose(np.asarray(volumes[volume["row"]]), aligned, spacing, values)
                reasons = flags(inside, found, measures, checks)
                rows.append(
                    {
                        **case,
                        "shard": shard,
                        "row": writer.append(aligned),
                        "source_digest": mask.digest(),
                        "inside": inside,
                        "contrast": found.contrast,
                        "cartilage_mm3": measures.volume,
                        "cartilage_thickness_mm": measures.thickness,
                        "flags": list(dict.fromkeys(slug for slug, _ in reasons)),
                        "usable": not reasons,
                    }
                )
            if reasons:
                detail = " ".join(sentence for _, sentence in reasons)
                subject = case_id.rsplit("-", 2)[0]
                excluded.append({**case, "subject": subject, **reason_row("masks", scope, reasons[0][0], detail)})
                _LOG.warning("%s: %s", case_id, detail)
    MASKS.write(out_index, rows)
    EXCLUSIONS.write(out_exclusions, excluded)
    _LOG.info("%s, %s, shard %d: %d masks, %d not usable", cohort, view_name, shard, len(rows), len(excluded))
