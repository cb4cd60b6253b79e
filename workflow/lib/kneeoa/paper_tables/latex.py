r"""LaTeX for the manuscript: booktabs tabulars to be taken in by ``\input`` within a ``table``
environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kneeoa.atomic_io import write_text
from kneeoa.presentation.display_names import count_noun

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"\textbar{}",
    "\N{MINUS SIGN}": r"$-$",
    "\N{EN DASH}": "--",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{DOWNWARDS ARROW}": r"$\downarrow$",
    "\n": " ",
}


def escape(text: str) -> str:
    """Escape ``text`` so that LaTeX prints it literally; minus signs, dashes and comparisons become
    LaTeX's own.
    """
    return "".join(_ESCAPES.get(character, character) for character in text)


@dataclass(frozen=True)
class Tabular:
    """One table: plain text throughout, escaped when it is written."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1
    """Number of columns at the left that are aligned left; the others are centred."""
    heading: str = ""
    """A line above the column names, over the whole width."""
    breaks: Sequence[int] = ()
    """Rows above which a little space is left (a new group)."""
    notes: str = ""
    """A line below the table."""


def render(tables: Sequence[Tabular]) -> str:
    """Return the LaTeX of the tabulars, one below the other. Needs the package booktabs."""
    return "\n\n\\bigskip\n\n".join(_tabular(table) for table in tables) + "\n"


def _tabular(table: Tabular) -> str:
    width = len(table.columns)
    lines = [r"\begin{tabular}{" + "l" * table.left + "c" * (width - table.left) + "}", r"\toprule"]
    if table.heading:
        lines += [rf"\multicolumn{{{width}}}{{l}}{{{escape(table.heading)}}} \\", r"\midrule"]
    lines += [" & ".join(escape(name) for name in table.columns) + r" \\", r"\midrule"]
    for number, row in enumerate(table.rows):
        if number in table.breaks:
            lines.append(r"\addlinespace")
        lines.append(" & ".join(escape(cell) for cell in row) + r" \\")
    lines.append(r"\bottomrule")
    if table.notes:
        lines.append(rf"\multicolumn{{{width}}}{{l}}{{\footnotesize {escape(table.notes)}}} \\")
    return "\n".join([*lines, r"\end{tabular}"])


def write_latex(path: Path, tables: Sequence[Tabular]) -> None:
    """Write the tabulars to a file, atomically."""
    write_text(path, render(tables))


def group_starts(values: Sequence[str]) -> list[int]:
    """Return the rows at which a value differs from the one above: where a new group starts."""
    return [number for number in range(1, len(values)) if values[number] != values[number - 1]]


def sample_size(rows: pd.DataFrame) -> str:
    """Print the largest numbers of cases, subjects and seeds among the rows: ``12 cases of 10
    subjects, 2 seeds``; empty without rows.
    """
    if rows.empty:
        return ""
    cases, subjects, seeds = (int(rows[key].max()) for key in ("cases", "subjects", "seeds"))
    return f"{count_noun(cases, 'case')} of {count_noun(subjects, 'subject')}, {count_noun(seeds, 'seed')}"
