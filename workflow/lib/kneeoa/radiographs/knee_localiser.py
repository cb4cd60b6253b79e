"""Find the knees in a bilateral frontal radiograph, and say whether to believe it.

Published localisers are learned (Tiulpin 2017, arXiv 1701.08991, proposes regions by profiles and
scores them by an SVM; YOLO detectors since). Without data to learn from, this one looks for a
drawing of a knee (:mod:`kneeoa.radiographs.knee_template`) at several sizes and tilts, and chooses
the pair of places that fits best and is a pair: one right of the other, at one height, of one size.
A pair that fails a check is never used.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kneeoa.errors import UnusableImage
from kneeoa.radiographs.exposed_field import Field
from kneeoa.radiographs.knee_template import ANGLES, FINE, Detail, fit, resized

Floats = NDArray[np.float32]

# Widths of the plateau that are tried: mm on the detector (it magnifies), or shares of the exposed
# field's width (both knees, one).
_MILLIMETRES, _SHARES, _SHARES_OF_ONE = (60.0, 108.0), (0.13, 0.38), (0.35, 1.0)
_PLACES = 8
"""Best places of each size that may become half of a pair."""
_HALF_HEIGHT, _HALF_BONE, _BESIDE = 0.3, 0.4, (0.52, 0.75)
"""Places at which bone and the tissue beside it are compared, in widths of the plateau from the
joint's centre.
"""
_RIM = 0.25
"""Places nearer than this to the field's border (widths of the plateau) are what is left of a
border, not knees.
"""

LEAST_FIT = 0.45
"""Least correlation of each knee with the drawing."""
LEAST_MARGIN = 0.03
"""By how much a pair must fit better than the best pair elsewhere (mean correlation)."""
MOST_HEIGHT = 0.2
"""Most difference in height of the two joints, as a share of the picture's height."""
MOST_RATIO = 1.2
"""Most ratio of the two knees' widths."""
LEAST_BORDER = 0.54
"""Least distance of a joint's centre from the exposed field's border, in widths of the plateau."""


@dataclass(frozen=True)
class Knee:
    """A knee in a picture.

    Attributes:
        row, column: the joint's centre in pixels of the file.
        width: of the tibial plateau in pixels of the file, along the columns.
        angle: tilt of the leg, degrees.
        fit: correlation with the drawing.
        negative: it is the picture's negative that looks like a knee here.
    """

    row: float
    column: float
    width: float
    angle: float
    fit: float
    negative: bool = False


