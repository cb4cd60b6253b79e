"""Look at a small copy of a picture of one knee: is it plain that it shows one, upright, in the
middle, and whether its bone is bright?

The drawing of a knee (:mod:`kneeoa.radiographs.knee_template`) is held against the middle of the
copy as it is, upside down and turned by a quarter either way, bright and dark. A film of both knees
is dark between the legs. Where every answer is clear by a margin the picture need not be searched
finely (:mod:`kneeoa.radiographs.knee_localiser`); a picture that is turned, shows two knees or none
is never plain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from kneeoa.radiographs.exposed_field import Field
from kneeoa.radiographs.knee_template import Floats, drawing, resized

# Rows and columns of the copy, and of the grid on which it is transformed.
_SIDE, _PADDED = 56, 72
# Widths of the plateau (pixels of the copy) and tilts (degrees) that are tried.
_WIDTHS, _TILTS = (28, 36, 48), (-6.0, 0.0, 6.0)
_MIDDLE = (slice(16, 40), slice(19, 37))
"""Rows and columns of the copy in which the joint's centre lies."""
_CONTRAST = 7.0
"""Standard deviation (pixels of the copy) of the window in which contrast is taken."""


# Limits of a picture whose bone is bright, and of one in the negative.
_MIN_FIT, _MIN_POLARITY, _MIN_UPSIDE_DOWN, _MIN_QUARTER = (0.33, 0.42), (0.03, 0.1), (0.03, 0.06), (0.07, 0.1)
# Two legs side by side are dark between them, bright in the negative, and look more like a knee
# when they are turned; two legs one above the other have such rows.
_COLUMNS_PER_QUARTER, _COLUMNS, _ROWS = 3.0, (-0.8, 0.5), (-1.2, 0.7)


Question = Literal["polarity", "upside-down", "quarter", "two"]
QUESTIONS: frozenset[Question] = frozenset(get_args(Question))


@dataclass(frozen=True)
class Evidence:
    """Measures of a small copy, of its likelier polarity.

    Attributes:
        fit: correlation with the drawing.
        negative: it is the picture's negative that fits so.
        polarity: by how much it fits better than the other polarity.
        turned: the fit of either polarity if the picture is turned by 90, 180 and 270 degrees.
        columns: grey of the middle columns less that of those a quarter from either side, in
            standard deviations; bone bright.
        rows: the same of rows.
    """

    fit: float
    negative: bool
    polarity: float
    turned: tuple[float, float, float]
    columns: float
    rows: float

    @property
    def upside_down(self) -> float:
        """By how much it fits better than upside down."""
        return self.fit - self.turned[1]

    @property
    def quarter(self) -> float:
        """By how much it fits better than turned by a quarter."""
        return self.fit - max(self.turned[0], self.turned[2])

    def doubts(self) -> frozenset[Question]:
        """The questions that a finer look must answer; none where one upright knee is plain."""
        dark = int(self.negative)
        allowance = _COLUMNS_PER_QUARTER * self.quarter
        columns = _COLUMNS[0] - allowance <= self.columns <= _COLUMNS[1] + allowance
        answers: dict[Question, bool] = {
            "polarity": self.polarity >= _MIN_POLARITY[dark],
            "upside-down": self.upside_down >= _MIN_UPSIDE_DOWN[dark],
            "quarter": self.quarter >= _MIN_QUARTER[dark],
            "two": columns and _ROWS[0] <= self.rows <= _ROWS[1],
        }
        # What does not look like a knee proves nothing by what it looks like even less.
        return frozenset(question for question, clear in answers.items() if not clear or self.fit < _MIN_FIT[dark])


def weigh(picture: Floats, field: Field) -> Evidence:
    """Measure a small copy of a picture's exposed field."""
    copy = resized(picture[field.rows, field.columns], (_SIDE, _SIDE))
    fits = _fits(copy)
    negative = bool(fits[0, 1] > fits[0, 0])
    sign = int(negative)
    tone = -1.0 if negative else 1.0
    columns, rows = (tone * _middle_against_quarters(copy, axis) for axis in (0, 1))
    quarter, half, three = (float(fits[turn].max()) for turn in (1, 2, 3))
    return Evidence(float(fits[0, sign]), negative, float(fits[0, sign] - fits[0, 1 - sign]), (quarter, half, three), columns, rows)


