"""A planted fault: files, and what must become of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.ingestion.faults.knees import Knee

Plant = Callable[[Path, Knee], None]
"""Writes the files of one knee into a series folder (which is there and empty)."""

_DAMAGED = frozenset({"unreadable", "wrong-dimensions"})
_CLAIMS = _DAMAGED | {"too-large", "not-3d"}
_GEOMETRY = frozenset({"bad-affine", "missing-geometry", "ambiguous-affine", "absurd-spacing", "sheared-stack"})
_STACK = frozenset({"slice-gap", "duplicate-slice", "too-few-slices", "ambiguous-series", "crooked-stack", "uneven-slices"})
_ABSENT = frozenset({"missing-file", "missing-image", "unreadable", "too-few-slices"})
_VALUES = frozenset({"non-finite", "constant-image"})
_TYPE = _DAMAGED | {"not-greyscale", "unsupported-dicom", "unsupported-nrrd", "missing-geometry", "too-large"}

FITS: dict[str, frozenset[str]] = {
    "truncated": _DAMAGED,
    "zero bytes": _DAMAGED | _VALUES | {"too-few-slices"},
    "replaced": _DAMAGED | {"missing-geometry"},
    "too long": _DAMAGED,
    "wrong dimensions": _CLAIMS | {"bad-affine"},
    "huge claims": _CLAIMS | _VALUES,
    "wrong dtype": _TYPE,
    "wrong header": _CLAIMS,
    "bad affine": _GEOMETRY,
    "missing geometry": _GEOMETRY,
    "wrong side": frozenset({"wrong-side"}),
    "absurd spacing": _GEOMETRY | {"duplicate-slice"},
    "sheared stack": _STACK | _GEOMETRY,
    "rescaling": _DAMAGED | {"non-finite"},
    "dtype": _TYPE,
    "4D": _TYPE | {"not-3d", "too-few-slices"},
    "no picture": _VALUES | _DAMAGED | {"too-few-slices"},
    "odd but legal": _DAMAGED | _GEOMETRY,
    "missing slice": _STACK,
    "duplicate slice": _STACK,
    "mixed series": _STACK,
    "mixed orientations": _STACK,
    "pictures": frozenset({"ambiguous-series", "missing-image-type"}),
    "converted": _DAMAGED | {"ambiguous-series", "missing-file", "too-few-slices", "slice-gap"},
    "unmarked echoes": frozenset({"ambiguous-series"}),
    "planes": frozenset({"wrong-plane", "ambiguous-series"}),
    "irregular slices": _STACK,
    "transfer syntax": _DAMAGED | {"unsupported-dicom"},
    "other files": _DAMAGED,
    "names": _ABSENT,
    "links": _ABSENT | {"wrong-dimensions", "outside-folder"},
    "link loops": _ABSENT,
    "no file": _ABSENT | {"duplicate-image", "slice-gap"},
    "permission": _ABSENT,
}
"""The reasons of exclusion that fit each family of faults."""


@dataclass(frozen=True)
class Planted:
    """One case. It must be read as ``knee`` says where ``reads``, and may be excluded for one of
    ``reasons`` where there are any.
    """

    family: str
    name: str
    format: str
    plant: Plant
    reads: bool = False
    reasons: frozenset[str] = frozenset()
    side: str = "RIGHT"
    damage: bool = False
    """Whether to take away permissions when everything is written: the files named
    ``forbidden*``.
    """

    def __str__(self) -> str:
        return f"{self.format}: {self.family}: {self.name}"


def legal(family: str, name: str, format: str, plant: Plant, *, side: str = "RIGHT") -> Planted:
    """A case that looks odd and must be read."""
    return Planted(family, name, format, plant, reads=True, side=side)


def bad(family: str, name: str, format: str, plant: Plant) -> Planted:
    """A case that must be excluded."""
    return Planted(family, name, format, plant, reasons=FITS[family])


def either(family: str, name: str, format: str, plant: Plant) -> Planted:
    """A case that a good program may read (then rightly) and a careful one may exclude."""
    return Planted(family, name, format, plant, reads=True, reasons=FITS[family])
