"""Measures of a position along an axis, of the space around it and of probes of the whole
embedding, on the test cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from kneeoa.geometry.cases import Cases, Flags
from kneeoa.geometry.estimates import Floats, IntervalEstimate, MeasureFamily
from kneeoa.geometry.probes import auc_measures, kappa_measures, logistic_probe, regression_measures, ridge_probe
from kneeoa.geometry.rank_measures import SortedValues, binary_measures, correlation_measures, grade_measures, weighted_pearson

Family = tuple[str, Flags, MeasureFamily]
"""Name of the variable compared with (empty: none), which cases have it, and the measures."""


def centroid_measures(scaled: Floats, direction: Floats, grade: NDArray[np.int64], classes: Sequence[int]) -> MeasureFamily:
    """``between_centroid_share``: the axis's share of the between-centroid variance, each grade
    weighing as many cases as it has.

    A few centroids span few directions (one less than the grades), so the share is high by
    construction: compare it between runs on the same cases only. Noise in the centroids of a wide
    embedding adds to the total and lowers the share.

    Args:
        scaled: ``[cases, kept]`` standardised embeddings.
        direction: the axis, a unit vector ``[kept]``.
        grade: ``[cases]``.
        classes: all grades of the level.
    """
    member = np.stack([grade == value for value in classes]).astype(np.float64)
    along = scaled @ direction
    # Centroids lie in the span of the cases: where cases are fewer than components, project once.
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False) if len(scaled) < scaled.shape[1] else (None, None, None)
    space = scaled if left is None or singular is None else left * singular

    def compute(weights: Floats) -> dict[str, Floats]:
        total = np.maximum(weights.sum(axis=1), 1)
        sizes = weights @ member.T
        between, along_axis = np.zeros(len(weights)), np.zeros(len(weights))
        for index, row in enumerate(member):
            size = np.maximum(sizes[:, index], 1)
            class_weights = weights * row
            centre = class_weights @ space / size[:, None] - weights @ space / total[:, None]
            step = class_weights @ along / size - weights @ along / total
            between += sizes[:, index] * np.einsum("ij,ij->i", centre, centre)
            along_axis += sizes[:, index] * step**2
        defined = ((sizes > 0).sum(axis=1) > 1) & (between > np.finfo(np.float32).eps * total)
        return {"between_centroid_share": np.divide(along_axis, between, out=np.full(len(weights), np.nan), where=defined)}

    return MeasureFamily(compute, {"between_centroid_share": "fewer than two grades among the cases"})


def partial_measures(position: Floats, amount: Floats, grade: Floats) -> MeasureFamily:
    """``partial_spearman`` of position and amount given the grade, all ``[cases]``: the partial
    correlation of ranks (Kendall 1942).
    """
    sorted_values = [SortedValues(values) for values in (position, amount, grade)]

    def compute(weights: Floats) -> dict[str, Floats]:
        x, y, z = (values.ranks(weights) for values in sorted_values)
        xy, xz, yz = weighted_pearson(weights, x, y), weighted_pearson(weights, x, z), weighted_pearson(weights, y, z)
        unexplained = (1 - xz**2) * (1 - yz**2)
        defined = unexplained > np.finfo(np.float32).eps  # else the grade determines one of them
        return {"partial_spearman": np.divide(xy - xz * yz, np.sqrt(np.abs(unexplained)), out=np.full(len(weights), np.nan), where=defined)}

    return MeasureFamily(
        compute, {"partial_spearman": "the grade, the position or the amount does not vary, or the grade tells one of them wholly"}
    )


def variance_measures(scaled: Floats, direction: Floats) -> MeasureFamily:
    """``explained_variance``: the share of the total variance of ``scaled`` ``[cases, kept]`` along
    the unit ``direction`` ``[kept]``.

    On the training cases and for the first principal direction this is PCA's explained variance
    ratio (paper A).
    """
    along = scaled @ direction
    squares = np.einsum("ij,ij->i", scaled, scaled)

    def variance(weights: Floats, values: Floats, square: Floats) -> Floats:
        total = np.maximum(weights.sum(axis=1), 1)
        centre = weights @ values / total[:, None]
        spread: Floats = weights @ square / total - np.einsum("ij,ij->i", centre, centre)
        return spread

    def compute(weights: Floats) -> dict[str, Floats]:
        total_variance = variance(weights, scaled, squares)
        along_variance = variance(weights, along[:, None], along**2)
        # One distinct case leaves rounding errors alone: undefined rather than their ratio.
        defined = total_variance > np.finfo(np.float32).eps * squares.max(initial=0.0)
        return {"explained_variance": np.where(defined, along_variance / np.where(defined, total_variance, 1.0), np.nan)}

    return MeasureFamily(compute, {"explained_variance": "the cases do not vary"})


def _participation_from_sums(second: Floats, first: Floats, cases: int) -> float:
    """Participation ratio from the sums of outer products ``[kept, kept]`` and of vectors
    ``[kept]`` of ``cases`` cases.
    """
    covariance = second / cases - np.outer(first, first) / cases**2
    trace, square = float(np.trace(covariance)), float(np.einsum("ij,ij->", covariance, covariance))
    return trace**2 / square if square > np.finfo(np.float64).eps * (np.trace(second) / cases) ** 2 else np.nan


def participation_ratio(scaled: Floats, subjects: NDArray[np.str_], *, confidence: float) -> IntervalEstimate:
    """(sum of eigenvalues) squared over the sum of their squares: the effective number of
    dimensions of ``[cases, kept]``.

    The interval is the delete-one-subject jackknife's normal one: a bootstrap resample repeats
    cases, which lowers the ratio by itself. The ratio is biased downwards where cases are fewer
    than directions, so compare it between runs on the same cases only.
    """
    names, member = np.unique(subjects, return_inverse=True)
    second, first = scaled.T @ scaled, scaled.sum(axis=0)
    value = _participation_from_sums(second, first, len(scaled)) if len(scaled) > 1 else np.nan
    if not np.isfinite(value):
        return IntervalEstimate(None, None, None, None, "undefined: the cases do not vary")
    if names.size < 2:
        return IntervalEstimate(value, None, None, None, "no interval: fewer than two subjects")
    left_out = np.array([_without(second, first, scaled, member == index) for index in range(names.size)])
    if not np.isfinite(left_out).all():
        return IntervalEstimate(value, None, None, None, "no interval: without one of the subjects the cases do not vary")
    error = float(np.sqrt((names.size - 1) * left_out.var()))
    half = float(norm.ppf((1 + confidence) / 2)) * error
    return IntervalEstimate(value, value - half, value + half, None, "jackknife interval over subjects")


def _without(second: Floats, first: Floats, scaled: Floats, out: NDArray[np.bool_]) -> float:
    removed = scaled[out]
    cases = len(scaled) - len(removed)
    return _participation_from_sums(second - removed.T @ removed, first - removed.sum(axis=0), cases) if cases > 1 else np.nan


def axis_measures(position: Floats, direction: Floats, scaled: Floats, cases: Cases, test: Flags) -> Iterator[Family]:
    """Measures of one axis: alone, and against the grade, each binary level, the phantom's severity
    and the cartilage in the masks.
    """
    yield "", test, variance_measures(scaled[test], direction)
    graded = test & np.isfinite(cases.grade)
    classes = range(len(cases.level.classes))
    grade = cases.grade[graded].astype(np.int64)
    yield cases.level.name, graded, grade_measures(position[graded], grade, classes)
    yield cases.level.name, graded, centroid_measures(scaled[graded], direction, grade, classes)
    for name, label in cases.binary.items():
        defined = test & np.isfinite(label)
        flip = _slope_is_negative(position[cases.train], label[cases.train])
        yield name, defined, binary_measures(position[defined], label[defined] > 0, flip=flip)
    true = test & np.isfinite(cases.severity)
    if true.any():
        yield "latent_severity", true, correlation_measures(position[true], cases.severity[true])
    for name, amount in cases.cartilage.items():
        defined = test & np.isfinite(amount)
        if defined.any():
            yield name, defined, correlation_measures(position[defined], amount[defined])
        both = defined & graded
        if both.any():
            yield f"{name} given {cases.level.name}", both, partial_measures(position[both], amount[both], cases.grade[both])


def probe_measures(scaled: Floats, cases: Cases, test: Flags, seed: int) -> Iterator[Family]:
    """Measures of probes of the whole embedding, fitted on the training cases: of the grade (ridge,
    logistic) and of each binary level (logistic).
    """
    train, graded = cases.train & np.isfinite(cases.grade), test & np.isfinite(cases.grade)
    grade, label = cases.grade[graded], cases.grade[train].astype(np.int64)
    if len(set(label)) > 1 and graded.any():
        predicted = ridge_probe(scaled[train], cases.grade[train], cases.subjects[train], scaled[graded])
        yield cases.level.name, graded, regression_measures(predicted, grade)
        probabilities = logistic_probe(scaled[train], label, cases.subjects[train], scaled[graded], seed=seed)
        yield cases.level.name, graded, kappa_measures(np.unique(label)[probabilities.argmax(axis=1)], grade.astype(np.int64))
    for name, values in cases.binary.items():
        train, labelled = cases.train & np.isfinite(values), test & np.isfinite(values)
        if len(set(values[train])) > 1 and labelled.any():
            probabilities = logistic_probe(
                scaled[train], values[train].astype(np.int64), cases.subjects[train], scaled[labelled], seed=seed
            )
            yield name, labelled, auc_measures(probabilities[:, 1], values[labelled] > 0)


def _slope_is_negative(position: Floats, label: Floats) -> bool:
    """Whether the slope of a one-dimensional logistic regression is negative: the likelihood is
    concave, so the slope has the sign of the covariance (gradient at slope zero).
    """
    labelled = np.isfinite(label)
    if not labelled.any():
        return False
    return bool(((label[labelled] - label[labelled].mean()) * position[labelled]).sum() < 0)
