"""Table rows that the volumes and masks stages share: the files of a shard, and the columns of an
exclusion.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kneeoa.tables.cohort import IMAGES


def shard_files(images: Path, shard: int, view: str, role: str) -> dict[str, dict[str, Any]]:
    """The shard's rows of the images table by case, in the order of ``case_id``."""
    table = IMAGES.read(images)
    chosen = table[(table["shard"] == shard) & (table["view"] == view) & (table["role"] == role)].sort_values("case_id")
    return {row["case_id"]: {str(name): value for name, value in row.items()} for row in chosen.to_dict("records")}


def exclusion_columns(stage: str, scope: str, reason: str, detail: str) -> dict[str, str]:
    """The columns of an exclusion that give its reason."""
    return {"stage": stage, "scope": scope, "reason": reason, "detail": detail}
