"""Whose side a DICOM header says it shows: by its laterality, else by the one word for a side in
the series' description.
"""

from __future__ import annotations

import re

import pydicom

SIDE_TAGS = ("ImageLaterality", "Laterality", "SeriesDescription")
_WORDS = {"LEFT": "L", "LT": "L", "RIGHT": "R", "RT": "R"}


def told_side(dataset: pydicom.Dataset) -> str | None:
    """``L`` or ``R``, or None where the header says neither or both; nothing else of its text is
    kept.
    """
    for tag in ("ImageLaterality", "Laterality"):
        value = str(dataset.get(tag) or "").strip().upper()
        if value in ("L", "R"):
            return value
    words = re.split(r"[^A-Z]+", str(dataset.get("SeriesDescription") or "").upper())
    sides = {_WORDS[word] for word in words if word in _WORDS}
    return sides.pop() if len(sides) == 1 else None
