"""Print numbers, in figures, tables and the report alike. Undefined is an en dash; p is never
printed as zero.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

SIGNIFICANT = 0.05
"""The p below which figures fill a marker and the report counts a test."""

UNDEFINED = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"


def is_number(value: Any) -> bool:
    """Whether ``value`` is a finite number (None, NA, NaN and infinities are not)."""
    return value is not None and value is not pd.NA and not isinstance(value, str) and math.isfinite(float(value))


def format_number(value: Any, digits: int = 3, *, signed: bool = False) -> str:
    """Print ``value`` with a fixed number of decimals and a real minus sign; ``signed`` writes a
    plus too. Undefined: an en dash.
    """
    if not is_number(value):
        return UNDEFINED
    text = f"{float(value):{'+' if signed else ''}.{digits}f}"
    if float(text) == 0:  # no "-0.000": rounding has taken the sign's meaning away
        text = text.lstrip("+-")
    return text.replace("-", _MINUS)


def format_interval(estimate: Any, low: Any, high: Any, digits: int = 3, bound_digits: int = 2, *, signed: bool = False) -> str:
    """Print an estimate with its interval: ``0.866 [0.79, 0.92]``; the estimate alone where it has
    none.
    """
    text = format_number(estimate, digits, signed=signed)
    if not is_number(estimate) or not (is_number(low) and is_number(high)):
        return text
    return f"{text} [{format_number(low, bound_digits)}, {format_number(high, bound_digits)}]"


def format_p(p: Any) -> str:
    """Print p as journals do: ``.012``, ``<.001`` or ``>.999``, three decimals without the leading
    zero.
    """
    if not is_number(p):
        return UNDEFINED
    if float(p) < 0.001:
        return "<.001"
    text = f"{float(p):.3f}"
    return ">.999" if text == "1.000" else text.lstrip("0")


def format_percent(share: float) -> str:
    """Print a share as a percentage: ``0.95`` as ``95 %``."""
    return f"{100 * share:g} %"


def format_range(values: list[float], digits: int = 2) -> str:
    """Print a range: ``0.88`` for one value, ``0.86–0.91`` for several; ``to`` where a bound is
    negative.
    """
    finite = [value for value in values if is_number(value)]
    if not finite:
        return UNDEFINED
    low, high = format_number(min(finite), digits), format_number(max(finite), digits)
    return low if low == high else f"{low} to {high}" if _MINUS in low else f"{low}{UNDEFINED}{high}"
