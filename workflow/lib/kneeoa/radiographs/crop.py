"""Crop a displayed radiograph to the canonical grid of its view.

Canonical form: rows from head to foot; columns of a frontal radiograph from the knee's lateral to
its medial side, as a right knee is displayed, so left knees are mirrored; columns of a lateral one
from front to back, whatever the side. (Volumes keep their own order: their first axis runs from
medial to lateral.)

The affine maps (row, column, 0, 1) to millimetres in RAS+ from the first pixel of the displayed
picture, in the plane of the picture: the third axis is the direction of the beam and has unit
length. Where the file gives no pixel size, the unit is a pixel of the file, and the source's
spacing is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from kneeoa.config.volumes import View
from kneeoa.errors import UnusableImage
from kneeoa.radiographs.exposed_field import Field
from kneeoa.radiographs.radiograph import Radiograph
from kneeoa.volumes.canonical import Canonical
from kneeoa.volumes.resample import axis_weights

# Directions (RAS+) in which the rows, the columns and the beam of a displayed picture run.
_FRONTAL = ((0.0, 0.0, -1.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
_LATERAL = ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0))


@dataclass(frozen=True)
class Window:
    """A piece of a displayed picture: its middle (row, column), and the pixels of the picture per
    pixel of its grid along each axis.
    """

    centre: tuple[float, float]
    steps: tuple[float, float]


def window(radiograph: Radiograph, view: View, centre: tuple[float, float] | None, width: float | None) -> Window:
    """The piece of a picture that becomes the canonical one.

    Args:
        radiograph: the picture.
        view: its form. ``fit: spacing`` takes ``shape`` times ``spacing`` millimetres around the
            centre. ``extent`` and ``pad`` take all of a picture of one knee, and of one of both
            knees a piece ``view.field`` times as wide as the tibial plateau; ``extent`` stretches
            it to the shape, ``pad`` keeps its proportions.
        centre: of the joint; None: the middle of the picture.
        width: of the tibial plateau in pixels, where a piece must be cut by it.

    Raises:
        UnusableImage: millimetres are asked for and the file gives none (``unknown-spacing``).
    """
    shape = radiograph.shape
    middle = centre or ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    if view.fit == "spacing":
        if radiograph.spacing is None:
            raise UnusableImage("unknown-spacing", "the file gives no pixel size; set the view's 'fit' to extent or pad, and no 'spacing'.")
        return Window(middle, (view.spacing[0] / radiograph.spacing[0], view.spacing[1] / radiograph.spacing[1]))
    down, across = radiograph.spacing or (1.0, 1.0)
    if width is not None:
        step = view.field * width / view.shape[1]
        return Window(middle, (step * across / down, step))
    middle = ((shape[0] - 1) / 2, (shape[1] - 1) / 2)
    steps = (shape[0] / view.shape[0], shape[1] / view.shape[1])
    if view.fit == "pad":
        coarser = max(steps[0] * down, steps[1] * across)
        steps = (coarser / down, coarser / across)
    return Window(middle, steps)


def crop(radiograph: Radiograph, field: Field, piece: Window, view: View, side: str | None) -> Canonical:
    """Resample a piece to the canonical grid; what lies outside the picture or its exposed field is
    padding.

    Raises:
        UnusableImage: none of the exposed field lies in the piece (``outside-region``).
    """
    mirrored = side == "L" and view.projection == "frontal"
    spacing = np.asarray(radiograph.spacing or (1.0, 1.0))
    signs = np.array([1.0, -1.0 if mirrored else 1.0])
    steps, centre, grid = np.asarray(piece.steps), np.asarray(piece.centre), np.asarray(view.shape)
    picture = np.asarray(radiograph.pixels, dtype=np.float32)
    inside = []
    for axis, (size, new, exposed) in enumerate(zip(radiograph.shape, view.shape, (field.rows, field.columns), strict=True)):
        positions, weights = _sampling(size, new, float(centre[axis]), float(steps[axis]), float(signs[axis]), view.antialias)
        covered = np.flatnonzero((positions >= exposed.start - 0.5) & (positions <= exposed.stop - 0.5))
        if not covered.size:
            raise UnusableImage("outside-region", "the piece around the joint holds nothing of the radiograph's exposed field.")
        inside.append(slice(int(covered[0]), int(covered[-1]) + 1))
        picture = weights @ picture if axis == 0 else (weights @ picture.T).T
    directions = np.array(_FRONTAL if view.projection == "frontal" else _LATERAL).T
    affine = np.eye(4)
    affine[:3, :3] = directions
    affine[:3, :2] *= steps * spacing * signs
    affine[:3, 3] = directions[:, :2] @ (centre * spacing) - affine[:3, :2] @ ((grid - 1) / 2)
    middle = (grid - 1) / 2 + ((np.asarray(radiograph.shape) - 1) / 2 - centre) / (steps * signs)
    return Canonical(
        np.ascontiguousarray(picture, dtype=np.float32),
        affine,
        (inside[0], inside[1]),
        radiograph.shape,
        radiograph.spacing or (float("nan"), float("nan")),
        (float(middle[0]), float(middle[1])),
    )


@lru_cache(maxsize=32)
def _sampling(size: int, new: int, centre: float, step: float, sign: float, antialias: bool) -> tuple[NDArray[np.float64], csr_array]:
    """Places along an axis of ``size`` pixels at which ``new`` pixels lie, and their weights: the
    same for every picture of one size that is taken whole.
    """
    positions = np.asarray((np.arange(new) - (new - 1) / 2) * step * sign + centre, dtype=np.float64)
    return positions, axis_weights(positions, size, step, antialias=antialias)
