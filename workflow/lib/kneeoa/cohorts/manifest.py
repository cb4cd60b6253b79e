"""Read any source by a column map: a table with a row for each case, each image, or each subject
with columns for both sides.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from pathlib import Path

from kneeoa.cohorts import cells
from kneeoa.cohorts.label_cells import parse_label
from kneeoa.cohorts.manifest_rows import Entry, SkippedRows, entries, is_absolute, meaning, table_path
from kneeoa.cohorts.readings import Vote, project_order, rows_differ, settle_readings, union_of_rows
from kneeoa.cohorts.source import File, Knee, Reading, Reason, Source
from kneeoa.cohorts.table_files import read_table
from kneeoa.cohorts.unlisted_images import unlisted_images
from kneeoa.cohorts.unmatched_codes import most_frequent_codes
from kneeoa.config.cohorts import Cohort
from kneeoa.config.manifest import Manifest
from kneeoa.errors import KneeoaError
from kneeoa.formats.file_names import format_of

_LOG = logging.getLogger(__name__)


def read(cohort: Cohort, root: Path) -> Source:
    """Read the manifest: it offers the levels of ``labels`` and the cohort's views.

    A row that names no knee, a path that leaves the root, a file that is not there or of no known
    format, a label outside its map: each is a reason with its line. Rows of other visits and views
    are passed over, with one reason for all whose visit or view nothing names. An age or a sex that
    cannot be read counts as empty, with one warning a column.

    Raises:
        KneeoaError: the table is missing or malformed, lacks a column, or has an invalid landmark
            or split.
    """
    if cohort.manifest is None:
        raise KneeoaError("reader 'manifest' needs the section 'manifest' with its column map.")
    manifest = cohort.manifest
    path = table_path(root, manifest.table)
    table = read_table(path, sheet=manifest.sheet)
    source = Source(loose=unlisted_images(root, manifest, table))
    votes: dict[tuple[str, str], dict[Vote, None]] = defaultdict(dict)
    files: dict[tuple[str, str, str], dict[str, tuple[Entry, File]]] = defaultdict(dict)
    conflicts: Counter[str] = Counter()
    passed: SkippedRows = {}
    odd_cells: dict[str, set[int]] = defaultdict(set)
    for entry in entries(table, cohort, manifest, root, passed=passed):
        where = f"{path.name}, line {entry.line}"
        if entry.problem or entry.subject is None or entry.visit is None:
            source.loose.append(Reason("unknown-knee", f"{where}: {entry.problem}.", unmatched=entry.unmatched))
            continue
        knee = source.knee(entry.subject, entry.side, entry.visit)
        _set_person(knee, entry, manifest, path, conflicts, odd_cells)
        _add_votes(knee, entry, cohort, where, votes)
        if entry.view is None and manifest.view is not None:
            knee.reasons.append(Reason("unknown-view", f"{where}: the view of {knee.case_id} is empty."))
            continue
        for role, place in (("image", entry.path), ("mask", entry.mask if cohort.tissues else None)):
            if place is not None and entry.view is not None:
                _add_file(knee, entry, role, place, root, manifest, where, files[knee.case_id, entry.view, role])
    for (case_id, view, role), candidates in files.items():
        _settle_files(source.knees[case_id], view, role, [file for _, file in candidates.values()])
    for (case_id, level), level_votes in votes.items():
        reading = _settle_labels(list(level_votes), cohort, level)
        if reading is not None and not any(reason.level == level for reason in source.knees[case_id].reasons):
            source.knees[case_id].readings[level] = reading
    for key, count in conflicts.items():
        _LOG.warning("%s: %d rows give a knee another %s than an earlier row; the first counts", path.name, count, key)
    for key, lines in odd_cells.items():
        expected = "a number" if key == "age" else f"F, M or a text of 'manifest.values.{key}'"
        message = "%s: %d cells of column '%s' are no %s, the first in line %d; they count as empty; expected %s"
        _LOG.warning(message, path.name, len(lines), manifest.columns[key], key, min(lines), expected)
    _report_passed(source, passed, path.name)
    return source


def _report_passed(source: Source, passed: SkippedRows, table: str) -> None:
    """Add one reason for all rows of unnamed visits, and one for those of unnamed views."""
    for key in ("visit", "view"):
        lines = {text: rows for (other, text), rows in passed.items() if other == key}
        if lines:
            everywhere = {line for numbers in lines.values() for line in numbers}
            rows = "the row is" if len(everywhere) == 1 else f"the first of {len(everywhere)} rows that are"
            codes = most_frequent_codes(Counter({text: len(numbers) for text, numbers in lines.items()}))
            detail = f"{table}, line {min(everywhere)}: {rows} of a {key} that neither '{key}s' nor 'manifest.values.{key}' names: {codes}."
            source.loose.append(Reason(f"unknown-{key}", detail, rows=len(everywhere)))
            _LOG.warning("%s", detail)


def _settle_labels(votes: list[Vote], cohort: Cohort, level: str) -> Reading | None:
    """The label of a case's rows. Where a level has several findings, rows of one project that
    differ may list one finding each, so that none of them alone is the label.
    """
    columns, rule = cohort.labels[level], cohort.readings
    if columns.several_findings and columns.findings == "union":
        votes = union_of_rows(votes)
    elif columns.several_findings and rule == "preferred" and rows_differ(votes):
        rule = "unanimous"
    return settle_readings(votes, rule, project_order(cohort.reading_project))


def _set_person(knee: Knee, entry: Entry, manifest: Manifest, path: Path, conflicts: Counter[str], odd_cells: dict[str, set[int]]) -> None:
    """Set site, sex, age and split of a knee by a row; an earlier row's value is kept."""
    values: dict[str, str | float | None] = {}
    for key in ("site", "sex", "split"):
        if key in entry.cells:
            values[key] = meaning(manifest, key, entry.cells[key])
    if "sex" in values and values["sex"] is None and not cells.is_missing(entry.cells["sex"]):
        odd_cells["sex"].add(entry.line)
    if "age" in entry.cells:
        try:
            values["age"] = cells.finite(entry.cells["age"])
        except ValueError:
            odd_cells["age"].add(entry.line)
    if "split" in values and values["split"] is None and not cells.is_missing(entry.cells["split"]):
        expected = f"expected {', '.join(cells.SPLITS)}, or a text of 'manifest.values.split'"
        raise KneeoaError(f"{path}: line {entry.line}: column '{manifest.split}' is '{entry.cells['split']}'; {expected}.")
    if "split" in values:
        values["given_split"] = values.pop("split")
    for key, value in values.items():
        current = getattr(knee, key)
        if current is None:
            setattr(knee, key, value)
        elif value is not None and value != current:
            if key == "given_split":
                raise KneeoaError(
                    f"{path}: line {entry.line}: {knee.case_id} is put into {value}, by an earlier line into {current}; choose one."
                )
            conflicts[key] += 1


