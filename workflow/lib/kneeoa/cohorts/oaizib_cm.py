"""Paper A's cohort (OAIZIB-CM): ``subInfo_{train,test}.xlsx`` and NIfTI files by CMT-ID anywhere
below the root.

All knees are right ones, and each is a subject of its own. Masks have five labels: 4 is medial and
5 lateral tibial cartilage.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from kneeoa.cohorts.cells import integer
from kneeoa.cohorts.oaizib_cm_paths import file_name, subject_name
from kneeoa.cohorts.source import File, Knee, Reading, Reason, Source, unreadable
from kneeoa.cohorts.table_files import read_table
from kneeoa.cohorts.walk import files_below
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

_SPLITS = ("train", "test")
_GRADES = 5


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
    files = list(files_below(root, failed=unreadable(source)))
    for split in _SPLITS:
        path = _table(root, split, files)
        for number, grade in _rows(path):
            knee = source.knee(subject_name(number), "R", cohort.visits[0])
            if knee.given_split is not None:
                raise KneeoaError(f"{path}: CMT-ID {number} stands twice in the tables of train and test knees; remove one of its rows.")
            knee.given_split = split
            _grade(knee, grade, path.name)
    _files(source, cohort, files)
    return source


def _table(root: Path, split: str, files: list[tuple[str, str]]) -> Path:
    found = [relative for relative, name in files if name.lower() == f"subinfo_{split}.xlsx"]
    if len(found) != 1:
        raise KneeoaError(
            f"{root}: expected one subInfo_{split}.xlsx below it, found {len(found)}{': ' + ', '.join(found) if found else ''}."
        )
    return root / found[0]


def _rows(path: Path) -> list[tuple[int, str]]:
    """(CMT-ID, KLGrade as the cell has it) of each row of the first sheet."""
    table = read_table(path)
    if not (table.has("CMT-ID") and table.has("KLGrade")):
        raise KneeoaError(f"{path}: the first line has {table.header}; expected the columns CMT-ID and KLGrade.")
    found = []
    for line, (identifier, grade) in table.select(("CMT-ID", "KLGrade")):
        match = re.search(r"(\d+)(\.0)?$", identifier)
        if match is None:
            raise KneeoaError(f"{path}: line {line} has the CMT-ID '{identifier}'; expected a number.")
        found.append((int(match[1]), grade))
    return found


def _grade(knee: Knee, cell: str, table: str) -> None:
    try:
        grade = integer(cell)
        if grade is None:
            return
        if not 0 <= grade < _GRADES:
            raise ValueError(f"grade {grade} is outside 0 to {_GRADES - 1}")
    except ValueError as error:
        knee.reasons.append(Reason("invalid-label", f"{table}: KLGrade of {knee.subject}: {error}.", level="kl"))
        return
    knee.readings["kl"] = Reading((grade,))


def _files(source: Source, cohort: Cohort, files: list[tuple[str, str]]) -> None:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for relative, name in files:
        parsed = file_name(name)
        if parsed is not None:
            found[parsed].append(relative)
    for (subject, role), paths in sorted(found.items()):
        knee = source.knee(subject, "R", cohort.visits[0])
        if len(paths) > 1:
            scope = "case" if role == "image" else "mask"
            detail = f"{len(paths)} files of one knee: {', '.join(paths)}; keep the right one."
            knee.reasons.append(Reason(f"duplicate-{role}", detail, scope=scope, view=cohort.views[0]))
        elif role == "image" or cohort.tissues:
            knee.files.append(File(cohort.views[0], role, paths[0], "nifti"))
