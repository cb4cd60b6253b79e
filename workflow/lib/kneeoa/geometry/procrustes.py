"""Orthogonal Procrustes distance between representations of the same cases: what remains different
after the best rotation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from kneeoa.geometry.estimates import Floats

COMPONENTS = 48
"""Principal coordinates in which representations are compared (all, where there are fewer): bounds
the time.
"""


def principal_coordinates(values: NDArray[np.floating]) -> Floats:
    """Return the first :data:`COMPONENTS` principal coordinates of ``[cases, width]`` divided by
    its norm; zero where the cases do not vary.
    """
    centred = np.asarray(values, dtype=np.float64) - np.mean(values, axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(centred))
    if not norm > np.finfo(np.float32).eps * float(np.linalg.norm(np.asarray(values, dtype=np.float64))):
        return np.zeros((len(centred), COMPONENTS))
    wide = centred.shape[1] > len(centred)
    inner = centred @ centred.T if wide else centred.T @ centred
    squared, vectors = eigh(inner, subset_by_index=[max(len(inner) - COMPONENTS, 0), len(inner) - 1])
    squared, vectors = squared[::-1], vectors[:, ::-1]
    projected = vectors * np.sqrt(np.maximum(squared, 0)) if wide else centred @ vectors
    return np.pad(projected / norm, ((0, 0), (0, COMPONENTS - projected.shape[1])))


def procrustes_distances(parts: Sequence[Floats]) -> Floats:
    """Return the distance of every pair, ``[runs, runs]``: the square root of 2 - 2 * nuclear norm
    of the cross product; 0 same, sqrt 2 unrelated.

    ``parts`` are results of :func:`coordinates`. NaN where a representation does not vary.
    """
    runs = len(parts)
    varies = np.array([bool(part.any()) for part in parts])
    nuclear = np.zeros((runs, runs))
    for index, part in enumerate(parts):
        if index:
            cross = part.T @ np.concatenate(parts[:index], axis=1)
            squares = cross.reshape(COMPONENTS, index, COMPONENTS).transpose(1, 0, 2)
            nuclear[index, :index] = np.linalg.svd(squares, compute_uv=False).sum(axis=1)
    nuclear += nuclear.T
    np.fill_diagonal(nuclear, 1.0)
    distance = np.sqrt(np.maximum(2 - 2 * nuclear, 0))
    return np.where(varies[:, None] & varies, distance, np.nan)


def distance_influence(x: Floats, y: Floats) -> Floats:
    """Return the influence of each case on the distance of ``x`` and ``y``, ``[cases]`` (sums to
    zero); centring has no first-order effect.

    The derivative of a nuclear norm is along its own rotation, so case i adds x_i Q y_i to it (with
    Q = U V' of the cross product).
    """
    left, singular, right = np.linalg.svd(x.T @ y)
    shares = np.einsum("ij,ij->i", x @ (left @ right), y)
    nuclear = float(singular.sum())
    distance = np.sqrt(max(2 - 2 * nuclear, 0.0))
    if not distance > np.finfo(np.float32).eps:
        return np.zeros(len(x))
    norms = [np.einsum("ij,ij->i", part, part) for part in (x, y)]
    case_shares = [norm / norm.sum() for norm in norms]
    change = len(x) * (shares - nuclear / 2 * (case_shares[0] + case_shares[1]))
    return np.asarray(-change / distance, dtype=np.float64)
