"""Measures of a position along an axis, and of probes of the whole embedding, on the test cases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kneeoa.geometry.between_centroid_share import centroid_measures
from kneeoa.geometry.cases import Cases, Flags
from kneeoa.geometry.dimensionality import variance_measures
from kneeoa.geometry.estimates import Floats, MeasureFamily
from kneeoa.geometry.partial_correlation import partial_measures
from kneeoa.geometry.probes import auc_measures, kappa_measures, logistic_probe, regression_measures, ridge_probe
from kneeoa.geometry.rank_measures import binary_measures, correlation_measures, grade_measures

Family = tuple[str, Flags, MeasureFamily]
"""Name of the variable compared with (empty: none), which cases have it, and the measures."""


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
