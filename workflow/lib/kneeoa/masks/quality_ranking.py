"""Rank a cohort's images and masks for review: their measures and flags, worst first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kneeoa.tables.cohort import EXCLUSIONS
from kneeoa.tables.schema import TableSchema
from kneeoa.tables.shards import CARTILAGE, MASKS, QUALITY, SHIFTS, VOLUMES

PER_PAGE = 100
"""Cases on a page of pictures."""

SHIFTED = "mask-shifted"
"""The flag of an accepted mask that lies about a voxel beside the edges that it outlines."""
_FLAG_ORDER = ("mask-misaligned", "mask-implausible", "mask-incomplete", "mask-empty", SHIFTED, "*", "mask-repaired")
"""Flags from the worst to the mildest; ``*`` stands for every other."""
_EXPECTED_FLAGS = ("missing-mask",)
"""Flags that many cohorts have by design: listed, but not to be looked at."""
_MASK_COLUMNS = ("repair", "inside", "contrast", "boundary", "offset_mm", *SHIFTS, "cartilage_mm3", "cartilage_thickness_mm")
_MEASURES = ("contrast", "boundary", "offset_mm", "cartilage_mm3", "cartilage_thickness_mm", "joint_fit")
_AXES = ("slices", "rows", "columns")
# Displacement of the edges as a whole (in the image's voxels along an axis, and mm) from which on a
# mask is flagged as shifted.
_SHIFT_VOXELS, _SHIFT_MM = 0.6, 0.5


def rank_quality(
    volumes: Sequence[Path], masks: Sequence[Path], cartilage: Sequence[Path], exclusions: Sequence[Path], view: str, cases: int | None
) -> pd.DataFrame:
    """The rows of QUALITY, by rank.

    Flagged cases come first, by their worst flag and then by how little of the mask lies on edges
    of the image; the others follow by how far they lie from the cohort's median. Pictures are given
    to flagged cases in this order, then to unflagged ones in a pseudo-random order that is always
    the same (a digest of the case's name), until there are ``cases`` of them. The first of all goes
    to a case whose orientation is declared, where there is one: it must be looked at.

    Args:
        volumes: VOLUMES of one cohort and view.
        masks: MASKS of the same; may be empty.
        cartilage: CARTILAGE of the same; may be empty.
        exclusions: EXCLUSIONS of the stages volumes and masks.
        view: the view; exclusions of other views are left out.
        cases: how many cases get a picture; None: all.

    Raises:
        KneeoaError: a table is not valid.
    """
    rows: dict[str, dict[str, Any]] = {}
    spacings: dict[str, Sequence[float]] = {}
    for image in _records(VOLUMES, volumes):
        rows[str(image["case_id"])] = _row_without_mask(image, view, has_image=True)
        spacings[str(image["case_id"])] = image["source_spacing"]
    for reason in _records(EXCLUSIONS, exclusions):
        if reason["view"] == view and reason["case_id"] is not None:
            row = rows.setdefault(str(reason["case_id"]), _row_without_mask(reason, view, has_image=False))
            row["flags"].append(reason["reason"])
            row["detail"] = " ".join(filter(None, (row["detail"], reason["detail"])))
    for mask in _records(MASKS, masks):
        row = rows[str(mask["case_id"])]
        row |= {name: mask[name] for name in _MASK_COLUMNS} | {"has_mask": True, "mask_usable": bool(mask["usable"])}
        row["flags"] = [*mask["flags"], *row["flags"]]
        if mask["usable"] and (sentence := _shift_sentence([mask[name] for name in SHIFTS], spacings.get(str(mask["case_id"]), ()))):
            row["flags"].append(SHIFTED)
            row["detail"] = " ".join(filter(None, (row["detail"], sentence)))
    for plate in _records(CARTILAGE, cartilage):
        # Halves are parts of their plates.
        if plate["denuded_mm2"] is not None and not plate["region"].endswith(("_medial", "_lateral")):
            row = rows[str(plate["case_id"])]
            row["denuded_mm2"] = (row["denuded_mm2"] or 0.0) + plate["denuded_mm2"]
    ranked = list(rows.values())
    for row, outlying in zip(ranked, _outlying(ranked), strict=True):
        row["flags"] = list(dict.fromkeys(row["flags"]))
        row["flagged"] = any(flag not in _EXPECTED_FLAGS for flag in row["flags"])
        row["outlying"] = outlying
    ranked.sort(key=_severity)
    for rank, row in enumerate(ranked, start=1):
        row["rank"] = rank
    for place, row in enumerate(_picture_order(ranked)[:cases]):
        row["page"] = place // PER_PAGE + 1
    return pd.DataFrame(ranked, columns=QUALITY.schema.names)


def _records(schema: TableSchema, paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The rows of some tables, with None for what is empty."""
    for row in schema.concat(list(paths)).to_dict("records"):
        yield {str(name): None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}


def _row_without_mask(source: dict[str, Any], view: str, *, has_image: bool) -> dict[str, Any]:
    """A row of a case, without a mask."""
    empty: dict[str, Any] = dict.fromkeys(QUALITY.schema.names)
    identity = {"cohort": source["cohort"], "case_id": source["case_id"], "view": view, "joint_fit": source.get("joint_fit")}
    identity["orientation"] = source.get("orientation")
    return empty | identity | {"flags": [], "has_image": has_image, "has_mask": False}


def _shift_sentence(shift: Sequence[float | None], spacing: Sequence[float]) -> str:
    """A sentence on the axes along which the image's edges lie a voxel or so from a mask; empty
    where they lie on it.
    """
    # Radiographs have rows and columns alone.
    steps = [float("nan")] * (len(_AXES) - len(spacing)) + list(spacing)
    shifts = [
        f"{abs(by):.1f} mm ({abs(by) / step:.1f} voxels) along the {axis}"
        for axis, by, step in zip(_AXES, shift, steps, strict=True)
        if by is not None and abs(by) > max(_SHIFT_VOXELS * step, _SHIFT_MM)
    ]
    return f"the edges that the mask outlines lie {' and '.join(shifts)} from it." if shifts else ""


def _outlying(rows: list[dict[str, Any]]) -> list[float | None]:
    """For each row the largest robust z of its measures (distance from the median over 1.4826 times
    the median absolute deviation).
    """
    largest = np.full(len(rows), np.nan)
    for name in _MEASURES:
        values = np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=np.float64)
        if np.isfinite(values).any():
            distance = np.abs(values - np.nanmedian(values))
            spread = 1.4826 * float(np.nanmedian(distance))
            largest = np.fmax(largest, distance / spread) if spread > 0 else largest
    return [float(value) if np.isfinite(value) else None for value in largest]


def _severity(row: dict[str, Any]) -> tuple[Any, ...]:
    """Sort key of a row: worst flag, edges outlined, distance from the median, case."""
    worst = min(
        (_FLAG_ORDER.index(flag if flag in _FLAG_ORDER else "*") for flag in row["flags"] if flag not in _EXPECTED_FLAGS),
        default=len(_FLAG_ORDER),
    )
    boundary = row["boundary"] if row["boundary"] is not None else 1.0
    return worst, boundary if row["flagged"] else 0.0, -(row["outlying"] or 0.0), row["case_id"]


def _picture_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows that have an image, in the order in which they get a picture."""
    imaged = [row for row in rows if row["has_image"]]
    others = [row for row in imaged if not row["flagged"]]
    others.sort(key=lambda row: hashlib.sha256(row["case_id"].encode()).digest())
    order = [row for row in imaged if row["flagged"]] + others
    declared = next((row for row in order if row["orientation"] is not None), None)
    return sorted(order, key=lambda row: row is not declared)
