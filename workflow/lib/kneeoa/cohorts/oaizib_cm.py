"""Read paper A's cohort (OAIZIB-CM): ``subInfo_{train,test}.xlsx`` (or ``.csv``) and NIfTI files by
CMT-ID anywhere below the root.

The tables say whose knee each is: OAI's own subject, side, sex and age. Without a SubjectID a knee
is a subject of its own, called by its CMT-ID; without a KneeSide it is a right one, as all of the
release are. Masks have five labels: 4 is medial and 5 lateral tibial cartilage.
"""

from __future__ import annotations

import logging
import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from kneeoa.cohorts import cells
from kneeoa.cohorts.oaizib_cm_paths import file_name, subject_name
from kneeoa.cohorts.source import File, Knee, Reading, Reason, Source, record_unlistable_folders
from kneeoa.cohorts.table_files import read_table
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from kneeoa.formats.walk import files_below

_LOG = logging.getLogger(__name__)

_SPLITS = ("train", "test")
_GRADES = 5
_NEEDED = ("CMT-ID", "KLGrade")
_OPTIONAL = ("SubjectID", "KneeSide", "Gender", "Age")


@dataclass(frozen=True)
class _Row:
    """A row of a table: its CMT-ID, and the cells of the columns that are there."""

    number: int
    line: int
    cells: dict[str, str]


def read(cohort: Cohort, root: Path) -> Source:
    """Read the folder: the level that it offers is ``kl``; ``given_split`` is the table that a knee
    stands in.

    Raises:
        KneeoaError: a table is missing or malformed, a knee stands in both, or more than one view
            or visit is asked for.
    """
    if len(cohort.views) != 1 or len(cohort.visits) != 1:
        raise KneeoaError(f"reader 'oaizib_cm' offers one view at one visit, not {list(cohort.views)} at {list(cohort.visits)}.")
    source = Source()
    files = list(files_below(root, failed=record_unlistable_folders(source)))
    knees: dict[str, Knee] = {}
    odd: Counter[str] = Counter()
    for split in _SPLITS:
        path = _find_table(root, split, files)
        for row in _rows(path):
            name = subject_name(row.number)
            if name in knees:
                raise KneeoaError(
                    f"{path}: CMT-ID {row.number} stands twice in the tables of train and test knees; remove one of its rows."
                )
            knees[name] = _knee(source, cohort, row, path, odd)
            _set_split(knees[name], split, row, path)
            _set_grade(knees[name], row.cells["KLGrade"], path.name)
    for column, count in odd.items():
        _LOG.warning("%s of %d knees is neither empty nor understood; it stays empty", column, count)
    _add_files(source, cohort, files, knees)
    return source


def _knee(source: Source, cohort: Cohort, row: _Row, path: Path, odd: Counter[str]) -> Knee:
    """The knee of a row: OAI's own subject where the table has it, and its other columns. A row
    that does not say who or which knee it is gives a knee that is left out.
    """
    name, problems = subject_name(row.number), []
    texts = {key: text for key, text in row.cells.items() if key in _OPTIONAL and not cells.is_missing(text)}
    subject = None
    try:
        subject = cells.identifier(texts.get("SubjectID"))
    except ValueError as error:
        problems.append(f"SubjectID: {error}")
    side, sex, age = cells.side(texts.get("KneeSide")), cells.sex(texts.get("Gender")), _age(texts.get("Age"))
    if side is None and "KneeSide" in texts:
        problems.append(f"KneeSide is '{texts['KneeSide']}'; expected right or left")
    odd.update(key for key, value in (("Gender", sex), ("Age", age)) if value is None and key in texts)
    knee = source.knee(subject or name, side or "R", cohort.visits[0])
    knee.sex, knee.age, knee.filed_under = sex, age, name
    knee.reasons += [Reason("unknown-knee", f"{path.name}, line {row.line} (CMT-ID {row.number}): {what}.") for what in problems]
    return knee


def _age(text: str | None) -> float | None:
    try:
        age = float(text or "")
    except ValueError:
        return None
    return age if math.isfinite(age) else None


def _set_split(knee: Knee, split: str, row: _Row, path: Path) -> None:
    if knee.given_split not in (None, split):
        raise KneeoaError(f"{path}: line {row.line}: {knee.case_id} is in the tables of train and test knees; remove one of its rows.")
    knee.given_split = split


def _find_table(root: Path, split: str, files: list[tuple[str, str]]) -> Path:
    tables = [relative for relative, name in files if name.lower() in (f"subinfo_{split}.xlsx", f"subinfo_{split}.csv")]
    if len(tables) != 1:
        raise KneeoaError(
            f"{root}: expected one subInfo_{split}.xlsx below it, found {len(tables)}{': ' + ', '.join(tables) if tables else ''}."
        )
    return root / tables[0]


def _rows(path: Path) -> list[_Row]:
    """The rows of the first sheet."""
    table = read_table(path)
    if not all(table.has(name) for name in _NEEDED):
        raise KneeoaError(f"{path}: the first line has {table.header}; expected the columns CMT-ID and KLGrade.")
    columns = [name for name in (*_NEEDED, *_OPTIONAL) if table.has(name)]
    rows = []
    for line, texts in table.select(columns):
        match = re.search(r"(\d+)(\.0)?$", texts[0])
        if match is None:
            raise KneeoaError(f"{path}: line {line} has the CMT-ID '{texts[0]}'; expected a number.")
        rows.append(_Row(int(match[1]), line, dict(zip(columns, texts, strict=True))))
    return rows


def _set_grade(knee: Knee, cell: str, table: str) -> None:
    try:
        grade = cells.integer(cell)
        if grade is None:
            return
        if not 0 <= grade < _GRADES:
            raise ValueError(f"grade {grade} is outside 0 to {_GRADES - 1}")
    except ValueError as error:
        knee.reasons.append(Reason("invalid-label", f"{table}: KLGrade of {knee.subject}: {error}.", level="kl"))
        return
    knee.readings["kl"] = Reading((grade,))


def _add_files(source: Source, cohort: Cohort, files: list[tuple[str, str]], knees: dict[str, Knee]) -> None:
    paths: dict[tuple[str, str], list[str]] = defaultdict(list)
    for relative, name in files:
        parsed = file_name(name)
        if parsed is None:
            continue
        filed_under, role = parsed
        knee = knees.get(filed_under) or source.knee(filed_under, "R", cohort.visits[0])
        paths[knee.case_id, role].append(relative)
    for (case_id, role), knee_paths in sorted(paths.items()):
        knee = source.knees[case_id]
        if len(knee_paths) > 1:
            scope = "case" if role == "image" else "mask"
            detail = f"{len(knee_paths)} files of one knee: {', '.join(knee_paths)}; keep the right one."
            knee.reasons.append(Reason(f"duplicate-{role}", detail, scope=scope, view=cohort.views[0]))
        elif role == "image" or cohort.tissues:
            knee.files.append(File(cohort.views[0], role, knee_paths[0], "nifti"))
