"""Permutation null of an axis: grades permuted between subjects, the axis fitted and signed again,
and scored as before.

Grades are permuted within the training and within the test cases alike, so that under the null
embedding and grade are independent. Subjects with equally many graded cases exchange all their
grades together: two knees of a person stay two knees of a person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kneeoa.geometry.estimates import Floats
from kneeoa.geometry.supervised_directions import CentredSvd, lda_directions, ridge_directions

_AT_ONCE = 256


@dataclass(frozen=True)
class PermutationNull:
    """Held-out Spearman correlations of the permutations that have one; p = (1 + #{null >=
    observed}) / (B + 1) (Phipson, Smyth 2010).
    """

    observed: float
    null: Floats
    p: float


def permute_grades(grade: Floats, subjects: NDArray[np.str_], number: int, generator: np.random.Generator) -> Floats:
    """Return ``number`` permutations of ``grade`` ``[cases]`` between subjects of equally many
    cases: ``[number, cases]``.
    """
    order = np.argsort(subjects, kind="stable")
    _, starts, counts = np.unique(subjects[order], return_index=True, return_counts=True)
    result = np.tile(grade, (number, 1))
    for count in np.unique(counts):
        places = order[starts[counts == count][:, None] + np.arange(count)]
        chosen = generator.permuted(np.tile(np.arange(len(places)), (number, 1)), axis=1)
        result[:, places.ravel()] = grade[places][chosen].reshape(number, -1)
    return result


def permutation_null(
    kind: str,
    train: Floats,
    train_grade: Floats,
    train_subjects: NDArray[np.str_],
    test: Floats,
    test_grade: Floats,
    test_subjects: NDArray[np.str_],
    *,
    top: int,
    permutations: int,
    seed: int,
) -> PermutationNull | None:
    """Compute the null of the held-out Spearman correlation of an axis with the grade; None where
    the correlation itself is undefined.

    One-sided, since the sign of the axis is learned on training cases.

    Args:
        kind: the axis.
        train: standardised embeddings of the graded training cases, ``[train, kept]``; the axis
            ``pc1`` is of these too.
        train_grade: ``[train]``.
        train_subjects: ``[train]``.
        test: standardised embeddings of the graded test cases, ``[test, kept]``.
        test_grade: ``[test]``.
        test_subjects: ``[test]``.
        top: the highest grade.
        permutations: how many.
        seed: of the permutations.
    """
    spectrum = CentredSvd.of(train)
    train_coordinates, test_coordinates = spectrum.train_coordinates, spectrum.coordinates(test)
    generator = np.random.default_rng(seed)
    train_grades = np.vstack([train_grade, permute_grades(train_grade, train_subjects, permutations, generator)])
    test_grades = np.vstack([test_grade, permute_grades(test_grade, test_subjects, permutations, generator)])
    blocks = [
        _scores(kind, spectrum, train_coordinates, test_coordinates, train_grades[block], test_grades[block], train_subjects, top)
        for block in np.array_split(np.arange(len(train_grades)), len(train_grades) // _AT_ONCE + 1)
    ]
    scores = np.concatenate(blocks)
    observed, null = float(scores[0]), scores[1:][np.isfinite(scores[1:])]
    if not np.isfinite(observed) or not null.size:
        return None
    # A difference by rounding counts as reached: some permutations are the identity.
    return PermutationNull(observed, null, (1 + int((null >= observed - 1e-12).sum())) / (null.size + 1))


def _scores(
    kind: str,
    spectrum: CentredSvd,
    train: Floats,
    test: Floats,
    train_grades: Floats,
    test_grades: Floats,
    subjects: NDArray[np.str_],
    top: int,
) -> Floats:
    """Held-out Spearman of each labelling's axis, signed by its training Spearman."""
    if kind == "pc1":
        direction = np.zeros((len(train_grades), train.shape[1]))
        direction[:, :1] = 1.0
    elif kind == "centroid":
        high, low = (train_grades == top).astype(np.float64), (train_grades == 0).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            direction = high @ train / high.sum(axis=1, keepdims=True) - low @ train / low.sum(axis=1, keepdims=True)
    elif kind == "lda":
        direction = lda_directions(spectrum, train_grades.astype(np.int64), top + 1)
    else:
        direction = ridge_directions(spectrum, train_grades, subjects)
    sign = np.ones(len(train_grades)) if kind == "centroid" else np.sign(_spearman(direction @ train.T, train_grades))
    scores: Floats = sign * _spearman(direction @ test.T, test_grades)
    return np.where(sign == 0, np.nan, scores)


def _spearman(position: Floats, grade: Floats) -> Floats:
    from scipy.stats import rankdata

    ranks = [rankdata(values, axis=1) - (values.shape[1] + 1) / 2 for values in (position, grade)]
    norm = np.sqrt((ranks[0] ** 2).sum(axis=1) * (ranks[1] ** 2).sum(axis=1))
    rho: Floats = np.divide((ranks[0] * ranks[1]).sum(axis=1), norm, out=np.full(len(position), np.nan), where=norm > 0)
    return rho
