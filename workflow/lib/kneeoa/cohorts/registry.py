"""The readers by name. Each is imported when asked for, by a literal path, so that a digest of one covers no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kneeoa.cohorts.source import Source
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

ReadSource = Callable[[Cohort, Path], Source]
SubjectOf = Callable[[str], str | None]


def reader(name: str) -> ReadSource:
    """The function that reads a source of that layout.

    Raises:
        KneeoaError: no reader has that name.
    """
    if name == "oai":
        from kneeoa.cohorts.oai import read as read_oai

        return read_oai
    if name == "oai_zib":
        from kneeoa.cohorts.oai_zib import read as read_oai_zib

        return read_oai_zib
    raise KneeoaError(f"'reader' is '{name}'; it must be oai or oai_zib.")


def subject_rule(name: str) -> SubjectOf:
    """The rule that tells the subject from a folder's or file's name in that layout (cheap: used at parse).

    Raises:
        KneeoaError: no reader has that name.
    """
    if name == "oai":
        from kneeoa.cohorts.oai_paths import subject_of as subject_of_oai

        return subject_of_oai
    if name == "oai_zib":
        from kneeoa.cohorts.oai_zib_paths import subject_of as subject_of_oai_zib

        return subject_of_oai_zib
    raise KneeoaError(f"'reader' is '{name}'; it must be oai or oai_zib.")
