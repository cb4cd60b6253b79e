"""Similarity of representations of the same cases: unbiased linear CKA with standard errors over
subjects, and the orthogonal Procrustes distance, which is what remains different after the best
rotation.

CKA is HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) of the Gram matrices K and L (Kornblith et al.
2019). With the U-statistic of HSIC (Song et al. 2012, equation 5; Nguyen et al. 2021) it is near 0
for unrelated spaces however wide; the usual biased one goes to 1 as d grows past n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from kneeoa.geometry.estimates import Floats

LEAST_CASES = 4
"""Fewest cases with which the U-statistic is defined."""

_CELLS = 10_000_000
"""Cells of centred Gram matrices in memory at once."""

_EXACT = 20_000_000
"""Up to so many cells of all Gram matrices together, arithmetic is in double precision, beyond in
single (error near 1e-5).
"""

COMPONENTS = 48
"""Principal coordinates in which representations are compared (all, where there are fewer): bounds
the time.
"""


@dataclass(frozen=True)
class Cka:
    """CKA of every pair of runs, and its means over pairs of groups of runs with their standard
    errors.

    ``runs`` ``[runs, runs]``; ``means`` and ``errors`` ``[groups, groups]``, on the diagonal over
    the pairs of different runs of a group (NaN where there is none). NaN where a representation
    does not vary.
    """

    runs: Floats
    means: Floats
    errors: Floats


def unbiased_cka(values: Sequence[NDArray[np.floating]], groups: NDArray[np.int64], subjects: NDArray[np.str_]) -> Cka:
    """Compare the representations of the same cases, in the same order, by all runs.

    The inner product of U-centred Gram matrices (zero diagonal, rows that sum to zero) is the
    U-statistic. Gram matrices are made a few rows at a time and never held whole. The standard
    error is the infinitesimal jackknife over subjects: centring has no first-order effect, so the
    influence of a case on HSIC is twice its row of the product, and CKA's follows by the delta
    method.

    Args:
        values: embeddings of each run, ``[cases, width of the run]``.
        groups: the group (arm) of each run, ``[runs]``, from 0 on.
        subjects: the subject of each case, ``[cases]``.

    Raises:
        ValueError: there are fewer than four cases.
    """
    cases, runs = len(subjects), len(values)
    if cases < LEAST_CASES:
        raise ValueError(f"unbiased CKA needs {LEAST_CASES} cases, not {cases}")
    precision = np.float64 if runs * cases**2 <= _EXACT else np.float32
    scaled: list[NDArray[np.floating]] = []
    rows, totals, norms = np.zeros((runs, cases)), np.zeros(runs), np.zeros(runs)
    for index, embedding in enumerate(values):
        centred = np.asarray(embedding, dtype=np.float64) - np.mean(embedding, axis=0, dtype=np.float64)
        size = float((centred**2).sum())
        # Centring a constant leaves its rounding error, which must not be scaled up to norm one.
        centred *= 1 / np.sqrt(size) if size > np.finfo(np.float32).eps ** 2 * float(np.square(embedding, dtype=np.float64).sum()) else 0.0
        diagonal = np.einsum("ij,ij->i", centred, centred)
        row_sums = centred @ centred.sum(axis=0) - diagonal
        inner = centred.T @ centred if centred.shape[1] < cases else centred @ centred.T
        square = float((inner**2).sum() - (diagonal**2).sum())
        total = float(row_sums.sum())
        # Squared norm of the U-centred Gram matrix, from sums alone.
        norm = square - 2 * float(row_sums @ row_sums) / (cases - 2) + total**2 / ((cases - 1) * (cases - 2))
        norms[index] = norm if norm > np.finfo(np.float64).eps * max(square, np.finfo(np.float64).tiny) else np.nan
        rows[index], totals[index] = row_sums, total
        scaled.append(centred.astype(precision))
    root = np.where(np.isfinite(norms), np.sqrt(np.where(np.isfinite(norms), norms, 1.0)), 1.0)
    group_count = int(groups.max()) + 1
    member = (groups[:, None] == np.arange(group_count)).astype(precision)
    product, self_rows, group_rows = np.zeros((runs, runs)), np.zeros((cases, runs)), np.zeros((cases, group_count, group_count))
    start = 0
    while start < cases:  # the matrices are symmetric: rows from the diagonal on, what lies beyond the block counts for its columns too
        stop = min(cases, start + max(1, _CELLS // (runs * (cases - start))))
        block = _centred_rows(scaled, rows, totals, root, slice(start, stop), precision)
        summed = np.tensordot(member.T, block, 1)
        beyond = block[:, :, stop - start :]
        for part in (block, beyond):
            flat = part.reshape(runs, -1)
            product += flat @ flat.T
        self_rows[start:stop] += np.einsum("rbc,rbc->br", block, block)
        self_rows[stop:] += np.einsum("rbc,rbc->cr", beyond, beyond)
        group_rows[start:stop] += np.einsum("gbc,hbc->bgh", summed, summed, optimize=True)
        group_rows[stop:] += np.einsum("gbc,hbc->cgh", summed[:, :, stop - start :], summed[:, :, stop - start :], optimize=True)
        start = stop
    matrix = np.where(np.isfinite(norms)[:, None] & np.isfinite(norms), product, np.nan)
    np.fill_diagonal(matrix, np.where(np.isfinite(norms), 1.0, np.nan))
    return Cka(matrix, *_over_groups(matrix, self_rows, group_rows, member.astype(np.float64), subjects))


def _centred_rows(
    scaled: Sequence[NDArray[np.floating]], rows: Floats, totals: Floats, root: Floats, part: slice, precision: type[np.floating]
) -> NDArray[np.floating]:
    """Rows of every U-centred Gram matrix, divided by its norm, from the diagonal on: ``[runs,
    rows, cases - first row]``.
    """
    cases = rows.shape[1]
    block = np.empty((len(scaled), part.stop - part.start, cases - part.start), dtype=precision)
    diagonal = np.arange(part.stop - part.start)
    for index, embedding in enumerate(scaled):
        gram = embedding[part] @ embedding[part.start :].T
        gram -= (rows[index, part, None] / (cases - 2)).astype(precision)
        gram -= (rows[index, part.start :] / (cases - 2) - totals[index] / ((cases - 1) * (cases - 2))).astype(precision)
        gram /= precision(root[index])
        gram[diagonal, diagonal] = 0
        block[index] = gram
    return block


def _over_groups(
    matrix: Floats, self_rows: Floats, group_rows: Floats, member: Floats, subjects: NDArray[np.str_]
) -> tuple[Floats, Floats]:
    """Means of ``matrix`` over pairs of groups and their standard errors over subjects, a run's
    pair with itself left out.
    """
    sizes = member.sum(axis=0)
    pairs = np.outer(sizes, sizes) - np.diag(sizes)
    self_pairs = np.einsum("br,rg->bg", self_rows, member)
    index = np.arange(member.shape[1])
    group_rows = group_rows.copy()
    group_rows[:, index, index] -= self_pairs
    off = matrix - np.diag(np.diag(matrix))
    means = np.divide(member.T @ off @ member, pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
    # Influence of a case: 2 n r_ab - c n (r_aa + r_bb), summed over the pairs; c stays inside since
    # it differs between them.
    weighted = [self_rows @ (member * (off @ member)[:, [g]]) for g in index]  # [cases, groups] each: sum over a in A, b in g of c_ab r_aa
    normalisation = np.stack(weighted, axis=2)
    cases = len(subjects)
    influence = cases * (2 * group_rows - normalisation - normalisation.transpose(0, 2, 1)) / np.maximum(pairs, 1)
    _, code = np.unique(subjects, return_inverse=True)
    clusters = np.zeros((int(code.max()) + 1, *pairs.shape))
    np.add.at(clusters, code, influence)
    clusters_count = len(clusters)
    variance = (clusters**2).sum(axis=0) / cases**2 * clusters_count / max(clusters_count - 1, 1)
    return means, np.where((pairs > 0) & (clusters_count > 1), np.sqrt(variance), np.nan)


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
