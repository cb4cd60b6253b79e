"""Parse the cells of people's tables: missing values, coded values, identifiers, sides. Standard
library only (used at parse).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

from kneeoa.errors import KneeoaError

Meaning = TypeVar("Meaning")

SPLITS = ("train", "val", "test")

_MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "<na>"})
_SIDES = {"r": "R", "right": "R", "l": "L", "left": "L"}
_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F"}
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_SAS_MISSING = re.compile(r"^\.[A-Za-z_]?(\s*:.*)?$", re.DOTALL)
_WHOLE_FLOAT = re.compile(r"^(\d+)\.0+$")
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*|,\d{1,2})?|\.\d+)([eE][+-]?\d+)?$", re.ASCII)
_EXPONENT = re.compile(r"^\d+(\.\d+)?[eE]\+?\d+$")
_WRITTEN_EXPONENT = re.compile(r"^\d+(\.\d+)?[eE]\+\d+$")
_KL_GRADE = re.compile(r"^(?:k[-/ ]?l[ _]?(?:g|grade)?|grade)[ _:]*(?P<grade>[0-4](?=\.0*$|$)|iv|i{1,3}(?=$))(?:\.0*)?$", re.IGNORECASE)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_ANSWERS: dict[float | None, str] = {1.0: "true", 0.0: "false"}
_UNSAFE = re.compile(r"[/\\\x00-\x1f]|^\.")


def is_missing(text: str | None) -> bool:
    """Whether a cell is empty or says that there is no value: ``.``, ``.A``, ``.: Missing Form``,
    ``NA``, ``nan``.
    """
    value = (text or "").strip()
    return value.lower() in _MISSING or _SAS_MISSING.match(value) is not None


def code(text: str | None) -> str | None:
    """The code of a coded value: ``1`` of ``1: Right``; None for a missing one."""
    value = (text or "").split(":", 1)[0].strip()
    return None if is_missing(value) else value


def integer(text: str | None) -> int | None:
    """The code as an integer (``3``, ``3.0``, ``3: Moderate``), None where missing.

    Raises:
        ValueError: the code is not a whole number.
    """
    value = code(text)
    if value is None:
        return None
    number = numeric(value)
    if number is None:
        raise ValueError(f"'{text}' is not a number")
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"'{text}' is not a whole number")
    return int(number)


def numeric(text: str) -> float | None:
    """The number that a cell is written as (``1``, ``1.0``, ``1,0``, ``1.9``), None for any other
    text.
    """
    return float(text.replace(",", ".")) if _NUMBER.match(text) else None


def look_up_cell(text: str, meanings: Mapping[str, Meaning]) -> Meaning:
    """The meaning of a cell by a map of texts: by its own text, else in another case, else as a
    number: ``1.0`` and ``1: Right`` are ``1``. Where the map has the words true and false, 1 and 0
    are these, as Parquet and Excel keep them.

    Raises:
        KeyError: no text of the map is the cell's, or several are and mean different things.
    """
    if text in meanings:
        return meanings[text]
    forms: tuple[Callable[[str], tuple[str, str] | None], ...] = (_casefolded, _number_and_text) if meanings else ()
    for form in forms:
        wanted = form(text)
        alike = [] if wanted is None else [meaning for key, meaning in meanings.items() if _equivalent(wanted, form(key))]
        if alike:
            if any(meaning != alike[0] for meaning in alike):
                break
            return alike[0]
    words = {key.strip().casefold(): meaning for key, meaning in meanings.items()}
    answer = _ANSWERS.get(numeric(text.strip()))
    if answer in words:
        return words[answer]
    raise KeyError(text)


def is_among(text: str, texts: Collection[str]) -> bool:
    """Whether a cell is one of some texts, compared as :func:`look_up` does."""
    try:
        return look_up_cell(text, dict.fromkeys(texts, True))
    except KeyError:
        return False


def _casefolded(text: str) -> tuple[str, str]:
    return "", " ".join(text.split()).casefold()


def _number_and_text(text: str) -> tuple[str, str] | None:
    """(number, text after it) of ``1``, ``1.0`` and ``1: Right``; None of other texts."""
    head, _, behind = text.partition(":")
    value = numeric(head.strip())
    return None if value is None else (repr(value + 0.0), _casefolded(behind)[1])


def _equivalent(one: tuple[str, str], other: tuple[str, str] | None) -> bool:
    return other is not None and one[0] == other[0] and (one[1] == other[1] or (one[0] != "" and "" in (one[1], other[1])))


def plain(text: str) -> str:
    """The cell, a whole number without its point: ``1`` of ``1.0``."""
    whole = _WHOLE_FLOAT.match(text)
    return whole[1] if whole else text


def project(text: str | None) -> int | str | None:
    """A reading project: its number, else its name (``63A``); None where missing."""
    try:
        return integer(text)
    except ValueError:
        return code(text)


def lost_digits(column: Iterable[str]) -> bool:
    """Whether a whole column of ids looks as a spreadsheet leaves large numbers (``9E06``); a
    pseudonym such as ``52652e51`` has neighbours that do not.
    """
    ids = [cell for cell in column if not is_missing(cell)]
    return bool(ids) and all(_EXPONENT.match(cell) for cell in ids)


def identifier(text: str | None, *, lost: bool = False) -> str | None:
    """A subject's name: ``9001104`` of ``9001104`` and of ``9001104.0`` (an id that was a float
    once); None where missing.

    Args:
        text: the cell.
        lost: whether its column :func:`lost_digits`, so that ``52652e51`` is a number too.

    Raises:
        ValueError: it cannot name a subject: a number that lost its digits (``9.0E+06``), or a name
            with a slash, a control character or a leading dot.
    """
    value = (text or "").strip()
    if is_missing(value):
        return None
    whole = _WHOLE_FLOAT.match(value)
    if whole:
        return whole[1]
    if (_EXPONENT if lost else _WRITTEN_EXPONENT).match(value):
        raise ValueError(f"the id '{value}' has lost its digits to a spreadsheet; format the column as text")
    if _UNSAFE.search(value):
        raise ValueError(f"the id '{value}' cannot name a subject: it has a slash, a control character or a leading dot")
    return value


def side(text: str | None) -> str | None:
    """L or R of a word for it, None for anything else."""
    return _SIDES.get((text or "").strip().lower())


def sex(text: str | None) -> str | None:
    """F or M of a word for it, None for anything else."""
    return _SEXES.get((text or "").strip().lower())


def split(text: str | None) -> str | None:
    """train, val or test of a word for it, None for anything else."""
    return _SPLITS.get((text or "").strip().lower())


def finite(text: str | None) -> float | None:
    """A finite number, None where missing.

    Raises:
        ValueError: it is something else.
    """
    value = code(text)
    if value is None:
        return None
    try:
        parsed = float(value)
    except ValueError:
        parsed = math.nan
    if not math.isfinite(parsed):
        raise ValueError(f"'{text}' is not a number")
    return parsed


def number(text: str | None, where: str) -> float | None:
    """A finite number, None where missing.

    Raises:
        KneeoaError: it is something else; the sentence begins with ``where``.
    """
    try:
        return finite(text)
    except ValueError as error:
        raise KneeoaError(f"{where} is '{text}'; expected a number, or nothing.") from error


def kl_grade(text: str) -> int | None:
    """The grade of ``KL2``, ``KL grade II`` or ``Grade 2``, which say that they are one; None of
    any other text: a bare ``II`` may be of another scale, and ``KL-2`` a number below 0.
    """
    match = _KL_GRADE.match(text.strip())
    if match is None:
        return None
    digits = match["grade"].lower()
    return _ROMAN[digits] if digits in _ROMAN else int(digits)
