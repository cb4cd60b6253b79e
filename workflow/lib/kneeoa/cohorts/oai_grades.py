"""Read OAI's clinical tables: readings of radiographs (``kxr_sq_bu<visit>``, or the archive's
``kxrsq01``) and people, as text or as SAS files.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from kneeoa.cohorts import cells
from kneeoa.cohorts.label_cells import parse_label
from kneeoa.cohorts.oai_paths import VISIT_NUMBERS, is_participant
from kneeoa.cohorts.readings import Vote, project_order, settle_readings
from kneeoa.cohorts.source import Reason, Source
from kneeoa.cohorts.table_files import read_table
from kneeoa.cohorts.text_tables import Table
from kneeoa.cohorts.unmatched_codes import most_frequent_codes
from kneeoa.config.cohorts import Cohort
from kneeoa.config.manifest import LabelColumns
from kneeoa.errors import KneeoaError

_LOG = logging.getLogger(__name__)

KL = "kl"
GRADES = 5
"""Kellgren-Lawrence grades, 0 to 4: the classes that the level ``kl`` must have."""

_SIDES = {"1": "R", "2": "L"}
_SEXES = {"1": "M", "2": "F"}
_ARCHIVE = "kxrsq01"
"""The archive's own table of all visits: columns without a visit's prefix."""
_SUFFIXES = (".txt", ".csv", ".sas7bdat")
_PEOPLE = {"site": "V00SITE", "sex": "P02SEX", "age": "V00AGE"}
_PEOPLE_TABLES = ("enrollees", "subjectchar00", "allclinical00")


def clinical_table(root: Path, name: str) -> Path | None:
    """The file of a clinical table: in any case, as text before SAS, at the root or in its folders
    (a download's own are two deep); None where there is none.

    Raises:
        KneeoaError: there are several of one form that differ: which one is valid is not known.
    """
    copies = sorted(
        (_SUFFIXES.index(path.suffix.lower()), depth, path)
        for depth, pattern in enumerate(("*", "*/*", "*/*/*"))
        for path in root.glob(pattern)
        if path.stem.lower() == name and path.suffix.lower() in _SUFFIXES and not path.name.startswith(".")
    )
    if not copies:
        return None
    form, _, first = copies[0]
    content = first.read_bytes() if len(copies) > 1 else b""
    other = next((path for also, _, path in copies[1:] if also == form and path.read_bytes() != content), None)
    if other is not None:
        both = f"{first.relative_to(root)} and {other.relative_to(root)}"
        raise KneeoaError(f"{root}: has two tables {name} that differ, {both}; keep the one that counts.")
    return first


def read_clinical(path: Path) -> Table:
    """A clinical table; its text form is delimited by ``|``.

    Raises:
        KneeoaError: it is damaged or cut.
    """
    return read_table(path, delimiter="|" if path.suffix.lower() == ".txt" else None)


def add_grades(source: Source, cohort: Cohort, root: Path, visit: str, only: Collection[str] | None = None) -> None:
    """Add the labels of a visit, level by level; of several readings the one that the cohort's rule
    chooses.

    Args:
        source: where the knees go.
        cohort: the rule and the column map; without one, ``kl`` from ``XRKL``.
        root: the cohort's folder.
        visit: the visit.
        only: cases to label; default every knee of the table.

    Raises:
        KneeoaError: the table is missing, malformed, or lacks a column.
    """
    number = f"{VISIT_NUMBERS[visit]:02d}"
    table = _readings(root, visit)
    path = table.path
    levels = cohort.labels or {KL: LabelColumns(columns=("XRKL",))}
    columns = {level: [_column(table, name, number) for name in level_columns.names] for level, level_columns in levels.items()}
    id_places = {name: table.column(name) for name in ("ID", "SIDE")}
    project = table.column("READPRJ") if table.has("READPRJ") else None
    places = {level: [table.column(name) for name in names] for level, names in columns.items()}
    votes: dict[tuple[str, str], list[Vote]] = defaultdict(list)
    wrong: dict[tuple[str, str], str] = {}
    for line, row in table.rows:
        subject, side = _knee(row[id_places["ID"]], row[id_places["SIDE"]])
        if subject is None or side is None:
            detail = f"{path.name}, line {line}: id '{row[id_places['ID']]}' and side '{row[id_places['SIDE']]}' name no knee."
            source.loose.append(Reason("unknown-knee", detail))
            continue
        case_id = f"{subject}-{side}-{visit}"
        if only is not None and case_id not in only:
            continue
        source.knee(subject, side, visit)
        for level, level_columns in levels.items():
            try:
                value = parse_label([row[place] for place in places[level]], level_columns)
                if level == KL and value[0] is not None and not 0 <= value[0] < GRADES:
                    raise ValueError(f"grade {value[0]} is outside 0 to {GRADES - 1}")
                votes[case_id, level].append(Vote(value, None if project is None else cells.project(row[project])))
            except ValueError as error:
                where = f"{path.name}, line {line}: {'/'.join(columns[level])} of {case_id}"
                wrong.setdefault((case_id, level), f"{where}: {error}.")
    for (case_id, level), detail in wrong.items():
        source.knees[case_id].reasons.append(Reason("invalid-label", detail, level=level))
    for (case_id, level), level_votes in votes.items():
        reading = (
            None if (case_id, level) in wrong else settle_readings(level_votes, cohort.readings, project_order(cohort.reading_project))
        )
        if reading is not None:
            source.knees[case_id].readings[level] = reading


def _readings(root: Path, visit: str) -> Table:
    """The readings of a visit: the release's table of it, else the archive's of all visits."""
    number = f"{VISIT_NUMBERS[visit]:02d}"
    path = clinical_table(root, f"kxr_sq_bu{number}")
    if path is not None:
        return read_clinical(path)
    path = clinical_table(root, _ARCHIVE)
    if path is None:
        raise KneeoaError(f"{root}: has no kxr_sq_bu{number}.txt (or .sas7bdat), the table of grades at visit {visit}.")
    table = read_table(path, delimiter="\t" if path.suffix.lower() == ".txt" else None)
    subject, when = table.column("src_subject_id"), table.column("visit")
    # The line that describes the columns is of no visit.
    rows = [(line, row) for line, row in table.rows if row[when].casefold() in (visit, f"v{number}")]
    if not rows:
        visits = most_frequent_codes(Counter(row[when] for _, row in table.rows))
        raise KneeoaError(f"{path}: has no row of visit {visit}; the column 'visit' has {visits}.")
    return Table(path, ["ID" if place == subject else name for place, name in enumerate(table.header)], rows)


def _column(table: Table, name: str, number: str) -> str:
    """The name of a column in the table: with the visit's prefix, or as it is given."""
    prefixed = f"V{number}{name}"
    if table.has(prefixed) or not table.has(name):
        return prefixed
    return name


def _knee(identifier: str, side: str) -> tuple[str | None, str | None]:
    try:
        subject = cells.identifier(identifier)
    except ValueError:
        subject = None
    return (subject if subject is not None and is_participant(subject) else None), _coded(side, _SIDES) or cells.side(side)


def _coded(cell: str, meanings: Mapping[str, str]) -> str | None:
    """The meaning of a coded cell (``1``, ``1.0``, ``1: Right``); None where it is no such code."""
    return meanings.get(cells.plain(cells.code(cell) or ""))


def _plain(identifier: str) -> str:
    subject, _ = _knee(identifier, "")
    return subject or identifier


def add_people(source: Source, root: Path) -> None:
    """Add site, sex and age at enrolment from the tables of participants that are there; a cell
    that cannot be read counts as empty, with one warning a column.

    Raises:
        KneeoaError: a table is malformed.
    """
    lacking = dict(_PEOPLE)
    for name in _PEOPLE_TABLES:
        path = clinical_table(root, name) if lacking else None
        if path is None:
            continue
        table = read_clinical(path)
        here = {key: column for key, column in lacking.items() if table.has(column)}
        lacking = {key: column for key, column in lacking.items() if key not in here}
        people = {_plain(row[0]): (line, dict(zip(here, row[1:], strict=True))) for line, row in table.select(("ID", *here.values()))}
        odd: dict[str, set[int]] = defaultdict(set)
        for knee in source.knees.values():
            line, person = people.get(knee.subject, (0, {}))
            if "site" in person:
                knee.site = cells.plain(cells.code(person["site"]) or "") or None
            if "sex" in person:
                knee.sex = _coded(person["sex"], _SEXES) or cells.sex(person["sex"])
                if knee.sex is None and not cells.is_missing(person["sex"]):
                    odd["sex"].add(line)
            if "age" in person:
                try:
                    knee.age = cells.finite(person["age"])
                except ValueError:
                    odd["age"].add(line)
        for key, lines in odd.items():
            message = "%s: %d cells of column '%s' are no %s, the first in line %d; they count as empty"
            _LOG.warning(message, path.name, len(lines), here[key], key, min(lines))
