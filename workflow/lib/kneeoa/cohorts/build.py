"""The cohort stage: what a reader found becomes the tables of cases, images, labels and exclusions."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from kneeoa.cohorts.derive import finest, readings_of_levels
from kneeoa.cohorts.registry import reader
from kneeoa.cohorts.shards import shard_of
from kneeoa.cohorts.source import Knee, Reason
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.tables.cases import CASES
from kneeoa.tables.exclusions import EXCLUSIONS
from kneeoa.tables.images import IMAGES
from kneeoa.tables.labels import LABELS

_LOG = logging.getLogger(__name__)

LABEL_REASONS = frozenset({"missing-label", "invalid-label"})

Rows = list[dict[str, Any]]


def build(
    cohort: Cohort,
    name: str,
    root: Path,
    levels: tuple[Level, ...],
    *,
    cases: Path,
    images: Path,
    labels: Path,
    exclusions: Path,
) -> None:
    """Read a source and write its four tables, rows in the order of ``case_id``.

    ``cases`` has every knee that any of the source's files names. A knee that cannot be used has a row of scope ``case`` in
    ``exclusions``, and none in ``images`` where its image is the reason.

    Raises:
        KneeoaError: the source is not laid out as the reader expects, or holds no usable knee at all.
    """
    if not root.is_dir():
        raise KneeoaError(f"{root}: the folder of cohort '{name}' does not exist; set its 'root' to where the raw data lies.")
    source = reader(cohort.reader)(cohort, root)
    if not source.knees:
        raise KneeoaError(f"{root}: cohort '{name}' has no knee at visits {list(cohort.visits)} (reader '{cohort.reader}').")
    tables: dict[str, Rows] = {"cases": [], "images": [], "labels": [], "exclusions": [_exclusion(name, None, row) for row in source.loose]}
    for _, knee in sorted(source.knees.items()):
        _add(tables, name, knee, cohort, levels)
    if not tables["images"]:
        reasons = sorted({row["reason"] for row in tables["exclusions"]})
        raise KneeoaError(f"{root}: none of the {len(source.knees)} knees of cohort '{name}' can be used; the reasons are {reasons}.")
    CASES.write(cases, tables["cases"])
    IMAGES.write(images, tables["images"])
    LABELS.write(labels, tables["labels"])
    EXCLUSIONS.write(exclusions, tables["exclusions"])
    _LOG.info("%s: %d knees found, %d rows of exclusions", name, len(tables["cases"]), len(tables["exclusions"]))


def _add(tables: dict[str, Rows], name: str, knee: Knee, cohort: Cohort, levels: tuple[Level, ...]) -> None:
    shard = shard_of(knee.subject, cohort.shards)
    case = {"cohort": name, "case_id": knee.case_id}
    readings = readings_of_levels(knee.readings, levels)
    level = finest(levels).name
    labelled = level in readings and any(entry is not None for entry in readings[level].value)
    reasons = [*knee.reasons, *_gaps(knee, cohort, labelled, level)]
    tables["cases"].append(
        {
            **case,
            "subject": knee.subject,
            "side": knee.side,
            "visit": knee.visit,
            "shard": shard,
            "site": knee.site,
            "sex": knee.sex,
            "age": knee.age,
            "given_split": knee.given_split,
        }
    )
    for own, found in ((own, readings[own.name]) for own in levels if own.name in readings):
        row = {"level": own.name, "source": "reader", "value": list(found.value)}
        tables["labels"].append({**case, **row, "readings": found.count, "disagreement": found.disagreement})
    tables["exclusions"] += [_exclusion(name, knee, reason) for reason in reasons]
    # A missing label does not keep a knee from being decoded: what is decoded must depend on the image files alone, since a label that is
    # filled in later reruns the splits and no shard of volumes.
    if any(reason.scope == "case" and reason.reason not in LABEL_REASONS for reason in reasons):
        return
    for file in sorted(knee.files, key=lambda file: (file.view, file.role)):
        centre = file.centre or (None, None)
        place = {"path": file.path, "format": file.format, "shows": file.shows, "centre_row": centre[0], "centre_column": centre[1]}
        tables["images"].append({**case, "shard": shard, "view": file.view, "role": file.role, **place})


def _gaps(knee: Knee, cohort: Cohort, labelled: bool, level: str) -> list[Reason]:
    """What no reader can see from one file alone: a knee of the label table without an image, an image without a label."""
    told = {reason.reason for reason in knee.reasons}
    gaps = []
    if not labelled and "invalid-label" not in told:
        gaps.append(Reason("missing-label", f"{knee.case_id} has no label of level '{level}'."))
    for view in cohort.views:
        imaged = any(file.view == view and file.role == "image" for file in knee.files)
        if not imaged and not any(reason.view == view and reason.scope == "case" for reason in knee.reasons):
            gaps.append(Reason("missing-image", f"{knee.case_id} has no image of view '{view}' in the source.", view=view))
    return gaps


def _exclusion(name: str, knee: Knee | None, reason: Reason) -> dict[str, Any]:
    return {
        "cohort": name,
        "case_id": knee.case_id if knee else None,
        "subject": knee.subject if knee else None,
        "view": reason.view,
        "stage": "cohort",
        "scope": reason.scope,
        "reason": reason.reason,
        "detail": reason.detail,
    }
