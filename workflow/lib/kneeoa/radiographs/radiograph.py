"""A radiograph as it is displayed, and the transform from its file's pixels to that display.

Convention of a displayed picture: rows run from head to foot. Frontal (PA or AP alike): the
patient's right is on the picture's left, as the patient is seen from the front. Lateral: columns
run from front to back. A DICOM file's PatientOrientation brings its pixels to this display. A file
without it (PNG, JPEG, TIFF, or DICOM without the tag) is assumed to be displayed so already, turned
upright by its orientation tag where it has one.

Grey levels: bone is bright. DICOM's MONOCHROME1 is mirrored; the VOI look-up table (window) is not
applied, as it may clip what a network could use and differs from station to station.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kneeoa.errors import UnusableImage
from kneeoa.formats.header_claims import NO_CLAIMS, Claims

Projection = Literal["frontal", "lateral"]


@dataclass(frozen=True)
class DisplayTransform:
    """Transform from the stored pixels to the display: first transposed, then mirrored."""

    transposed: bool = False
    rows: bool = False
    columns: bool = False

    def pixels(self, stored: NDArray[np.generic]) -> NDArray[np.generic]:
        """The displayed picture (a view)."""
        picture = stored.T if self.transposed else stored
        return picture[:: -1 if self.rows else 1, :: -1 if self.columns else 1]

    def place(self, row: float, column: float, shape: tuple[int, int]) -> tuple[float, float]:
        """A place of the file (row, column) in the displayed picture of ``shape``; its own inverse
        where nothing is transposed.
        """
        if self.transposed:
            row, column = column, row
        return (shape[0] - 1 - row if self.rows else row), (shape[1] - 1 - column if self.columns else column)


@dataclass(frozen=True)
class Radiograph:
    """A displayed picture.

    Attributes:
        pixels: ``[rows, columns]``, whole numbers or float32, bone bright.
        spacing: mm of a pixel along rows and columns, in the plane of the joint where the file
            gives its magnification and in that of the detector where not; None where the file gives
            none.
        side: the side that the file says it shows: ``L``, ``R``, ``B`` (both) or None.
        turn: how the file's pixels were brought to the display.
        claims: the side that the header claims for one knee, also by words.
        flags: further points for a person to check (slug, sentence).
    """

    pixels: NDArray[np.generic]
    spacing: tuple[float, float] | None = None
    side: str | None = None
    turn: DisplayTransform = DisplayTransform()
    claims: Claims = NO_CLAIMS
    flags: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or min(self.pixels.shape) < _MIN_PIXELS:
            raise UnusableImage(
                "not-2d", f"the radiograph has the shape {self.pixels.shape}; expected rows and columns, {_MIN_PIXELS} at least."
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def digest(self) -> str:
        """SHA-256 of type, shape, spacing and pixels."""
        value = hashlib.sha256(f"{self.pixels.dtype.str}{self.pixels.shape}{self.spacing}".encode())
        value.update(np.ascontiguousarray(self.pixels).data)
        return value.hexdigest()


_MIN_PIXELS = 16
