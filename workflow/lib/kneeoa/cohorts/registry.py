"""Registry of readers by name: ``<name>.py`` reads a layout, ``<name>_paths.py`` attributes its
files to subjects (cheap: used at parse).

Readers are found in the folder, not listed here, so that a new one changes the code of no other's
cohort.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

from kneeoa.cohorts.attribution import SubjectOf
from kneeoa.cohorts.offers import Offer
from kneeoa.cohorts.source import Source
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

ReadSource = Callable[[Cohort, Path], Source]
Attribution = Callable[[Path, Cohort], SubjectOf]
ImageRows = Callable[[Path, Cohort], Iterator[tuple[str, str]]]
CheckTables = Callable[[Path, Cohort], None]


def readers() -> tuple[str, ...]:
    """Every layout that can be read, by name."""
    return tuple(sorted(path.stem.removesuffix("_paths") for path in Path(__file__).parent.glob("*_paths.py")))


def reader(name: str) -> ReadSource:
    """The function that reads a source of that layout.

    Raises:
        KneeoaError: no reader has that name.
    """
    read: ReadSource = importlib.import_module(code_module(name)).read
    return read


def attribution_rule(name: str) -> Attribution:
    """The function that makes, for a root and a cohort, the layout's rule of which subject a folder
    or file belongs to.

    Raises:
        KneeoaError: no reader has that name.
    """
    rule: Attribution = importlib.import_module(f"{code_module(name)}_paths").attribution
    return rule


def image_rows_rule(name: str) -> ImageRows:
    """The rule that gives (subject, line) of the tables by which that layout says which image is
    whose.

    Raises:
        KneeoaError: no reader has that name.
    """
    rule: ImageRows = importlib.import_module(f"{code_module(name)}_paths").image_rows
    return rule


def offer(cohort: Cohort) -> Offer | None:
    """The offer of a cohort's layout; None where its reader has none, and nothing is checked.

    Raises:
        KneeoaError: no reader has that name.
    """
    rule = getattr(importlib.import_module(f"{code_module(cohort.reader)}_paths"), "offer", None)
    return None if rule is None else rule(cohort)


def check_tables_rule(name: str) -> CheckTables | None:
    """The function that checks a cohort's column map against the headers of its text tables, before
    any job runs; None where a layout has none.

    Raises:
        KneeoaError: no reader has that name.
    """
    rule: CheckTables | None = getattr(importlib.import_module(f"{code_module(name)}_paths"), "check_tables", None)
    return rule


def code_module(name: str) -> str:
    """The dotted name of the module whose code belongs to that reader alone.

    Raises:
        KneeoaError: no reader has that name.
    """
    if name not in readers():
        raise KneeoaError(f"'reader' is '{name}'; allowed are {', '.join(readers())}")
    return f"kneeoa.cohorts.{name}"
