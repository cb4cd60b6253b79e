"""The learned severity axis: a direction in embedding space, fitted and signed on training cases alone.

``pc1`` is paper A's axis (StandardScaler and PCA fitted on train); ``centroid`` points from the mean of the lowest grade to the mean of the
highest. The first has seen no grade but for its sign, the second has: it orders grades partly by construction, so both are reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats
from kneeoa.geometry.ordering import Sorted, weighted_pearson


class UndefinedAxis(Exception):  # not an error of the input: the run simply has no such axis
    """There is no such axis; the message says why."""


@dataclass(frozen=True)
class Scaler:
    """Mean and standard deviation of the training cases, for the components that vary among them."""

    kept: NDArray[np.bool_]
    mean: Floats
    sd: Floats

    def apply(self, values: Floats) -> Floats:
        """Standardise ``[cases, width]`` to ``[cases, kept]``."""
        return (values[:, self.kept] - self.mean) / self.sd


@dataclass(frozen=True)
class Axis:
    """A unit direction in the standardised space with the training cases' spread along it, and the next direction for pictures."""

    direction: Floats
    spread: float
    next_direction: Floats
    next_spread: float

    def positions(self, scaled: Floats) -> Floats:
        """Positions of ``[cases, kept]`` standardised embeddings, in standard deviations of the training cases."""
        return scaled @ self.direction / self.spread

    def across(self, scaled: Floats) -> Floats:
        """Positions along the next principal direction, in the same unit; zero where the training cases lie on one line."""
        return scaled @ self.next_direction / self.next_spread


def fit_scaler(train: Floats) -> Scaler:
    """Fit the standardiser on training embeddings ``[cases, width]``.

    Components that do not vary beyond single precision among the training cases (dead units) are dropped: dividing by their rounding error
    would make them the loudest.

    Raises:
        UndefinedAxis: there are fewer than two training cases or no component varies.
    """
    if len(train) < 2:
        raise UndefinedAxis("fewer than two training cases")
    kept = np.ptp(train, axis=0) > np.finfo(np.float32).eps * np.abs(train).max(axis=0)
    if not kept.any():
        raise UndefinedAxis("all training embeddings are equal")
    return Scaler(kept, train[:, kept].mean(axis=0), train[:, kept].std(axis=0))


def _principal(scaled: Floats) -> tuple[Floats, float]:
    """First principal direction of centred ``[cases, kept]`` and the standard deviation along it; its largest loading is positive."""
    _, singular, rows = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)
    direction: Floats = rows[0] * np.sign(rows[0][np.argmax(np.abs(rows[0]))])
    return direction, float(singular[0] / np.sqrt(len(scaled)))


def _signed(direction: Floats, scaled: Floats, grade: Floats) -> Floats:
    """Turn ``direction`` so that the position rises with the grade (Spearman) on the graded training cases."""
    graded = np.isfinite(grade)
    weights = np.ones((1, int(graded.sum())))
    position = Sorted(scaled[graded] @ direction).ranks(weights)
    rho = weighted_pearson(weights, position, Sorted(grade[graded]).ranks(weights))[0] if graded.any() else np.nan
    if not np.isfinite(rho) or rho == 0:
        raise UndefinedAxis("the training grades do not tell which way is up")
    return direction if rho > 0 else -direction


def fit_axis(kind: str, scaled: Floats, grade: Floats, top: int) -> Axis:
    """Fit the axis ``kind`` (``pc1`` or ``centroid``) on training cases.

    Args:
        kind: which axis.
        scaled: standardised training embeddings ``[cases, kept]``.
        grade: training grades ``[cases]``, NaN where there is none.
        top: the highest grade of the level.

    Raises:
        UndefinedAxis: a grade that the axis needs is absent, or the training cases do not vary along it.
    """
    if kind == "pc1":
        direction = _signed(_principal(scaled)[0], scaled, grade)
    else:
        for value in (0, top):
            if not (grade == value).any():
                raise UndefinedAxis(f"no training case of grade {value}")
        step = scaled[grade == top].mean(axis=0) - scaled[grade == 0].mean(axis=0)
        length = float(np.linalg.norm(step))
        if not length > np.finfo(np.float32).eps:
            raise UndefinedAxis(f"the centroids of grades 0 and {top} coincide")
        direction = step / length  # its sign is its definition
    spread = float((scaled @ direction).std())
    next_direction, next_spread = _principal(scaled - np.outer(scaled @ direction, direction))
    if not next_spread > np.finfo(np.float32).eps * spread:
        next_direction, next_spread = np.zeros_like(direction), 1.0
    return Axis(direction, spread, next_direction, next_spread)
