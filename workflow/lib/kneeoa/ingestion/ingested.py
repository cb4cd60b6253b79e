"""A canonical image with how it came about, and the flags that speak against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.formats.side_words import SIDE_NAMES
from kneeoa.formats.volume import Affine

Flags = tuple[tuple[str, str], ...]
"""Points that a person should check in an image that is used: (stable slug, sentence)."""


@dataclass(frozen=True)
class Ingested:
    """A canonical image with the record of how it was made.

    Attributes:
        array: float16, the view's shape.
        affine: 4 x 4; canonical index -> mm (RAS+ for volumes; for radiographs see
            :mod:`kneeoa.radiographs.crop`).
        source_digest: SHA-256 of the decoded voxels and their affine.
        source_shape: voxels of the image in canonical axis order.
        source_spacing: mm of the image's voxels in canonical axis order.
        low, high: clip limits in source units.
        mean, sd: z-score parameters in source units.
        source_centre: canonical index of the image's centre; None: the middle of the grid.
        joint: radiographs: (row, column) of the displayed picture that the grid is centred on.
        joint_fit: radiographs: how much that place looks like a knee (a correlation); None where it
            was not measured.
        negative: radiographs: bone was dark and was turned bright, against the header.
        orientation: the orientation that the cohort declares, where the header gave none.
        flags: doubts that are too weak to exclude it.
    """

    array: NDArray[np.float16]
    affine: Affine
    source_digest: str
    source_shape: tuple[int, ...]
    source_spacing: tuple[float, ...]
    low: float
    high: float
    mean: float
    sd: float
    source_centre: tuple[float, ...] | None = None
    joint: tuple[float, float] | None = None
    joint_fit: float | None = None
    negative: bool | None = None
    orientation: str | None = None
    flags: Flags = ()


def other_side_in_header(name: str, side: str) -> tuple[str, str]:
    """The flag of a file whose protocol or study describes the other side."""
    other = SIDE_NAMES["L" if side == "R" else "R"]
    return "other-side-in-header", f"{name}: its side is {side}, and its header's protocol or study speaks of the {other}; which is right?"
