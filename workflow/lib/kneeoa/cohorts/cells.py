"""What the cells of people's tables say: missing values, coded values, identifiers, sides. Standard
library only (used at parse).
"""

from __future__ import annotations

import math
import re

from kneeoa.errors import KneeoaError

SPLITS = ("train", "val", "test")

_MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "<na>"})
_SIDES = {"r": "R", "right": "R", "l": "L", "left": "L"}
_SEXES = {"m": "M", "male": "M", "f": "F", "female": "F"}
_SPLITS = {"train": "train", "training": "train", "val": "val", "validation": "val", "test": "test", "testing": "test"}
_SAS_MISSING = re.compile(r"^\.[A-Za-z_]?(\s*:.*)?$", re.DOTALL)
_WHOLE_FLOAT = re.compile(r"^(\d+)\.0+$")
_EXPONENT = re.compile(r"^\d+(\.\d+)?[eE]\+?\d+$")
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
    try:
        number = float(value)
    except ValueError:
        raise ValueError(f"'{text}' is not a number") from None
    if not math.isfinite(number) or number != int(number):
        raise ValueError(f"'{text}' is not a whole number")
    return int(number)


def identifier(text: str | None) -> str | None:
    """A subject's name: ``9001104`` of ``9001104`` and of ``9001104.0`` (an id that was a float
    once); None where missing.

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
    if _EXPONENT.match(value):
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


def number(text: str | None, where: str) -> float | None:
    """A finite number, None where missing.

    Raises:
        KneeoaError: it is something else; the sentence begins with ``where``.
    """
    value = code(text)
    if value is None:
        return None
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise KneeoaError(f"{where} is '{text}'; expected a number, or nothing.")
    return found
