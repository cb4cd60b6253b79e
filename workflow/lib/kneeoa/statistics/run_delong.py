"""DeLong's tests, intervals and covariances of the AUCs of runs: from classes and probabilities to
the scores that each AUC ranks by.
"""

from __future__ import annotations

import functools

import numpy as np

from kneeoa.probabilities import class_odds, mean_class_rank
from kneeoa.statistics import ordinal
from kneeoa.statistics.delong import auc_covariance, auc_interval, paired_difference, weighted_contrast
from kneeoa.statistics.influence_functions import Estimate, PairedDifference
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.mean_auc import Average, ovr_auc_test
from kneeoa.statistics.metric_kernel import DeLong, Subjects
from kneeoa.statistics.run_influences import tail_odds


def _auc_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return auc_interval(truth, class_odds(probabilities, [1]).T, subjects, confidence=confidence)


def _auc_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    first, second = class_odds(a, [1]), class_odds(b, [1])
    weights = np.concatenate([np.full(len(first), 1.0 / len(first)), np.full(len(second), -1.0 / len(second))])
    result = weighted_contrast(truth, np.concatenate([first, second]).T, weights, subjects, confidence)
    return paired_difference(result, len(first))


def _auc_covariance(truth: Integers, probabilities: Floats, subjects: Subjects, cut: int) -> tuple[Floats, Floats]:
    both = auc_covariance(truth, class_odds(probabilities, [1]).T, subjects)
    return both.auc, both.covariance


def _rest_auc_test(
    truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int, average: Average
) -> PairedDifference:
    return ovr_auc_test(truth, a, b, average, subjects, confidence)


def _c_index_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return ordinal.c_index(truth, mean_class_rank(probabilities), subjects, confidence)


def _c_index_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    return ordinal.c_index_test(truth, mean_class_rank(a), mean_class_rank(b), subjects, confidence)


def _adjacent_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return ordinal.adjacent_auc(truth, mean_class_rank(probabilities), probabilities.shape[2], subjects, confidence)


def _adjacent_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    return ordinal.adjacent_auc_test(truth, mean_class_rank(a), mean_class_rank(b), a.shape[2], subjects, confidence)


def _cut_interval(truth: Integers, probabilities: Floats, subjects: Subjects, confidence: float, cut: int) -> Estimate:
    return ordinal.cut_auc(truth, tail_odds(probabilities, cut), cut, subjects, confidence)


def _cut_test(truth: Integers, a: Floats, b: Floats, subjects: Subjects, confidence: float, cut: int) -> PairedDifference:
    return ordinal.cut_auc_test(truth, tail_odds(a, cut), tail_odds(b, cut), cut, subjects, confidence)


def _cut_covariance(truth: Integers, probabilities: Floats, subjects: Subjects, cut: int) -> tuple[Floats, Floats]:
    both = auc_covariance((truth >= cut).astype(np.int64), tail_odds(probabilities, cut).T, subjects)
    return both.auc, both.covariance


def one_vs_rest(average: Average) -> DeLong:
    """Return the methods of the mean over classes of the AUC of a class against the rest."""
    return DeLong(test=functools.partial(_rest_auc_test, average=average))


AUC = DeLong(test=_auc_test, interval=_auc_interval, covariance=_auc_covariance)
"""AUC of the positive class of a binary level."""
C_INDEX = DeLong(test=_c_index_test, interval=_c_index_interval)
ADJACENT_AUC = DeLong(test=_adjacent_test, interval=_adjacent_interval)
CUT_AUC = DeLong(test=_cut_test, interval=_cut_interval, covariance=_cut_covariance)
"""AUC of a grade or more, at the cut that is handed on."""
