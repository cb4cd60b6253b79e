"""Read the side of a knee from the path of its file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kneeoa.formats.side_words import JOINTS, SIDE_OF_LETTER, SIDE_OF_WORD, fused_side, words_of

_PLACES = frozenset(
    {"SITE", "COHORT", "HOSPITAL", "CLINIC", "CENTER", "CENTRE", "READER", "RATER", "OBSERVER", "ANNOTATOR"}
    | {"ARM", "GROUP", "WING", "COIL", "HAND", "HANDED", "OUT", "OVER", "BEHIND", "COPY", "ANGLE"}
)
"""Words that take a word for a side beside them as part of a name: ``left_out``,
``right_hospital``.
"""
NUMBERED_THINGS = _PLACES | frozenset(
    {"STUDY", "SERIES", "SE", "ACQ", "ACQUISITION", "VISIT", "SESSION", "SES", "RUN", "BATCH", "PART", "SET", "SPLIT", "FOLD"}
    | {"VERSION", "VER", "TYPE", "PHASE", "ECHO", "STACK", "BLOCK", "ROOM", "SCANNER", "MACHINE", "PROTOCOL", "PROJECT"}
    | {"TRIAL", "TASK", "TEAM", "CLASS", "GRADE", "VIEW", "DIR"}
)
"""Words that take a letter after them as a label: ``visit_L``, ``reader-R``, ``series_12L``."""
_OF_SIDES = frozenset((*SIDE_OF_WORD, *SIDE_OF_LETTER, *JOINTS, "SIDE", "SIDES", "ONLY"))
_PERSON = re.compile(rf"\d{{4,}}[ _-]?({'|'.join((*SIDE_OF_WORD, *SIDE_OF_LETTER))})", re.IGNORECASE)
_LEAST_DIGITS = 4
"""Fewest digits of a person's number to which a side is appended: ``9001104R``."""


def side_from_path(path: str) -> str | None:
    """``L`` or ``R`` where a path names one side only, else None.

    In the file's name (for a series, the folder's) any word for a side counts: ``knee_left``,
    ``R-001``, ``9001104R``. A folder above counts only where its whole name is a side or one
    person's knee: ``left``, ``right knees``, ``9001104_R``. A letter or word that belongs to its
    neighbour does not count: ``visit_L``, ``cohort_R``, ``left_out``.
    """
    *folders, name = path.split("/")
    sides = {*_sides_of_file(name), *(side for folder in folders for side in _sides_of_folder(folder))}
    return sides.pop() if len(sides) == 1 else None


def _sides_of_file(name: str) -> Iterator[str]:
    words = words_of(name)
    for place, word in enumerate(words):
        before, after = words[place - 1] if place else "", words[place + 1] if place + 1 < len(words) else ""
        if before in _PLACES or after in _PLACES:
            continue
        side = SIDE_OF_WORD.get(word) or fused_side(word)
        if side is None and before not in NUMBERED_THINGS:
            side = SIDE_OF_LETTER.get(word) or _side_of_number(word, first=place == 0, beside=before in JOINTS)
        if side is not None:
            yield side


def _side_of_number(word: str, *, first: bool, beside: bool) -> str | None:
    """The side whose letter follows a person's number, which is recognised by its place in the name
    or by its length.
    """
    match = re.fullmatch(r"(\d+)([LR])", word)
    return match[2] if match and (first or beside or len(match[1]) >= _LEAST_DIGITS) else None


def _sides_of_folder(name: str) -> Iterator[str]:
    person = _PERSON.fullmatch(name)
    words = words_of(person[1] if person else name)
    if person or all(word in _OF_SIDES or fused_side(word) for word in words):
        yield from (side for word in words if (side := SIDE_OF_WORD.get(word) or SIDE_OF_LETTER.get(word) or fused_side(word)) is not None)
