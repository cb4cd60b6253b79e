"""File names of the original OAI-ZIB release, beside OAI's own images. Standard library only, as
the index is made at parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kneeoa.cohorts.attribution import SubjectOf
from kneeoa.cohorts.oai_paths import check_tables as check_grades
from kneeoa.cohorts.oai_paths import graded, grades
from kneeoa.cohorts.oai_paths import image_rows as index_rows
from kneeoa.cohorts.offers import Offer
from kneeoa.config.cohorts import Cohort
from kneeoa.formats.file_names import format_of

PATHS = "oai_mri_paths.txt"
"""The release's own list of the OAI series that each mask was drawn on: ``9001104:
0.C.2/9001104/20040101/10000000``.
"""

_NAME = re.compile(r"^(?P<subject>\d{7})(?P<rest>[._-].*)?$")
_MASK = re.compile(r"mask|seg|label", re.IGNORECASE)
_LINE = re.compile(r"^\s*(?P<subject>\d{7})\s*[:,\s]\s*(?P<folder>\S+?)/?\s*$")


def subject_of(name: str) -> str | None:
    """The participant whose seven digits a folder's or file's name begins with, or None."""
    match = _NAME.match(name)
    return match["subject"] if match else None


def role_of(relative: str) -> str | None:
    """image or mask of a volume file: a mask says so in its name or in one of its folders; None for
    anything else.
    """
    folder, _, name = relative.rpartition("/")
    match = _NAME.match(name)
    if match is None or format_of(name) not in ("nifti", "meta", "nrrd"):
        return None
    return "mask" if _MASK.search(match["rest"] or "") or _MASK.search(folder) else "image"


def series_lines(root: Path) -> Iterator[tuple[str, str]]:
    """(participant, folder) of the release's list of series, wherever it lies below ``root``, three
    deep.
    """
    for path in sorted(path for depth in ("", "*/", "*/*/", "*/*/*/") for path in root.glob(f"{depth}{PATHS}")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            match = _LINE.match(line)
            if match:
                yield match["subject"], match["folder"].strip("/")


def attribution(root: Path, cohort: Cohort) -> SubjectOf:
    """A rule by names: folders and files belong to the participant that their own names give."""
    return lambda name, relative: subject_of(name)


def image_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """(participant, line) of the list of series and of OAI's image indexes."""
    yield from series_lines(root)
    yield from index_rows(root, cohort)


def offer(cohort: Cohort) -> Offer:
    """The offer of the layout: the columns of OAI's table of grades, for one volume of a right knee
    at baseline.
    """
    people = ("site", "sex", "age")
    return Offer(graded(cohort), grades=grades(cohort), dimensions=3, one_view=True, visits=("00m",), people=people)


def check_tables(root: Path, cohort: Cohort) -> None:
    """Check the columns of ``labels`` against the table of grades.

    Raises:
        KneeoaError: a column is not there.
    """
    check_grades(root, cohort)
