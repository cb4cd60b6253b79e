"""Names in a folder of grades: ``[{train,val,test}/]{0..4}/<id><L|R>.png``. Standard library only,
as the index is made at parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kneeoa.cohorts.attribution import SubjectOf
from kneeoa.cohorts.cells import kl_grade, side
from kneeoa.cohorts.offers import Offer
from kneeoa.config.cohorts import Cohort
from kneeoa.formats.file_names import format_of
from kneeoa.formats.side_from_path import NUMBERED_THINGS, side_from_path
from kneeoa.formats.side_words import SIDE_OF_LETTER, SIDE_OF_WORD, fused_side

_KNEE = re.compile(
    r"(?P<subject>[A-Za-z0-9]*[0-9](?=[LR])|[A-Za-z0-9]+(?=[_-]))[_-]?(?P<side>[LR]|(?<=[0-9_-])(?:left|right))(?P<number>_\d+)?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?P<words>[A-Za-z]+G(?P<grade>[0-4])) ?\((?P<number>[0-9]+)\)")
_GRADE = re.compile(r"^(?P<grade>[0-9]+)[ _-]?(?P<word>[a-z]*)$")
_WORDS = {"normal": 0, "healthy": 0, "doubtful": 1, "mild": 2, "minimal": 2, "moderate": 3, "severe": 4}
"""Names of grades beside their number (``2Mild``); alone such a word may be of another scale."""
_GRADE_IN_NAME = re.compile(r"(?<![A-Za-z0-9])(?:kl[ _-]?(?:g|grade)?|g|grade)[ _-]?(?P<grade>[0-4])(?![A-Za-z0-9])", re.IGNORECASE)
_COPY = re.compile(r" ?\((?P<number>\d+)\)$")
_EXPORTED = re.compile(r"[_-](png|jpe?g|tiff?|bmp)\.rf\.[0-9a-z]+$", re.IGNORECASE)
"""An ending that a platform for annotations gives to the pictures that it exports."""
_ALTERED = re.compile(
    r"[hv]?flip(ped)?|mirror(ed)?|rot(ated?)?\d*|aug(mented)?\d*|nois[ey]|blur(red)?|synthetic|generated|fake"
    r"|masks?|seg(mentation)?|overlay|heatmap|(grad)?cam|annotated|bbox",
    re.IGNORECASE,
)
"""Words for altered copies (a mirrored one shows the other side) and for what is drawn of a
picture.
"""
_SIDE_LIKE = re.compile(r"(?<![A-Za-z0-9])[LR](?![A-Za-z])|\d[LR](?![A-Za-z0-9])|left|right|\u5de6|\u53f3", re.IGNORECASE)
_MIN_ID_DIGITS = 5
"""Fewest digits of a person's number."""
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])")


@dataclass(frozen=True)
class PictureName:
    """Attributes that the name of a picture gives.

    Attributes:
        subject: the person, or a stand-in of the folder's name and the picture's.
        side: ``L``, ``R``, or None.
        grades: those that the name gives beside its folder.
        named: whether it names a person.
    """

    subject: str
    side: str | None
    grades: frozenset[int] = frozenset()
    named: bool = True


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
        return _WORDS.get(folder.lower()) if words and folder.lower() in _WORDS else kl_grade(folder.replace("-", " "))
    grade = int(match["grade"])
    return grade if not match["word"] or _WORDS.get(match["word"]) == grade else None


