"""File names of paper A's cohort (OAIZIB-CM). Standard library only, as the index is made at
parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kneeoa.cohorts.attribution import SubjectOf
from kneeoa.cohorts.offers import Offer
from kneeoa.config.cohorts import Cohort

_NAME = re.compile(r"^oaizib_(?P<id>\d+)(?P<image>_0000)?\.nii(\.gz)?$")


def subject_name(number: int) -> str:
    """The subject of a CMT-ID: at least three digits."""
    return f"{number:03d}"


def file_name(name: str) -> tuple[str, str] | None:
    """(subject, role) of ``oaizib_007_0000.nii.gz`` (image) or ``oaizib_007.nii.gz`` (mask); None
    for any other name.
    """
    match = _NAME.match(name)
    return None if match is None else (subject_name(int(match["id"])), "image" if match["image"] else "mask")


def subject_of(name: str) -> str | None:
    """The subject that a file belongs to, or None."""
    parsed = file_name(name)
    return parsed[0] if parsed else None


def attribution(root: Path, cohort: Cohort) -> SubjectOf:
    """A rule by file names: files belong to the subject that their own names give."""
    return lambda name, relative: subject_of(name)


def image_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """No rows: here file names alone decide which image is whose."""
    yield from ()


def offer(cohort: Cohort) -> Offer:
    """The offer of the layout: the release's grades, masks, splits and people, for one volume a
    knee.
    """
    return Offer(
        ("kl",),
        takes_labels=False,
        grades={"kl": 5},
        dimensions=3,
        one_view=True,
        one_visit=True,
        splits=True,
        named_at_parse=False,
        people=("sex", "age", "side"),
    )
