"""Fit the learned severity axis: a direction in embedding space, fitted and signed on training
cases alone.

``pc1`` is paper A's axis (StandardScaler and PCA fitted on train); ``centroid`` points from the
mean of the lowest grade to the mean of the highest; ``lda`` is the first linear discriminant of the
grades as classes, with the within-grade covariance shrunk (Ledoit and Wolf 2004); ``ridge`` is the
direction of a ridge regression on the grade. The first uses grades for its sign alone, the others
are fitted to them: they order grades partly by construction, so both kinds are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats
from kneeoa.geometry.rank_measures import SortedValues, weighted_pearson
from kneeoa.geometry.supervised_directions import CentredSvd, lda_directions, ridge_directions


class UndefinedAxis(Exception):  # not an error of the input: the run simply has no such axis
    """The run has no such axis; the message says why."""


@dataclass(frozen=True)
class Scaler:
    """Standardise embeddings by mean and standard deviation of the training cases, in the
    components that vary among them.
    """

    kept: NDArray[np.bool_]
    mean: Floats
    sd: Floats

    def apply(self, values: Floats) -> Floats:
        """Standardise ``[cases, width]`` to ``[cases, kept]``."""
        return (values[:, self.kept] - self.mean) / self.sd


@dataclass(frozen=True)
class Axis:
    """A unit direction in the standardised space with the training cases' standard deviation along
    it, and the next principal direction for figures.
    """

    direction: Floats
    spread: float
    next_direction: Floats
    next_spread: float

    def positions(self, scaled: Floats) -> Floats:
        """Return positions of standardised embeddings ``[cases, kept]`` along the axis, in standard
        deviations of the training cases.
        """
        return scaled @ self.direction / self.spread

    def across(self, scaled: Floats) -> Floats:
        """Return positions along the next principal direction, in the same unit; zero where the
        training cases lie on one line.
        """
        return scaled @ self.next_direction / self.next_spread


def fit_scaler(train: Floats, *, common: bool = False) -> Scaler:
    """Fit the standardiser on training embeddings ``[cases, width]``.

    Components that do not vary beyond single precision among the training cases (dead units) are
    dropped: divided by their rounding error they would outweigh all others. ``common``: one scale
    for all components, for embeddings that are principal components already: standardised one by
    one, all would have the same variance.

    Raises:
        UndefinedAxis: there are fewer than two training cases or no component varies.
    """
    if len(train) < 2:
        raise UndefinedAxis("fewer than two training cases")
    kept = np.ptp(train, axis=0) > np.finfo(np.float32).eps * np.abs(train).max(axis=0)
    if not kept.any():
        raise UndefinedAxis("all training embeddings are equal")
    sd = train[:, kept].std(axis=0)
    return Scaler(kept, train[:, kept].mean(axis=0), np.full_like(sd, np.sqrt((sd**2).mean())) if common else sd)


def _principal(scaled: Floats) -> tuple[Floats, float]:
    """First principal direction of ``[cases, kept]``, its largest loading positive, and the
    standard deviation along it.
    """
    _, singular, rows = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)
    direction: Floats = rows[0] * np.sign(rows[0][np.argmax(np.abs(rows[0]))])
    return direction, float(singular[0] / np.sqrt(len(scaled)))


def _signed(direction: Floats, scaled: Floats, grade: Floats) -> Floats:
    """Turn ``direction`` so that the position rises with the grade (Spearman) on the graded
    training cases.
    """
    graded = np.isfinite(grade)
    weights = np.ones((1, int(graded.sum())))
    position = SortedValues(scaled[graded] @ direction).ranks(weights)
    rho = weighted_pearson(weights, position, SortedValues(grade[graded]).ranks(weights))[0] if graded.any() else np.nan
    if not np.isfinite(rho) or rho == 0:
        raise UndefinedAxis("the training grades do not tell which way is up")
    return direction if rho > 0 else -direction


def fit_axis(kind: str, scaled: Floats, grade: Floats, top: int, subjects: NDArray[np.str_] | None = None) -> Axis:
    """Fit the axis ``kind`` (``pc1``, ``centroid``, ``lda`` or ``ridge``) on training cases.

    Args:
        kind: which axis.
        scaled: standardised training embeddings ``[cases, kept]``.
        grade: training grades ``[cases]``, NaN where there is none.
        top: the highest grade of the level.
        subjects: the subject of each case, ``[cases]``, by which ``ridge`` leaves cases out;
            default: every case is its own.

    Raises:
        UndefinedAxis: a grade that the axis needs is absent, or the training cases do not vary
            along it.
    """
    if kind == "pc1":
        direction = _signed(_principal(scaled)[0], scaled, grade)
    elif kind == "centroid":
        direction = _centroid_step(scaled, grade, top)  # its sign is its definition
    else:
        direction = _supervised(kind, scaled, grade, top, subjects)
    spread = float((scaled @ direction).std())
    next_direction, next_spread = _principal(scaled - np.outer(scaled @ direction, direction))
    if not next_spread > np.finfo(np.float32).eps * spread:
        next_direction, next_spread = np.zeros_like(direction), 1.0
    return Axis(direction, spread, next_direction, next_spread)


def _centroid_step(scaled: Floats, grade: Floats, top: int) -> Floats:
    for value in (0, top):
        if not (grade == value).any():
            raise UndefinedAxis(f"no training case of grade {value}")
    step: Floats = scaled[grade == top].mean(axis=0) - scaled[grade == 0].mean(axis=0)
    length = float(np.linalg.norm(step))
    if not length > np.finfo(np.float32).eps:
        raise UndefinedAxis(f"the centroids of grades 0 and {top} coincide")
    return step / length


def _supervised(kind: str, scaled: Floats, grade: Floats, top: int, subjects: NDArray[np.str_] | None) -> Floats:
    graded = np.isfinite(grade)
    if len(set(grade[graded])) < 2:
        raise UndefinedAxis("fewer than two grades among the training cases")
    spectrum, labels = CentredSvd.of(scaled[graded]), grade[graded]
    if kind == "lda":
        coordinates = lda_directions(spectrum, labels.astype(np.int64)[None], top + 1)[0]
    else:
        groups = np.arange(len(grade)).astype(str) if subjects is None else subjects
        coordinates = ridge_directions(spectrum, labels[None], groups[graded])[0]
    direction: Floats = coordinates @ spectrum.rows
    if not direction.any():
        raise UndefinedAxis("the centroids of the training grades coincide")
    return _signed(direction, scaled, grade)