def picture_name(path: str) -> PictureName:
    """The attributes of a picture by its path below the root.

    ``9001104R.png``, ``9001104_left.jpg`` and ``KL0_9001104_left.png`` name a knee; ``9001104.png``
    names a person and no side. A name with a counter alone (``img_12.png``, ``NormalG0 (12).png``)
    is a person of its own; its folder is part of that, as counters begin anew in each. What follows
    a person's number (a visit, a counter) does not make another person.

    Raises:
        ValueError: it is no picture by its name, has no number, is an altered copy by its name, or
            has a letter or a word that may be a side; the error's text says which.
    """
    folder, _, name = path.rpartition("/")
    if format_of(name) is None:
        raise ValueError("is no picture by its name; expected PNG, JPEG, TIFF, BMP or DICOM")
    stem = _EXPORTED.sub("", re.sub(r"\.[A-Za-z]+(\.gz)?$", "", name))
    if any(_ALTERED.fullmatch(word) for word in _words_of(stem)):
        raise ValueError("is by its name an altered copy or a drawing of a picture")
    numbered = _NUMBERED.fullmatch(stem)
    if numbered:
        return PictureName(f"{numbered['words']}-{numbered['number']}", None, frozenset({int(numbered["grade"])}), named=False)
    copy = _COPY.search(stem)
    knee = _KNEE.fullmatch(stem[: copy.start()] if copy else stem)
    if knee and (_is_id(knee["subject"]) or not (copy or knee["number"])):
        return PictureName(knee["subject"], side(knee["side"]))
    return _described_picture(folder, stem)


def _described_picture(folder: str, stem: str) -> PictureName:
    """The attributes of a picture whose name is made of several words."""
    which = side_from_path(stem) or _side_of_last_number(stem)
    if which is None and _SIDE_LIKE.search(stem):
        raise ValueError("has a letter or a word that may be a side; expected <id>_L or <id>_R")
    words = _words_of(_GRADE_IN_NAME.sub(" ", stem))
    grades = {int(match["grade"]) for match in _GRADE_IN_NAME.finditer(stem)} | {
        _WORDS[word.lower()] for word in words if word.lower() in _WORDS
    }
    words = [word for word in (_without_side(word, which) for word in words) if word]
    numbers = [place for place, word in enumerate(words) if any(letter.isdigit() for letter in word)]
    if not numbers:
        raise ValueError("gives no person and no number; expected <id><L|R>")
    last = next((place for place in numbers if _is_id(words[place])), None)
    if last is not None or which is not None:
        return PictureName("-".join(words[: (numbers[0] if last is None else last) + 1]), which, frozenset(grades))
    return PictureName("-".join(_words_of(folder) + words), None, frozenset(grades), named=False)


def _side_of_last_number(stem: str) -> str | None:
    """The side of ``P-7R``, where every picture is a knee's; a series (``series_12L``) has none."""
    match = re.search(r"(?P<word>[A-Za-z]+)[^A-Za-z0-9]+\d+(?P<side>[LR])$", stem, re.IGNORECASE)
    return match["side"].upper() if match and match["word"].upper() not in NUMBERED_THINGS else None


def _words_of(text: str) -> list[str]:
    """The words of a name; a DICOM identifier is one."""
    return re.findall(r"\d+(?:\.\d+){3,}|[^\W_]+", text)


def _is_id(word: str) -> bool:
    """Whether a word is a person's number, and no date and no counter (a short one, or one that is
    filled up with zeros).
    """
    digits = "".join(letter for letter in word if letter.isdigit())
    return len(digits) >= _MIN_ID_DIGITS and not digits.startswith("0") and _DATE.fullmatch(word) is None


def _without_side(word: str, which: str | None) -> str:
    """A word without the side that it gives; empty where it gives nothing else."""
    upper = word.upper()
    if which is None:
        return word
    if (SIDE_OF_WORD | SIDE_OF_LETTER).get(upper) == which or fused_side(upper) == which:
        return ""
    return word[:-1] if re.fullmatch(rf"\d+{which}", upper) else word


def attribution(root: Path, cohort: Cohort) -> SubjectOf:
    """A rule by file names: files belong to the subject that their own names give."""

    def subject_of(name: str, relative: str) -> str | None:
        try:
            return picture_name(relative).subject
        except ValueError:
            return None

    return subject_of


def image_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """No rows: here folders and file names alone decide."""
    yield from ()


def offer(cohort: Cohort) -> Offer:
    """The offer of the layout: the grade of each folder, for one radiograph a knee."""
    return Offer(("kl",), takes_labels=False, dimensions=2, one_view=True, one_visit=True, masks=False, splits=True, people=("side",))