def survey(
    picture: Floats, field: Field, spacing: tuple[float, float] | None, both: bool, detail: Detail = FINE, least: float = 0.0
) -> list[Knee]:
    """The places that look most like a knee, at every size, in the picture and in its negative.

    Args:
        picture: ``[rows, columns]``, feet down.
        field: what of it was exposed; it alone is looked at.
        spacing: mm of a pixel along rows and columns, if known; else pixels are taken to be square.
        both: the picture is as wide as two knees, not one.
        detail: how finely it is looked at.
        least: only places that fit better count.
    """
    down, across = spacing or (1.0, 1.0)
    cut = picture[field.rows, field.columns]
    shares = _SHARES if both else _SHARES_OF_ONE
    low, high = _MILLIMETRES if spacing else (shares[0] * cut.shape[1], shares[1] * cut.shape[1])
    places: list[Knee] = []
    for width in np.geomspace(low, high, 1 + int(np.ceil(np.log(high / low) / np.log(detail.ratio)))):
        unit = float(width) / detail.width  # mm (or pixels) of a pixel of the drawing
        small, steps = _resized(cut, (unit / down, unit / across))
        correlations = fit(small, detail.width)
        for sign in (1, -1):
            best = (sign * correlations).max(axis=0)
            if best.max() <= least:
                continue
            rows, columns = np.nonzero((best == ndimage.maximum_filter(best, detail.width // 3)) & (best > least))
            order = np.argsort(-best[rows, columns], kind="stable")[:_PLACES]
            for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
                y, x = _summit(best, row, column)
                knee = Knee(
                    row=field.rows.start + (y + 0.5) * steps[0] - 0.5,
                    column=field.columns.start + (x + 0.5) * steps[1] - 0.5,
                    width=float(width) / across,
                    angle=ANGLES[int((sign * correlations[:, row, column]).argmax())],
                    fit=float(best[row, column]),
                    negative=sign < 0,
                )
                if _border(knee, field) >= 0.0 and _stands_out(small, detail.width, row, column, sign):
                    places.append(knee)
    return beside_no_border(places, field) if both else places


def beside_no_border(places: Sequence[Knee], field: Field) -> list[Knee]:
    """The places of a survey that may be half of a pair: what lies near the border is left of it,
    and no knee.
    """
    return [place for place in places if _border(place, field) >= _RIM]


def likeliest(places: Sequence[Knee], near: tuple[float, float] | None = None) -> Knee | None:
    """The place that looks most like a knee, however little it does.

    Args:
        places: of a survey.
        near: (row, column); only places within a quarter of a knee's width of it count.
    """
    if near is not None:
        places = [place for place in places if np.hypot(place.row - near[0], place.column - near[1]) <= 0.25 * place.width]
    return max(places, key=lambda place: place.fit, default=None)


def possible_pairs(places: Sequence[Knee], height: int) -> list[tuple[Knee, Knee]]:
    """Every two places that lie as the knees of a bilateral radiograph of ``height`` rows do, the
    one on the picture's left first.
    """
    pairs = []
    for one, other in itertools.combinations(places, 2):
        left, right = sorted((one, other), key=lambda knee: knee.column)
        width = (left.width + right.width) / 2
        if (
            max(left.width, right.width) <= MOST_RATIO * min(left.width, right.width)
            and right.column - left.column >= width
            and abs(left.row - right.row) <= MOST_HEIGHT * height
        ):
            pairs.append((left, right))
    return pairs


def choose_pair(places: Sequence[Knee], field: Field, height: int) -> tuple[Knee, Knee]:
    """The two knees of a bilateral radiograph of ``height`` rows, the one on the picture's left
    first.

    Raises:
        UnusableImage: there is no pair, or it fails a check (``joint-not-found``).
    """
    pairs = sorted(possible_pairs(places, height), key=lambda pair: -(pair[0].fit + pair[1].fit))
    if not pairs:
        raise UnusableImage("joint-not-found", "no two places of the radiograph look like a pair of knees; give the joints' centres.")
    best = pairs[0]
    others = [pair for pair in pairs if any(_apart(one, other) for one, other in zip(pair, best, strict=True))]
    margin = (best[0].fit + best[1].fit - (others[0][0].fit + others[0][1].fit if others else 0.0)) / 2
    least = min(knee.fit for knee in best)
    for wrong, what in (
        (least < LEAST_FIT, f"the less certain knee fits by {least:.2f}, less than {LEAST_FIT}"),
        (margin < LEAST_MARGIN, f"another pair of places fits as well (by {margin:.2f})"),
        (min(_border(knee, field) for knee in best) < LEAST_BORDER, "a joint lies at the border of the exposed field"),
    ):
        if wrong:
            raise UnusableImage("joint-not-found", f"the knees were not found with certainty: {what}; give the joints' centres.")
    return best


def feet_down(picture: Floats, field: Field, spacing: tuple[float, float] | None, knee: Knee) -> bool:
    """Whether a knee that was found looks less like one upside down; the arguments are those of
    :func:`survey`.
    """
    down, across = spacing or (1.0, 1.0)
    unit = knee.width * across / FINE.width
    small, steps = _resized(picture[field.rows, field.columns], (unit / down, unit / across))
    turned = ((-1 if knee.negative else 1) * fit(small[::-1], FINE.width)).max(axis=0)[::-1]
    row, column = round((knee.row - field.rows.start) / steps[0]), round((knee.column - field.columns.start) / steps[1])
    reach = FINE.width // 2
    around = turned[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    return float(around.max()) < knee.fit


def _resized(picture: Floats, steps: tuple[float, float]) -> tuple[Floats, tuple[float, float]]:
    """The picture with pixels ``steps`` times as large (rounded to whole pixels over the same
    extent), and the steps as they are.
    """
    rows, columns = (max(8, round(size / step)) for size, step in zip(picture.shape, steps, strict=True))
    return resized(picture, (rows, columns)), (picture.shape[0] / rows, picture.shape[1] / columns)


def _stands_out(picture: Floats, width: int, row: int, column: int, sign: int) -> bool:
    """Whether the bones of a knee of ``width`` pixels at a place are brighter than the soft tissue
    on either side (darker for ``sign`` -1).

    A knee that is half outside the picture, or upside down in a negative, fits the drawing too. A
    side outside the picture says nothing.
    """
    half_height, half_bone, (near, far) = round(_HALF_HEIGHT * width), round(_HALF_BONE * width), (round(each * width) for each in _BESIDE)
    band = picture[max(0, row - half_height) : row + half_height + 1]
    bone = band[:, max(0, column - half_bone) : column + half_bone + 1].mean()
    flanks = (band[:, max(0, column - far) : max(0, column - near)], band[:, column + near : column + far])
    return all(sign * (bone - flank.mean()) > 0 for flank in flanks if flank.size)


def _summit(values: Floats, row: int, column: int) -> tuple[float, float]:
    """The peak between pixels: a parabola through the neighbours along each axis."""
    place = []
    for line, index in ((values[:, column], row), (values[row], column)):
        if 0 < index < len(line) - 1:
            before, here, after = (float(value) for value in line[index - 1 : index + 2])
            curve = before - 2 * here + after
            place.append(index + (0.5 * (before - after) / curve if curve < 0 else 0.0))
        else:
            place.append(float(index))
    return place[0], place[1]


def _apart(one: Knee, other: Knee) -> bool:
    return float(np.hypot(one.row - other.row, one.column - other.column)) > 0.25 * one.width


def _border(knee: Knee, field: Field) -> float:
    """Distance of a joint's centre from the nearest border of the field, in widths."""
    gaps = (knee.row - field.rows.start, field.rows.stop - knee.row, knee.column - field.columns.start, field.columns.stop - knee.column)
    return float(min(gaps) / knee.width)
