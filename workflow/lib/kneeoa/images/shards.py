"""The volumes and masks stages: one shard of subjects in, one array with its index and its exclusions out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from kneeoa.config.volumes import MaskChecks, View
from kneeoa.errors import UnusableImage
from kneeoa.images.alignment import Tissues, inside_share, resample_labels, tissue_values, to_tissues
from kneeoa.images.array_writer import open_rows, row_writer
from kneeoa.images.canonical import to_canonical
from kneeoa.images.cartilage import measure
from kneeoa.images.intensity import scale
from kneeoa.images.quality import flags, pose
from kneeoa.images.readers import read_image
from kneeoa.tables.cases import CASES
from kneeoa.tables.exclusions import EXCLUSIONS
from kneeoa.tables.images import IMAGES
from kneeoa.tables.masks import MASKS
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
        KneeoaError: a table is not what it should be, or the view is not three-dimensional.
    """
    people = CASES.read(cases).set_index("case_id")[["subject", "side"]].to_dict("index")
    rows: list[dict[str, Any]] = []
    excluded: list[dict[str, Any]] = []
    with row_writer(out_array, view.shape, np.float16) as writer:
        for case_id, file in _files(images, shard, view_name, "image").items():
            case = {"cohort": cohort, "case_id": case_id, "view": view_name}
            person = people[case_id]
            try:
                volume = read_image(root / file["path"], file["format"])
                canonical = to_canonical(volume, view, person["side"])
                scaled = scale(canonical, view.intensity)
            except UnusableImage as error:
                excluded.append({**case, "subject": person["subject"], **_reason("volumes", "case", error.reason, error.detail)})
                _LOG.warning("%s: %s", case_id, error.detail)
                continue
            rows.append(
                {
                    **case,
                    "shard": shard,
                    "row": writer.append(scaled.array),
                    "source_digest": volume.digest(),
                    "source_shape": list(canonical.source_shape),
                    "source_spacing": list(canonical.source_spacing),
                    "affine": canonical.affine.ravel().tolist(),
                    "mirrored": person["side"] == "L",
                    "low": scaled.low,
                    "high": scaled.high,
                    "mean": scaled.mean,
                    "sd": scaled.sd,
                }
            )
    VOLUMES.write(out_index, rows)
    EXCLUSIONS.write(out_exclusions, excluded)
    _LOG.info("%s, %s, shard %d: %d volumes, %d unusable", cohort, view_name, shard, len(rows), len(excluded))


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
    files = _files(images, shard, view_name, "mask")
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
                excluded.append({**case, "subject": subject, **_reason("masks", scope, reasons[0][0], detail)})
                _LOG.warning("%s: %s", case_id, detail)
    MASKS.write(out_index, rows)
    EXCLUSIONS.write(out_exclusions, excluded)
    _LOG.info("%s, %s, shard %d: %d masks, %d not usable", cohort, view_name, shard, len(rows), len(excluded))


def _files(images: Path, shard: int, view: str, role: str) -> dict[str, dict[str, Any]]:
    """The shard's files by case, in the order of ``case_id``."""
    table = IMAGES.read(images)
    chosen = table[(table["shard"] == shard) & (table["view"] == view) & (table["role"] == role)].sort_values("case_id")
    return {row["case_id"]: {str(name): value for name, value in row.items()} for row in chosen.to_dict("records")}


def _reason(stage: str, scope: str, reason: str, detail: str) -> dict[str, str]:
    return {"stage": stage, "scope": scope, "reason": reason, "detail": detail}
