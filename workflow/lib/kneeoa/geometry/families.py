"""What a position on an axis, or a probe of the whole embedding, is held against on the test
cases.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kneeoa.geometry.cases import Cases, Flags
from kneeoa.geometry.centroids import centroid_measures
from kneeoa.geometry.dimension import variance_measures
from kneeoa.geometry.estimates import Floats, Measures
from kneeoa.geometry.ordering import binary_measures, correlation_measures, grade_measures
from kneeoa.geometry.partial import partial_measures
from kneeoa.geometry.probes import auc_measures, kappa_measures, logistic_probe, regression_measures, ridge_probe

Family = tuple[str, Flags, Measures]
"""The name of what is held against, which of the cases have it, and the measures."""


def along_axis(position: Floats, direction: Floats, scaled: Floats, cases: Cases, test: Flags) -> Iterator[Family]:
    """Measures of one axis: against nothing, the grade, each binary level, the phantom's severity
    and the cartilage of the masks.
    """
    yield "", test, variance_measures(scaled[test], direction)
    graded = test & np.isfinite(cases.grade)
    classes = range(len(cases.level.classes))
    grade = cases.grade[graded].astype(np.int64)
    yield cases.level.name, graded, grade_measures(position[graded], grade, classes)
    yield cases.level.name, graded, centroid_measures(scaled[graded], direction, grade, classes)
    for name, label in cases.binary.items():
        known = test & np.isfinite(label)
        flip = _slope_is_negative(position[cases.train], label[cases.train])
        yield name, known, binary_measures(position[known], label[known] > 0, flip=flip)
    true = test & np.isfinite(cases.severity)
    if true.any():
        yield "latent_severity", true, correlation_measures(position[true], cases.severity[true])
    for name, amount in cases.cartilage.items():
        known = test & np.isfinite(amount)
        if known.any():
            yield name, known, correlation_measures(position[known], amount[known])
        both = known & graded
        if both.any():
            yield f"{name} given {cases.level.name}", both, partial_measures(position[both], amount[both], cases.grade[both])


def probed(scaled: Floats, cases: Cases, test: Flags, seed: int) -> Iterator[Family]:
    """Probes of the whole embedding, fitted on the training cases: of the grade (ridge, logistic)
    and of each binary level (logistic).
    """
    learn, graded = cases.train & np.isfinite(cases.grade), test & np.isfinite(cases.grade)
    grade, label = cases.grade[graded], cases.grade[learn].astype(np.int64)
    if len(set(label)) > 1 and graded.any():
        predicted = ridge_probe(scaled[learn], cases.grade[learn], cases.subjects[learn], scaled[graded])
        yield cases.level.name, graded, regression_measures(predicted, grade)
        chances = logistic_probe(scaled[learn], label, cases.subjects[learn], scaled[graded], seed=seed)
        yield cases.level.name, graded, kappa_measures(np.unique(label)[chances.argmax(axis=1)], grade.astype(np.int64))
    for name, values in cases.binary.items():
        learn, known = cases.train & np.isfinite(values), test & np.isfinite(values)
        if len(set(values[learn])) > 1 and known.any():
            chances = logistic_probe(scaled[learn], values[learn].astype(np.int64), cases.subjects[learn], scaled[known], seed=seed)
            yield name, known, auc_measures(chances[:, 1], values[known] > 0)


def _slope_is_negative(position: Floats, label: Floats) -> bool:
    """Sign of a one-dimensional logistic slope: the likelihood is concave, so it is the sign of the
    covariance (gradient at slope zero).
    """
    known = np.isfinite(label)
    if not known.any():
        return False
    return bool(((label[known] - label[known].mean()) * position[known]).sum() < 0)