def _fits(copy: Floats) -> NDArray[np.float32]:
    """Best correlation of the drawing with the middle of a copy, ``[turns by 90 degrees, (bright,
    dark)]``.
    """
    # Of the copy as it is and of the copy turned by a quarter; each is upside down at once.
    change = _normalised(_change(np.stack([copy, np.rot90(copy)])))
    changes, powers = fft.rfft2(np.stack([change, change * change]), (_PADDED, _PADDED))
    fits = np.empty((2, 2, 2), dtype=np.float32)
    upright, upside_down, windows = _spectra()
    for quarter, (spectrum, power_spectrum) in enumerate(zip(changes, powers, strict=True)):
        power = _middle(power_spectrum * windows)
        length = np.sqrt(np.maximum(power, 0.5 * power.max(axis=(1, 2), keepdims=True))) + np.finfo(np.float32).tiny
        for half, drawings in enumerate((upright, upside_down)):
            correlations = _middle(spectrum * drawings).reshape(len(_WIDTHS), len(_TILTS), *length.shape[1:]) / length[:, None]
            fits[half, quarter] = correlations.max(), -correlations.min()
    return fits.reshape(4, 2)


def _normalised(change: Floats) -> Floats:
    """Changes of grey over their local contrast, as
    :func:`kneeoa.radiographs.knee_template.normalised`.
    """
    power = change * change
    window, inside = _contrast_window()
    spread = fft.irfft2(fft.rfft2(power, (_PADDED, _PADDED)) * window, (_PADDED, _PADDED))[:, :_SIDE, :_SIDE] / inside
    floor = 0.5 * np.sqrt(power.mean(axis=(1, 2), keepdims=True)) + np.finfo(np.float32).tiny
    return np.asarray(change / (np.sqrt(np.maximum(spread, 0.0)) + floor), dtype=np.float32)


def _change(pictures: Floats) -> Floats:
    """Change of grey from row to row."""
    change = np.empty_like(pictures)
    change[:, 1:-1] = pictures[:, 2:] - pictures[:, :-2]
    change[:, 0], change[:, -1] = 2 * (pictures[:, 1] - pictures[:, 0]), 2 * (pictures[:, -1] - pictures[:, -2])
    return change


def _middle(spectra: NDArray[np.complex64]) -> Floats:
    """The middle of what spectra transform to: its rows first, as they are a third of all."""
    rows = fft.ifft(spectra, axis=1, overwrite_x=True)[:, _MIDDLE[0]]
    return np.asarray(fft.irfft(rows, _PADDED)[..., _MIDDLE[1]], dtype=np.float32)


@cache
def _contrast_window() -> tuple[NDArray[np.complex64], Floats]:
    """Spectrum of the window in which contrast is taken, and the share of it inside the copy."""
    away = np.minimum(np.arange(_PADDED), _PADDED - np.arange(_PADDED))
    line = np.exp(-0.5 * (away / _CONTRAST) ** 2)
    line /= line.sum()
    spectrum = np.asarray(fft.rfft2(np.outer(line, line).astype(np.float32)), dtype=np.complex64)
    copy = fft.rfft2(np.ones((_SIDE, _SIDE), dtype=np.float32), (_PADDED, _PADDED))
    return spectrum, np.asarray(fft.irfft2(copy * spectrum, (_PADDED, _PADDED))[:_SIDE, :_SIDE])


@cache
def _spectra() -> tuple[NDArray[np.complex64], NDArray[np.complex64], NDArray[np.complex64]]:
    """Conjugate spectra of the drawings, ``[widths * tilts, ...]``, of the drawings upside down,
    and of their windows, ``[widths, ...]``.
    """
    knees = [drawing(tilt, width) for width in _WIDTHS for tilt in _TILTS]
    # Upside down, grey changes the other way from row to row.
    turned = [-knee[::-1, ::-1] for knee in knees]
    windows = [np.ones_like(drawing(0.0, width)) for width in _WIDTHS]
    upright, upside_down, inside = (
        np.stack([np.conj(fft.rfft2(_centred(window))) for window in group]) for group in (knees, turned, windows)
    )
    return upright, upside_down, inside


def _centred(window: Floats) -> Floats:
    """A window with its middle at the origin of the padded grid."""
    padded = np.zeros((_PADDED, _PADDED), dtype=np.float32)
    padded[: window.shape[0], : window.shape[1]] = window
    return np.roll(padded, (-(window.shape[0] // 2), -(window.shape[1] // 2)), axis=(0, 1))


def _middle_against_quarters(copy: Floats, axis: int) -> float:
    """Grey of the middle columns (axis 0) or rows (axis 1) less that of those a quarter from either
    side, in standard deviations of the copy.
    """
    line, quarter, half = copy.mean(axis=axis), _SIDE // 4, _SIDE // 20
    middle, *sides = (float(line[place - half : place + half].mean()) for place in (2 * quarter, quarter, 3 * quarter))
    return (middle - sum(sides) / 2) / (float(copy.std()) + float(np.finfo(np.float32).tiny))
