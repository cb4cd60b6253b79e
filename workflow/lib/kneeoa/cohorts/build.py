"""The cohort stage: write what a reader found as the tables of cases, images, labels and
exclusions.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kneeoa.cohorts.checks import check_labelled, refuse_impossible_classes, refuse_shared_files
from kneeoa.cohorts.derive import readings_of_levels
from kneeoa.cohorts.landmarks import add_landmarks
from kneeoa.cohorts.registry import reader
from kneeoa.cohorts.shards import shard_of
from kneeoa.cohorts.source import Knee, Reading, Reason
from kneeoa.cohorts.unmatched_codes import most_frequent_codes
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level, finest
from kneeoa.errors import KneeoaError
from kneeoa.tables.cohort import CASES, EXCLUSIONS, IMAGES, LABELS

_LOG = logging.getLogger(__name__)

LABEL_REASONS = frozenset({"missing-label", "invalid-label", "readings-disagree"})

Rows = list[dict[str, Any]]


def build_cohort(
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

    ``cases`` has every knee that any of the source's files names. A knee that cannot be used has a
    row of scope ``case`` in ``exclusions``, and none in ``images`` where its image is the reason. A
    knee without a label of the finest level leaves the study; one without a label of another level
    that no child gives it has a row of scope ``level``. ``labels`` keeps every reading of a knee.

    Raises:
        KneeoaError: the source is not laid out as the reader expects, or holds no usable knee at
            all, or no label of the finest level (unless it is named as unlabelled).
    """
    if not root.is_dir():
        raise KneeoaError(f"{root}: the folder of cohort '{name}' does not exist; set its 'root' to where the raw data lies.")
    source = reader(cohort.reader)(_with_class_names(cohort, levels), root)
    add_landmarks(source, cohort, root)
    refuse_shared_files(source)
    refuse_impossible_classes(source, levels)
    check_labelled(source, cohort, name, levels)
    if not source.knees:
        why = _most_frequent(source.loose)
        raise KneeoaError(f"{root}: cohort '{name}' has no knee at visits {list(cohort.visits)} (reader '{cohort.reader}'){why}.")
    tables: dict[str, Rows] = {
        "cases": [],
        "images": [],
        "labels": [],
        "exclusions": [_exclusion_row(name, None, row) for row in source.loose],
    }
    for _, knee in sorted(source.knees.items()):
        _add_knee(tables, name, knee, cohort, levels)
    if not tables["images"]:
        reasons = sorted({row["reason"] for row in tables["exclusions"]})
        why = _most_frequent([Reason(row["reason"], row["detail"]) for row in tables["exclusions"] if row["reason"] not in LABEL_REASONS])
        raise KneeoaError(f"{root}: none of the {len(source.knees)} knees of cohort '{name}' can be used; the reasons are {reasons}{why}.")
    CASES.write(cases, tables["cases"])
    IMAGES.write(images, tables["images"])
    LABELS.write(labels, tables["labels"])
    EXCLUSIONS.write(exclusions, tables["exclusions"])
    _log_readings(name, tables["labels"])
    _LOG.info("%s: %d knees found, %d rows of exclusions", name, len(tables["cases"]), len(tables["exclusions"]))


def _with_class_names(cohort: Cohort, levels: tuple[Level, ...]) -> Cohort:
    """The cohort, its columns with the class names that their cells may hold."""
    names = {level.name: level.classes for level in levels if level.exclusive}
    labels = {level: columns.of_level(names.get(level, ())) for level, columns in cohort.labels.items()}
    return cohort.model_copy(update={"labels": labels})


def _most_frequent(reasons: Sequence[Reason]) -> str:
    """The end of a sentence: the most frequent reason, its number, an example, and the codes that
    were not understood.
    """
    if not reasons:
        return ""
    counts = Counter[str]()
    for row in reasons:
        counts[row.reason] += row.rows
    reason, count = counts.most_common(1)[0]
    alike = [row for row in reasons if row.reason == reason]
    codes = Counter(row.unmatched for row in alike if row.unmatched is not None)
    shown = f"; what is not understood: {most_frequent_codes(codes)}" if codes else ""
    return f"; the most frequent reason is {reason} ({count} of {counts.total()}), e.g. {alike[0].detail.rstrip('.')}{shown}"


