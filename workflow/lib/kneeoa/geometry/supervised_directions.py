"""Supervised directions in closed form (linear discriminant, ridge regression), for the training
grades and for every permutation of them at once.

Both penalties (Ledoit and Wolf's target and ridge) are multiples of the identity, so principal
coordinates of the training cases give the same result: there the total scatter is diagonal, d > n
is no special case, and a permutation costs a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats

_PENALTIES = np.logspace(-3, 4, 15)
"""Ridge penalties tried, in units of the mean squared singular value."""

_MAXIMUM_LEVERAGE = 1 - 1e-9
"""Above it a left-out subject determines its own fit, and the penalty is refused."""


@dataclass(frozen=True)
class CentredSvd:
    """Singular value decomposition of training cases ``[cases, width]``: ``mean + left * singular @
    rows`` with ``left`` ``[cases, rank]`` and ``rows`` ``[rank, width]``.
    """

    mean: Floats
    left: Floats
    singular: Floats
    rows: Floats
    width: int

    @classmethod
    def of(cls, values: Floats) -> CentredSvd:
        """Decompose the centred cases, without the directions that do not vary."""
        mean = values.mean(axis=0)
        left, singular, rows = np.linalg.svd(values - mean, full_matrices=False)
        kept = singular > float(np.finfo(np.float32).eps) * max(float(singular.max(initial=0.0)), float(np.finfo(np.float32).tiny))
        return cls(mean, left[:, kept], singular[kept], rows[kept], values.shape[1])

    def coordinates(self, values: Floats) -> Floats:
        """Return principal coordinates ``[cases, rank]`` of any cases ``[cases, width]``."""
        return (values - self.mean) @ self.rows.T

    @property
    def train_coordinates(self) -> Floats:
        """Principal coordinates of the training cases, ``[cases, rank]``."""
        return self.left * self.singular


def lda_directions(spectrum: CentredSvd, labels: NDArray[np.int64], classes: int) -> Floats:
    """First discriminant of each labelling, unit vectors ``[labellings, rank]`` in principal
    coordinates (sign free, zero if none).

    Fisher's discriminant with the pooled within-class covariance shrunk towards a multiple of the
    identity by Ledoit and Wolf's (2004) intensity. Within-class and total covariance differ by the
    between-class one only, and adding a multiple of the between-class covariance to the denominator
    leaves the eigenvectors as they are; so the diagonal total covariance takes its place.

    Args:
        spectrum: the graded training cases.
        labels: ``[labellings, cases]`` whole numbers from 0 to ``classes`` - 1; each labelling has
            the same or other class sizes.
        classes: how many classes there may be.
    """
    coordinates, cases = spectrum.train_coordinates, labels.shape[1]
    total = spectrum.singular**2 / cases
    squares = np.einsum("ij,ij->i", coordinates, coordinates)
    directions = np.zeros((len(labels), coordinates.shape[1]))
    for number, labelling in enumerate(labels):
        member = (labelling[None, :] == np.arange(classes)[:, None]).astype(np.float64)
        sizes = member.sum(axis=1)
        means = (member @ coordinates)[sizes > 0] / sizes[sizes > 0, None]
        step = means * np.sqrt(sizes[sizes > 0] / cases)[:, None]  # its outer product is the between-class covariance
        class_index = np.searchsorted(np.flatnonzero(sizes > 0), labelling)
        distance = squares - 2 * np.einsum("ij,ij->i", coordinates, means[class_index]) + np.einsum("ij,ij->i", means, means)[class_index]
        norm = float((total**2).sum() - 2 * (total * step**2).sum() + ((step @ step.T) ** 2).sum())  # of the within-class covariance
        scale = float(total.sum() - (step**2).sum()) / spectrum.width
        spread = norm - spectrum.width * scale**2
        noise = (float((distance**2).sum()) / cases - norm) / cases
        share = min(max(noise / spread, 0.0), 1.0) if spread > 0 else 1.0
        inverse = 1 / ((1 - share) * total + share * scale + np.finfo(np.float32).eps * total.max(initial=1.0))
        _, vectors = np.linalg.eigh((step * inverse) @ step.T)
        directions[number] = inverse * (step.T @ vectors[:, -1])
    return _units(directions)


def ridge_directions(spectrum: CentredSvd, targets: Floats, subjects: NDArray[np.str_]) -> Floats:
    """Ridge regression of each target, unit vectors ``[targets, rank]`` in principal coordinates;
    positive is more of the target.

    Args:
        spectrum: the graded training cases.
        targets: ``[targets, cases]``.
        subjects: the subject of each case; the penalty of each target is the one of least
            leave-one-subject-out squared error.
    """
    return _units(ridge_coefficients(spectrum, targets, subjects))


def ridge_coefficients(spectrum: CentredSvd, targets: Floats, subjects: NDArray[np.str_]) -> Floats:
    """Coefficients ``[targets, rank]`` of the ridge regressions in :func:`ridge_directions` (with
    an unpenalised intercept: the mean).

    The error with a subject left out is exact and needs no refit: with the hat matrix H it is (I -
    H_ss)^-1 times the subject's residuals.
    """
    centred = targets - targets.mean(axis=1, keepdims=True)
    projected = centred @ spectrum.left
    blocks = [np.flatnonzero(subjects == name) for name in np.unique(subjects)]
    squared = spectrum.singular**2
    penalties = _PENALTIES * squared.mean() if squared.size else _PENALTIES
    best, chosen = np.full(len(targets), np.inf), np.full(len(targets), penalties[-1])
    for penalty in penalties:
        shrink = squared / (squared + penalty)
        residual = centred - (projected * shrink) @ spectrum.left.T
        error = _left_out(residual, spectrum.left * np.sqrt(shrink), blocks)
        chosen, best = np.where(error < best, penalty, chosen), np.minimum(error, best)
    coefficients: Floats = projected * spectrum.singular / (squared + chosen[:, None])
    return coefficients


def _left_out(residual: Floats, root: Floats, blocks: list[NDArray[np.intp]]) -> Floats:
    """Sum of squared leave-one-subject-out residuals of each target; infinite where a subject fits
    itself exactly.
    """
    cases = len(root)
    leverage = np.einsum("ij,ij->i", root, root) + 1 / cases
    single = np.array([block[0] for block in blocks if len(block) == 1], dtype=np.intp)
    if (leverage > _MAXIMUM_LEVERAGE).any():
        return np.full(len(residual), np.inf)
    error: Floats = ((residual[:, single] / (1 - leverage[single])) ** 2).sum(axis=1)
    for block in blocks:
        if len(block) > 1:
            rest = np.eye(len(block)) - root[block] @ root[block].T - 1 / cases
            try:
                left_out = np.linalg.solve(rest, residual[:, block].T)
            except np.linalg.LinAlgError:
                return np.full(len(residual), np.inf)
            error = error + (left_out**2).sum(axis=0)
    return error


def _units(directions: Floats) -> Floats:
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    units: Floats = np.divide(directions, length, out=np.zeros_like(directions), where=length > np.finfo(np.float64).tiny)
    return units
