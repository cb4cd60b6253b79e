"""List codes of a table that nothing names, for a sentence."""

from __future__ import annotations

import re
from collections import Counter

_SHOWN = 5
_LONGEST = 24
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?([./-])\d\d?\1\d{2,4}|^\d{8}$")


def most_frequent_codes(codes: Counter[str]) -> str:
    """The most frequent codes with their numbers of rows: ``'V00' (12), 'V01' (3) and 2 more``.

    Dates are not shown, as they belong to a person.
    """
    shown = Counter[str]()
    for code, rows in codes.items():
        shown["a date" if _DATE.search(code) else f"'{code if len(code) <= _LONGEST else f'{code[:_LONGEST]}...'}'"] += rows
    parts = [f"{code} ({rows})" for code, rows in shown.most_common(_SHOWN)]
    rest = len(shown) - len(parts)
    return ", ".join(parts) + (f" and {rest} more" if rest else "")