def _add_knee(tables: dict[str, Rows], name: str, knee: Knee, cohort: Cohort, levels: tuple[Level, ...]) -> None:
    shard = shard_of(knee.filed_under or knee.subject, cohort.shards)
    case = {"cohort": name, "case_id": knee.case_id}
    readings = readings_of_levels(knee.readings, levels)
    needed = finest(levels).name
    reasons = [replace(reason, scope="level") if reason.level not in (None, needed) else reason for reason in knee.reasons]
    reasons += [*_unnameable(knee), *_label_gaps(knee, readings, levels, needed), *_image_gaps(knee, cohort)]
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
    for level, reading in ((level, readings[level.name]) for level in levels if level.name in readings):
        row = {"level": level.name, "source": "reader", "value": list(reading.value)}
        votes = "; ".join(reading.votes) if reading.count > 1 else None
        tables["labels"].append({**case, **row, "readings": reading.count, "disagreement": reading.disagreement, "all_values": votes})
    tables["exclusions"] += [_exclusion_row(name, knee, reason) for reason in reasons]
    # A missing label does not keep a knee from being decoded: what is decoded must depend on the
    # image files alone, since a label that is filled in later reruns the splits and no shard of
    # volumes.
    if any(reason.scope == "case" and reason.reason not in LABEL_REASONS for reason in reasons):
        return
    for file in sorted((file for file in knee.files if _is_utf8(file.path)), key=lambda file: (file.view, file.role)):
        centre = file.centre or (None, None)
        place = {"path": file.path, "format": file.format, "shows": file.shows, "centre_row": centre[0], "centre_column": centre[1]}
        tables["images"].append({**case, "shard": shard, "view": file.view, "role": file.role, **place})


def _unnameable(knee: Knee) -> list[Reason]:
    """Reasons for files whose names are not UTF-8: no table can hold them."""
    reasons = []
    for file in knee.files:
        if not _is_utf8(file.path):
            shown = file.path.encode(errors="backslashreplace").decode()
            scope = "mask" if file.role == "mask" else "case"
            reasons.append(Reason("unreadable", f"{shown}: its name is not UTF-8; rename the file.", scope=scope, view=file.view))
    return reasons


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _label_gaps(knee: Knee, readings: dict[str, Reading], levels: tuple[Level, ...], needed: str) -> list[Reason]:
    """Reasons for the levels without a label: of scope ``case`` for the one that every case must
    have.
    """
    explained = {reason.level for reason in knee.reasons if reason.reason == "invalid-label"}
    gaps = []
    for level in levels:
        reading = readings.get(level.name)
        if level.name in explained or (reading is not None and any(entry is not None for entry in reading.value)):
            continue
        scope = "case" if level.name == needed else "level"
        if reading is not None and reading.disagreement:
            detail = f"{knee.case_id}: its {reading.count} readings of level '{level.name}' disagree ({'; '.join(reading.votes)})."
            gaps.append(Reason("readings-disagree", detail, scope=scope, level=level.name))
        else:
            gaps.append(Reason("missing-label", f"{knee.case_id} has no label of level '{level.name}'.", scope=scope, level=level.name))
    # A knee that leaves the study for its label needs no row for each coarser level that would have
    # followed from it.
    lost = needed in explained or any(gap.scope == "case" for gap in gaps)
    return [gap for gap in gaps if gap.scope == "case" or not lost]


def _image_gaps(knee: Knee, cohort: Cohort) -> list[Reason]:
    """Reasons for the views without an image, where the reader gave none: a knee of the label table
    alone.
    """
    explained = {reason.view for reason in knee.reasons if reason.view is not None and reason.scope == "case"}
    imaged = {file.view for file in knee.files if file.role == "image"}
    gaps = [view for view in cohort.views if view not in imaged | explained]
    return [Reason("missing-image", f"{knee.case_id} has no image of view '{view}' in the source.", view=view) for view in gaps]


def _log_readings(name: str, rows: Rows) -> None:
    """Log how many knees have several readings of a level, and how many of those disagree."""
    for level in dict.fromkeys(row["level"] for row in rows):
        several = [row for row in rows if row["level"] == level and row["readings"] > 1]
        if several:
            disagree = [row["case_id"] for row in several if row["disagreement"]]
            shown = f": {', '.join(disagree[:5])}{' ...' if len(disagree) > 5 else ''}" if disagree else ""
            _LOG.info("%s, %s: %d knees have several readings, %d of them disagree%s", name, level, len(several), len(disagree), shown)


def _exclusion_row(name: str, knee: Knee | None, reason: Reason) -> dict[str, Any]:
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
