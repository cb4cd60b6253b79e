"""Pick the echo of a converted file (NIfTI, MetaImage, NRRD): along a fourth axis, or as its name
or the ``.json`` beside it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from kneeoa.errors import UnusableImage

Part = TypeVar("Part")

ECHO_HINT = "; where the fourth is echoes, set the view's 'echo'"
"""The end of an error message about four axes."""

_SUFFIX = re.compile(r"\.(nii(\.gz)?|mha|mhd|nrrd|nhdr)$", re.IGNORECASE)
# As BIDS (`_echo-2_`, `_echo-2.nii`), dcm2niix (`_e2`, `_e2_ph`) and people (`echo2`, `2nd echo`)
# name it.
_ECHO_IN_NAME = re.compile(
    r"echo[-_. ]?0*(\d+)(?![A-Za-z0-9])|(?<![A-Za-z0-9])e0*(\d+)(?=$|_ph$|_real$|_imaginary$)"
    r"|(?<![A-Za-z0-9])(1st|2nd|3rd|first|second|third)[-_. ]?echo(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ORDINALS = {"1st": 1, "2nd": 2, "3rd": 3, "first": 1, "second": 2, "third": 3}
_JSON_FIELDS = ("EchoNumber", "EchoNumbers")
# A .json longer than this is no description of an image.
_MAX_JSON_BYTES = 1 << 20


def pick_echo(volumes: Sequence[Part], echo: int | None, path: Path) -> Part:
    """The volume of a file that holds the requested echo.

    Several volumes are echoes in their order. A file of one volume is the echo that its name or the
    ``.json`` beside it states; without a statement it is a first echo, like the one echo of a DICOM
    series.

    Args:
        volumes: those along the fourth axis; one for a file of three axes.
        echo: from 1; None where none is asked for.
        path: the file.

    Raises:
        UnusableImage: another echo, fewer echoes, or none stated (``missing-echo``).
    """
    if len(volumes) > 1:
        if echo is None or echo > len(volumes):
            raise UnusableImage("missing-echo", f"{path.name}: holds {len(volumes)} volumes; echo {echo} was asked for.")
        return volumes[echo - 1]
    stated = stated_echo(path)
    if echo is not None and echo != (stated or 1):
        holds = f"is echo {stated}" if stated else "holds one volume, and neither its name (_echo-2) nor a .json beside it says which echo"
        raise UnusableImage("missing-echo", f"{path.name}: {holds}; echo {echo} was asked for.")
    return volumes[0]


def stated_echo(path: Path) -> int | None:
    """The echo number of a file as its converter states it: ``EchoNumber`` (or ``EchoNumbers``) of
    the ``.json`` beside it, else the part of its name; None where neither says.
    """
    stem = _SUFFIX.sub("", path.name)
    sidecar = path.with_name(f"{stem}.json")
    try:
        text = sidecar.read_bytes() if sidecar.is_file() and sidecar.stat().st_size <= _MAX_JSON_BYTES else b"{}"
        fields = json.loads(text)
    except (OSError, ValueError, RecursionError):
        fields = {}
    given = [_whole_number(fields.get(name)) for name in _JSON_FIELDS] if isinstance(fields, dict) else []
    numbers = [number for number in given if number] or [
        int(fused or number) if fused or number else _ORDINALS[ordinal.lower()] for fused, number, ordinal in _ECHO_IN_NAME.findall(stem)
    ][-1:]
    return numbers[0] if numbers and numbers[0] > 0 else None


def _whole_number(value: object) -> int | None:
    """The whole number above 0 of a field, also as text or alone in a list; None for any other
    value.
    """
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    try:
        number = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return int(number) if 0 < number < 1e6 and number == int(number) else None
