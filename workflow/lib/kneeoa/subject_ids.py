"""Check ids of subjects: which are missing, and which look like knees or visits of one person.

Two knees of a person are not two people. Where ids that differ in a side or a visit alone are
treated as different people, intervals are too narrow and p-values too small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

MISSING = frozenset({"", "nan", "none", "null", "na", "n/a", "<na>", "nat", "."})
"""Texts that stand for an absent id, in lower case and without spaces around them."""

_SHOWN = 10

_SEPARATOR = r"[\s_\-./:#|()\[\]]"
_START, _END = r"(?<![a-z])", r"(?![a-z])"
_SIDE = re.compile(
    rf"{_START}(?:knee{_SEPARATOR}*)?(right|left|rechts|links|droite?|gauche|derech[ao]|izquierd[ao]|rt|lt|rk|lk|dx|sx|r|l)"
    rf"(?:{_SEPARATOR}*(?:knee|side))?{_END}"
)
_VISIT = re.compile(
    rf"(?:^|(?<={_SEPARATOR}))(?:"
    r"(?:v|visit|ses|session|m|mo|month|y|yr|year|t|tp|time|timepoint|w|wk|week|fu|followup|follow-up)[\s_\-]?\d{1,4}"
    r"|\d{1,3}(?:m|mo|month|months|y|yr|year|years|w|wk|week|weeks)"
    rf"|baseline|bl|followup|follow-up|fu)(?=$|{_SEPARATOR})"
)
_NUMBERED = re.compile(rf"^(.*\d.*?){_SEPARATOR}([12])$")
"""The sides as numbers, as in 9000099_1 and 9000099_2."""


def is_missing(value: object) -> bool:
    """Whether an id is absent: null, not a number, or one of :data:`MISSING`."""
    return value is None or str(value).strip().lower() in MISSING


def missing_rows(ids: Iterable[object]) -> list[int]:
    """Numbers of the rows without an id, counted from 1."""
    return [row for row, value in enumerate(ids, start=1) if is_missing(value)]


def listed_rows(rows: Sequence[int]) -> str:
    """Format row numbers: ``row 4``; ``rows 2, 5 and 9``; of many the first ten and their
    number.
    """
    if len(rows) == 1:
        return f"row {rows[0]}"
    if len(rows) > _SHOWN:
        return f"rows {', '.join(map(str, rows[:_SHOWN]))}, ... ({len(rows)} in all)"
    return f"rows {', '.join(map(str, rows[:-1]))} and {rows[-1]}"


def group_by_person(ids: Iterable[str]) -> dict[str, set[str]]:
    """Group ids that differ in a side or a visit alone, by the rest of the id: one entry for each
    person who seems to have several.

    A side is R, L, right, left and the like, before or after the person's number (``0001R``,
    ``L-17``, ``12_left``, ``RK003``), or an ending _1 and _2 where all ids have one of the two; a
    visit is V00, 12m, month 24, baseline and the like, set off by a separator.
    """
    distinct = sorted({value.strip() for value in ids})
    people: dict[str, set[str]] = {}
    numbered = [_NUMBERED.match(value) for value in distinct]
    for value, match in zip(distinct, numbered, strict=True):
        people.setdefault(match[1] if match and all(numbered) else _without_side_and_visit(value), set()).add(value)
    return {person: several for person, several in people.items() if len(several) > 1}


def subject_id_warning(subjects: Iterable[str] | NDArray[np.str_]) -> str:
    """A warning about ids that look like knees or visits of one person; empty where none do. It
    shows no id.
    """
    people = group_by_person(map(str, subjects))
    if not people:
        return ""
    ids = sum(map(len, people.values()))
    whom = "one person" if len(people) == 1 else f"{len(people):,} people"
    return (
        f"{ids:,} ids of subjects look like knees or visits of {whom}, as they differ in a side or a visit alone (such as a final R or L), "
        "and yet each counts as a person: if they are not, every interval and p-value is too certain."
    )


def _without_side_and_visit(value: str) -> str:
    """Strip side, visit and separators from an id; the id itself where nothing identifying
    remains.
    """
    text = _VISIT.sub("", value.lower())
    text, sides = _SIDE.subn("", text)
    left = re.sub(_SEPARATOR, "", text)
    if sides > 1 or not re.search(r"[a-z0-9]", left):
        return f"={value}"
    return re.sub(r"^(?:sub|subject|patient|pat|knee)(?=\d)", "", left)
