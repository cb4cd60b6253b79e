"""Paper A's cohort (OAIZIB-CM): ``subInfo_{train,test}.xlsx`` and NIfTI files by CMT-ID anywhere below the root.

All knees are right ones, and each is a subject of its own.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from kneeoa.cohorts.oai_zib_paths import file_name, subject_name
from kneeoa.cohorts.source import File, Knee, Reading, Reason, Source
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

_SPLITS = ("train", "test")
_GRADES = 5


def read(cohort: Cohort, root: Path) -> Source:
    """Read the folder: the level that it offers is ``kl``; ``given_split`` is the table that a knee stands in.

    Raises:
        KneeoaError: a table is missing or malformed, a knee stands in both, or more than one view or visit is asked for.
    """
    if len(cohort.views) != 1 or len(cohort.visits) != 1:
        raise KneeoaError(f"reader 'oai_zib' offers one view at one visit, not {list(cohort.views)} at {list(cohort.visits)}.")
    source = Source()
    tables = _tables(root)
    for split in _SPLITS:
        for number, grade in _rows(tables[split]):
            knee = source.knee(subject_name(number), "R", cohort.visits[0])
            if knee.given_split is not None:
                raise KneeoaError(f"{tables[split]}: CMT-ID {number} stands twice in the tables of train and test knees.")
            knee.given_split = split
            _grade(knee, grade, tables[split].name)
    _files(source, cohort, root)
    return source


def _tables(root: Path) -> dict[str, Path]:
    tables = {}
    for split in _SPLITS:
        found = sorted(root.rglob(f"subInfo_{split}.xlsx"))
        if len(found) != 1:
            raise KneeoaError(f"{root}: expected one subInfo_{split}.xlsx below it, found {len(found)}.")
        tables[split] = found[0]
    return tables


def _rows(path: Path) -> list[tuple[int, Any]]:
    """(CMT-ID, KLGrade as the cell has it) of each row of the first sheet."""
    from openpyxl import load_workbook

    try:
        sheet = load_workbook(path, read_only=True, data_only=True).worksheets[0]
        rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    except Exception as error:  # a damaged workbook fails in zip, XML or openpyxl itself
        raise KneeoaError(f"{path}: cannot be read as an Excel workbook ({error}).") from error
    header = [str(cell).strip() for cell in rows[0]] if rows else []
    if "CMT-ID" not in header or "KLGrade" not in header:
        raise KneeoaError(f"{path}: the first line has {header}; expected the columns CMT-ID and KLGrade.")
    identifier, grade = header.index("CMT-ID"), header.index("KLGrade")
    found = []
    for line, row in enumerate(rows[1:], start=2):
        if all(cell is None for cell in row):
            continue
        match = re.search(r"(\d+)(\.0)?$", str(row[identifier]).strip())
        if match is None:
            raise KneeoaError(f"{path}: line {line} has the CMT-ID '{row[identifier]}'; expected a number.")
        found.append((int(match[1]), row[grade]))
    return found


def _grade(knee: Knee, cell: Any, table: str) -> None:
    text = "" if cell is None else str(cell).strip()
    if text.lower() in ("", "na", "nan", "n/a", "none", "."):
        return
    match = re.fullmatch(r"(\d)(\.0)?", text)
    if match is None or int(match[1]) >= _GRADES:
        knee.reasons.append(Reason("invalid-label", f"{table}: KLGrade of {knee.subject} is '{text}'; expected 0 to {_GRADES - 1}."))
        return
    knee.readings["kl"] = Reading((int(match[1]),))


def _files(source: Source, cohort: Cohort, root: Path) -> None:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for folder, subfolders, names in os.walk(root):
        subfolders.sort()
        for name in sorted(names):
            parsed = file_name(name)
            if parsed is not None:
                found[parsed].append((Path(folder) / name).relative_to(root).as_posix())
    for (subject, role), paths in found.items():
        knee = source.knee(subject, "R", cohort.visits[0])
        if len(paths) > 1:
            scope = "case" if role == "image" else "mask"
            detail = f"{len(paths)} files of one knee: {', '.join(paths)}; keep the right one."
            knee.reasons.append(Reason(f"duplicate-{role}", detail, scope=scope, view=cohort.views[0]))
        elif role == "image" or cohort.tissues:
            knee.files.append(File(cohort.views[0], role, paths[0], "nifti"))
