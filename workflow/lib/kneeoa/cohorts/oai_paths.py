"""Names in OAI's tree: visits, releases, participants, masks. Standard library only, as the index is made at parse."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

VISIT_NUMBERS = {"00m": 0, "12m": 1, "18m": 2, "24m": 3, "30m": 4, "36m": 5, "48m": 6, "72m": 8, "96m": 10}
"""Months since enrolment -> the number in file names (``kxr_sq_bu03.txt``), column prefixes (``V03``) and releases (``3.C.2``)."""

_PARTICIPANT = re.compile(r"^\d{7}$")
_MASK = re.compile(r"^(?P<subject>\d{7})_(?P<side>[RL])_V(?P<visit>\d\d)(?P<suffix>\.[a-z.]+)?$", re.IGNORECASE)
_MASK_FORMATS = {".nii.gz": "nifti", ".nii": "nifti", ".mha": "meta", ".mhd": "meta", ".nrrd": "nrrd"}
_VISITS = {number: visit for visit, number in VISIT_NUMBERS.items()}


def is_participant(name: str) -> bool:
    """Whether a folder's name is a participant's seven digits."""
    return _PARTICIPANT.match(name) is not None


def mask_name(name: str) -> tuple[str, str, str, str | None] | None:
    """(subject, side, visit, format) of a mask's file name, e.g. ``9001104_R_V00.nii.gz``; None for any other name.

    The format is None for a companion such as the ``.raw`` of an ``.mhd``.
    """
    match = _MASK.match(name)
    if match is None or int(match["visit"]) not in _VISITS:
        return None
    kind = _MASK_FORMATS.get((match["suffix"] or "").lower())
    return match["subject"], match["side"].upper(), _VISITS[int(match["visit"])], kind


def subject_of(name: str) -> str | None:
    """The participant that a folder or file name belongs to, or None."""
    if is_participant(name):
        return name
    mask = mask_name(name)
    return mask[0] if mask else None


def image_rows(root: Path) -> Iterator[tuple[str, str]]:
    """(participant, line) of every image index: it decides which folder is which knee, so a changed line is a changed subject."""
    for table in sorted(path for depth in ("", "*/", "*/*/") for path in root.glob(f"{depth}contents.csv")):
        with open(table, newline="", encoding="utf-8", errors="replace") as stream:
            for row in csv.reader(stream):
                for cell in row:
                    if is_participant(cell.strip()):
                        yield cell.strip(), "\t".join(row)
                        break


def visit_of(folder: str) -> str | None:
    """The visit of an image folder ``[<visit>/]<release>/<participant>/...``: by its own name, else by the release's first number."""
    for part in folder.split("/"):
        if part in VISIT_NUMBERS:
            return part
    release = folder.split("/")[0].split(".")
    return _VISITS.get(int(release[0])) if len(release) == 3 and release[0].isdigit() else None
