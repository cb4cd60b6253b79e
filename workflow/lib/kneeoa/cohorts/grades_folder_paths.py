"""Names in a folder of grades: ``[{train,val,test}/]{0..4}/<id><L|R>.png``. Standard library only,
as the index is made at parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kneeoa.cohorts.attribution import SubjectOf
from kneeoa.cohorts.formats import format_of
from kneeoa.cohorts.offers import Offer
from kneeoa.config.cohorts import Cohort

_NAME = re.compile(r"^(?P<subject>[A-Za-z0-9]+?)[_-]?(?P<side>[LR])(_\d+)?\.(?P<suffix>[A-Za-z.]+)$")


def knee_of(name: str) -> tuple[str, str] | None:
    """(subject, side) of ``9001104R.png`` or ``9001104_R.png``; None for any other name."""
    match = _NAME.match(name)
    return (match["subject"], match["side"]) if match and format_of(name) else None


def attribution(root: Path, cohort: Cohort) -> SubjectOf:
    """Files belong to the subject that their own names tell."""

    def subject_of(name: str, relative: str) -> str | None:
        knee = knee_of(name)
        return knee[0] if knee else None

    return subject_of


def image_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """Nothing: here folders and file names alone decide."""
    yield from ()


def offer(cohort: Cohort) -> Offer:
    """The grade of each folder, for one radiograph a knee."""
    return Offer(("kl",), takes_labels=False, dimensions=2, one_view=True, one_visit=True, masks=False, splits=True, people=("side",))