def _add_votes(knee: Knee, entry: Entry, cohort: Cohort, where: str, votes: dict[tuple[str, str], dict[Vote, None]]) -> None:
    """Collect a row's labels. Equal ones of a project are one reading: a table of images repeats a
    case's label on each of its rows.
    """
    for level, texts in entry.labels.items():
        columns = cohort.labels[level]
        try:
            vote = Vote(parse_label(texts, columns), cells.project(entry.cells.get("project")))
        except ValueError as error:
            if not any(reason.level == level for reason in knee.reasons):
                detail = f"{where}: {'/'.join(columns.names)} of {knee.case_id}: {error}; map it in 'labels.{level}'."
                knee.reasons.append(Reason("invalid-label", detail, level=level))
            continue
        votes[knee.case_id, level][vote] = None


def _add_file(
    knee: Knee, entry: Entry, role: str, place: str, root: Path, manifest: Manifest, where: str, files: dict[str, tuple[Entry, File]]
) -> None:
    """Add a row's file, or the reason why it is none."""
    scope = "case" if role == "image" else "mask"
    view = str(entry.view)
    if is_absolute(place) or place.startswith(".."):
        detail = (
            f"{where}: the path '{place}' of {knee.case_id} leaves the cohort's root; give it relative to the root, or link the file there."
        )
        knee.reasons.append(Reason("outside-root", detail, scope=scope, view=view))
        return
    target = root / place
    kind = "dicom" if target.is_dir() else format_of(place) or ("dicom-file" if not target.suffix[1:].isalpha() else None)
    if not target.exists():
        knee.reasons.append(Reason("missing-file", f"{where}: '{place}' of {knee.case_id} is not there.", scope=scope, view=view))
    elif role == "mask" and kind == "npy":
        detail = f"{where}: '{place}' of {knee.case_id} is an array without a place in space; save the mask as NIfTI, MetaImage or NRRD."
        knee.reasons.append(Reason("unknown-format", detail, scope=scope, view=view))
    elif kind is None:
        detail = f"{where}: '{place}' of {knee.case_id} has the suffix '{target.suffix}', which no decoder reads; convert it."
        knee.reasons.append(Reason("unknown-format", detail, scope=scope, view=view))
    else:
        files[place] = (entry, File(view, role, place, kind, manifest.shows if role == "image" else "knee", _centre(entry, where)))


def _centre(entry: Entry, where: str) -> tuple[float, float] | None:
    row, column = (cells.number(entry.cells.get(key), f"{where}: the landmark's {key}") for key in ("row", "column"))
    return None if row is None or column is None else (row, column)


def _settle_files(knee: Knee, view: str, role: str, files: list[File]) -> None:
    if len(files) == 1:
        knee.files += files
    elif files:
        scope = "case" if role == "image" else "mask"
        paths = ", ".join(file.path for file in files)
        knee.reasons.append(
            Reason(f"duplicate-{role}", f"{len(files)} files of one knee: {paths}; keep the right one.", scope=scope, view=view)
        )
