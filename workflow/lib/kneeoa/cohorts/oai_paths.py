"""Names in OAI's tree: visits, releases, series, participants, masks. Standard library only, as the
index is made at parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kneeoa.cohorts.attribution import SubjectOf
from kneeoa.cohorts.offers import Offer
from kneeoa.cohorts.text_tables import read_text
from kneeoa.config.cohorts import Cohort
from kneeoa.formats.file_names import format_of

VISIT_NUMBERS = {"00m": 0, "12m": 1, "18m": 2, "24m": 3, "30m": 4, "36m": 5, "48m": 6, "72m": 8, "96m": 10}
"""Months since enrolment -> the number in file names (``kxr_sq_bu03.txt``), column prefixes
(``V03``) and releases (``3.C.2``).
"""
INDEXES = ("contents.csv", "image03.txt")
"""The image index of OAI's own releases, and the archive's."""
SERIES = {
    "sag_dess": r"SAG_3D_DESS_(?P<side>LEFT|RIGHT)",
    "sag_tse": r"SAG_IW_TSE_(?P<side>LEFT|RIGHT)",
    "cor_tse": r"COR_IW_TSE_(?P<side>LEFT|RIGHT)",
    "sag_t2": r"SAG_T2_MAP_(?P<side>LEFT|RIGHT)",
    "pa": r"BILATERAL PA FIXED FLEXION KNEE",
}
"""The series description of each view; one without a side shows both knees.
``cohorts.<name>.series`` adds to them and replaces them.
"""

_PARTICIPANT = re.compile(r"^\d{7}$")
_MASK = re.compile(r"^(?P<subject>\d{7})_(?P<side>[RL])_V(?P<visit>\d\d)(?P<suffix>\.[a-z.]+)?$", re.IGNORECASE)
_RELEASE = re.compile(r"^(?P<number>\d+)\.[A-Z0-9]+\.\d+$", re.IGNORECASE)
_VISITS = {number: visit for visit, number in VISIT_NUMBERS.items()}


def is_participant(name: str) -> bool:
    """Whether a folder's name is a participant's seven digits."""
    return _PARTICIPANT.match(name) is not None


def mask_name(name: str) -> tuple[str, str, str, str | None] | None:
    """(subject, side, visit, format) of a mask's file name, e.g. ``9001104_R_V00.nii.gz``; None for
    any other name.

    The format is None for a companion such as the ``.raw`` of an ``.mhd``.
    """
    match = _MASK.match(name)
    if match is None or int(match["visit"]) not in _VISITS:
        return None
    return match["subject"], match["side"].upper(), _VISITS[int(match["visit"])], format_of(name)


def subject_of(name: str) -> str | None:
    """The participant that a folder or file name belongs to, or None."""
    if is_participant(name):
        return name
    mask = mask_name(name)
    return mask[0] if mask else None


def attribution(root: Path, cohort: Cohort) -> SubjectOf:
    """A rule by names: folders and files belong to the participant that their own names give."""
    return lambda name, relative: subject_of(name)


def index_files(root: Path) -> list[Path]:
    """Every image index: at the root, in a folder of it, or in one below that."""
    return sorted(path for name in INDEXES for depth in ("", "*/", "*/*/") for path in root.glob(f"{depth}{name}"))


def image_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """(participant, line) of every image index: it decides which folder is which knee, so a changed
    line is a changed subject.
    """
    for path in index_files(root):
        for _, cells in read_text(path).rows:
            subject = next((cell for cell in cells if is_participant(cell)), None)
            if subject is not None:
                yield subject, "\t".join(cells)


def visit_of(folder: str) -> str | None:
    """The visit of an image folder ``[<visit>/]<release>/<participant>/...``: by its own name, else
    by the release's first number.
    """
    parts = folder.split("/")
    for part in parts:
        if part in VISIT_NUMBERS:
            return part
    release = _RELEASE.match(parts[0])
    return _VISITS.get(int(release["number"])) if release else None


def below_release(path: str) -> str | None:
    """The part of a path from its visit or release folder on (the archive's begin with a bucket and
    a submission), None without one.
    """
    parts = path.split("/")
    for start, part in enumerate(parts):
        if part in VISIT_NUMBERS or _RELEASE.match(part):
            return "/".join(parts[start:])
    return None


def graded(cohort: Cohort) -> tuple[str, ...]:
    """The levels that a cohort's columns of OAI's table of grades give."""
    return tuple(cohort.labels) or ("kl",)


def grades(cohort: Cohort) -> dict[str, int]:
    """Number of grades of those levels: Kellgren and Lawrence's five, unless cells are mapped."""
    columns = cohort.labels.get("kl")
    plain = columns is None or (not columns.values and columns.at_least is None and columns.separator is None)
    return {"kl": 5} if plain and "kl" in graded(cohort) else {}


def offer(cohort: Cohort) -> Offer:
    """The offer of the layout: the columns of the tables of grades, for the series that are OAI's
    or given in ``series``.
    """
    dimensions = {view: 2 if view == "pa" else 3 for view in SERIES if view not in cohort.series}
    views = tuple(sorted(SERIES | cohort.series))
    return Offer(graded(cohort), grades=grades(cohort), views=views, dimensions=dimensions, visits=tuple(VISIT_NUMBERS))


def check_tables(root: Path, cohort: Cohort) -> None:
    """Check the columns of ``labels`` against the header of each visit's table of grades, where it
    lies at the root as text; others are checked by the job that reads them.

    Raises:
        KneeoaError: a column is not there, or the table is malformed.
    """
    texts = {path.stem.lower(): path for path in sorted(root.glob("*"), reverse=True) if path.suffix.lower() in (".txt", ".csv")}
    for visit in cohort.visits:
        number = f"{VISIT_NUMBERS.get(visit, 0):02d}"
        path = texts.get(f"kxr_sq_bu{number}")
        if path is not None:
            table = read_text(path, "|" if path.suffix.lower() == ".txt" else None)
            names = [name for columns in cohort.labels.values() for name in columns.names] or ["XRKL"]
            for name in names:
                if not table.has(name):
                    table.column(f"V{number}{name}")
