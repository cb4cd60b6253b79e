"""Names in a folder of grades: ``[{train,val,test}/]{0..4}/<id><L|R>.png``. Standard library only,
as the index is made at parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kneeoa.cohorts.attribution import SubjectOf
from kneeoa.cohorts.cells import kl_grade, side
from kneeoa.cohorts.offers import Offer
from kneeoa.config.cohorts import Cohort
from kneeoa.formats.file_names import format_of

_NAME = re.compile(
    r"^(?P<subject>[A-Za-z0-9]*[0-9](?=[LR])|[A-Za-z0-9]+(?=[_-]))"
    r"[_-]?(?P<side>[LR]|(?<=[_-])(?:left|right))(_\d+)?\.(?P<suffix>[A-Za-z.]+)$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(?P<words>[A-Za-z]+G(?P<grade>[0-4])) ?\((?P<number>[0-9]+)\)\.[A-Za-z.]+$")
_GRADE = re.compile(r"^(?P<grade>[0-9]+)[ _-]?(?P<word>[a-z]*)$")
_WORDS = {"normal": 0, "healthy": 0, "doubtful": 1, "mild": 2, "minimal": 2, "moderate": 3, "severe": 4}
"""Names of grades beside their number (``2Mild``); alone such a word may be of another scale."""


def words_are_grades(folders: Iterable[str]) -> bool:
    """Whether the words of all five grades (``Normal``, ``Doubtful``, ``Mild``, ``Moderate``,
    ``Severe``) are names of folders; fewer may be of a coarser scale, in which ``Severe`` is
    another grade.
    """
    named = {name.lower() for name in folders} & _WORDS.keys()
    return sorted(_WORDS[name] for name in named) == sorted({*_WORDS.values()})


def grade_of(folder: str, *, words: bool = False) -> int | None:
    """The grade of ``2``, ``2Mild``, ``2_minimal`` or ``KL2``, and with ``words`` of ``Mild``; None
    for any other folder, and where number and word differ.
    """
    match = _GRADE.match(folder.lower())
    if match is None:
        return _WORDS.get(folder.lower()) if words and folder.lower() in _WORDS else kl_grade(folder)
    grade = int(match["grade"])
    return grade if not match["word"] or _WORDS.get(match["word"]) == grade else None


def knee_of(name: str) -> tuple[str, str] | None:
    """(subject, side) of ``9001104R.png``, ``9001104l.png`` or ``9001104_R.png``; None for any
    other name: the L of ``NORMAL.png`` is no side.
    """
    match = _NAME.match(name)
    return (match["subject"], str(side(match["side"]))) if match and format_of(name) else None


def numbered(name: str) -> tuple[str, int] | None:
    """(stand-in for the subject, grade) of a picture that names no person: ``NormalG0-12`` of
    ``NormalG0 (12).png``; None for any other name.
    """
    match = _NUMBERED.match(name)
    return (f"{match['words']}-{match['number']}", int(match["grade"])) if match and format_of(name) else None


def attribution(root: Path, cohort: Cohort) -> SubjectOf:
    """A rule by file names: files belong to the subject that their own names give."""

    def subject_of(name: str, relative: str) -> str | None:
        named = knee_of(name) or numbered(name)
        return named[0] if named else None

    return subject_of


def image_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """No rows: here folders and file names alone decide."""
    yield from ()


def offer(cohort: Cohort) -> Offer:
    """The offer of the layout: the grade of each folder, for one radiograph a knee."""
    return Offer(("kl",), takes_labels=False, dimensions=2, one_view=True, one_visit=True, masks=False, splits=True, people=("side",))
