"""Does the difference between two models differ between subgroups? Differences per group and the
interaction test.

The test of interaction is on the differences of differences (Altman and Bland 2003, BMJ 326:219),
never on one group's p against another's. A subject can have cases in two groups (a left and a right
knee), so the groups' differences can be correlated: subject sums of influences are multiplied
across groups. Groups with too few cases of a class are not reported.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import PairedDifference, Sampled, difference_of, sums_within
from kneeoa.statistics.inputs import Floats, Integers, classes_of, cluster_codes, finite, same_length
from kneeoa.statistics.wald import NOISE, wald

LEAST_CASES = 10
"""Fewer cases of a class than this and a group is not reported."""

Measure = Callable[[Integers, Floats], Sampled]
"""truth and prediction of some cases -> a statistic and their influences on it."""
_Contrast = Callable[[Integers], tuple[PairedDifference, Floats]]
"""rows of a group -> the group's result and the rows' influences on its difference."""


@dataclass(frozen=True)
class Subgroup:
    """One group. ``result`` is None where the group is not reported, and ``suppressed`` says why;
    ``counts`` are cases by class.
    """

    name: str
    counts: tuple[int, ...]
    result: PairedDifference | None
    suppressed: str


@dataclass(frozen=True)
class Interaction:
    """Wald chi-squared test that the ``groups`` reported have one difference; for two, the first
    minus the second with limits.
    """

    groups: tuple[str, ...]
    difference: float
    low: float
    high: float
    statistic: float
    df: int
    p: float
    log10_p: float
    n: int
    subjects: int
    degenerate: bool
    method: str


@dataclass(frozen=True)
class Subgroups:
    """All groups, in the order of their names, and the test of interaction over those reported."""

    groups: tuple[Subgroup, ...]
    interaction: Interaction


def metric_subgroups(
    measure: Measure,
    truth: ArrayLike,
    prediction_a: ArrayLike,
    prediction_b: ArrayLike,
    groups: ArrayLike,
    classes: int = 2,
    cluster: ArrayLike | None = None,
    confidence: float = 0.95,
    least: int = LEAST_CASES,
) -> Subgroups:
    """Any smooth statistic a - b in every group and the interaction; other arguments and errors as
    :func:`auc_subgroups`.

    Args:
        measure: (truth, prediction) -> :class:`Sampled`, e.g.
            :func:`kneeoa.statistics.confusion.sampled_metric` with its metric and classes filled
            in.
        truth: ``[n]``.
        prediction_a: what ``measure`` takes, n rows.
        prediction_b: as ``prediction_a``.
        groups: ``[n]``.
        classes: of the truth.
        cluster: subject of each case, or None.
        confidence: of the intervals.
        least: cases that a group must have; for two classes, of each of them.
    """
    labels, first, second = classes_of(truth, classes), finite(prediction_a, "prediction_a"), finite(prediction_b, "prediction_b")
    same_length(labels.size, prediction_a=first, prediction_b=second)
    codes = cluster_codes(cluster, labels.size)

    def contrast(rows: Integers) -> tuple[PairedDifference, Floats]:
        group_codes = None if codes is None else cluster_codes(codes[rows], rows.size)
        a, b = measure(labels[rows], first[rows]), measure(labels[rows], second[rows])
        return difference_of(a, b, group_codes, confidence, "delta method"), a.influence - b.influence

    return _subgroups(contrast, labels, groups, codes, confidence, least, classes)


def _subgroups(
    contrast: _Contrast, labels: Integers, groups: ArrayLike, codes: Integers | None, confidence: float, least: int, classes: int
) -> Subgroups:
    names = np.asarray(groups)
    names = names.astype(str) if names.dtype == object else names
    same_length(labels.size, groups=names)
    if names.ndim != 1 or not labels.size:
        raise KneeoaError(f"groups: expected one value per case and a case, got shape {names.shape}.")
    tested: list[Subgroup] = []
    sums: list[Floats] = []  # of influences by subject, one array a reported group
    subjects = np.arange(labels.size) if codes is None else codes
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        counts = np.bincount(labels[rows], minlength=classes)
        suppressed = _too_few(counts, least)
        if suppressed:
            tested.append(Subgroup(str(name), tuple(counts.tolist()), None, suppressed))
            continue
        result, influence = contrast(rows)
        tested.append(Subgroup(str(name), tuple(counts.tolist()), result, ""))
        held = result.subjects
        root = math.sqrt(held / (held - 1)) if held > 1 else math.nan
        sums.append(root * sums_within(influence[:, None], subjects[rows], int(subjects.max()) + 1)[:, 0])
    reported = [group for group in tested if group.result is not None]
    return Subgroups(tuple(tested), _interaction(reported, sums, confidence))


def _too_few(counts: Integers, least: int) -> str:
    if counts.size > 2:
        return f"{counts.sum()} cases, fewer than {least}" if counts.sum() < least else ""
    for count, word in ((counts[1], "positive"), (counts[0], "negative")):
        if count < least:
            return f"{count} {word} cases, fewer than {least}"
    return ""


def _interaction(reported: list[Subgroup], sums: list[Floats], confidence: float) -> Interaction:
    results = [group.result for group in reported if group.result is not None]
    names = tuple(group.name for group in reported)
    n = sum(result.n for result in results)
    subjects = int(np.any([rows != 0 for rows in sums], axis=0).sum()) if sums else 0
    nan = math.nan

    def outcome(
        difference: float, low: float, high: float, statistic: float, df: int, p: float, degenerate: bool, method: str
    ) -> Interaction:
        log10_p = math.log10(p) if p > 0 else nan
        return Interaction(names, difference, low, high, statistic, df, p, log10_p, n, subjects, degenerate, method)

    if len(results) < 2:
        return outcome(nan, nan, nan, nan, 0, nan, False, "fewer than two groups are reported: no interaction")
    differences = np.array([result.difference for result in results])
    matrix = np.stack(sums) @ np.stack(sums).T
    matrix[np.diag_indices_from(matrix)] = [result.variance for result in results]
    contrast = np.eye(len(results) - 1, len(results)) * 1.0
    contrast[:, -1] = -1.0
    gaps, spread = contrast @ differences, contrast @ matrix @ contrast.T
    if np.isnan(spread).any() or np.isnan(gaps).any():
        return outcome(nan, nan, nan, nan, 0, nan, False, "a group's difference or variance is undefined")
    limits = wald(float(gaps[0]), float(spread[0, 0]), confidence) if len(results) == 2 else None
    low, high, gap = (limits.low, limits.high, float(gaps[0])) if limits else (nan, nan, nan)
    method = f"Wald chi-squared on {len(results) - 1} differences of differences"
    values, vectors = np.linalg.eigh(spread)
    used = values > 1e-10 * max(float(values[-1]), 0.0)
    along = vectors.T @ gaps
    if (np.abs(along[~used]) > NOISE).any():
        return outcome(gap, low, high, nan, int(used.sum()), nan, True, f"{method}; a difference without variance has no test")
    if not used.any():
        return outcome(gap, low, high, 0.0, 0, 1.0, True, f"{method}; nothing differs")
    statistic, df = float((along[used] ** 2 / values[used]).sum()), int(used.sum())
    return outcome(gap, low, high, statistic, df, max(float(chi2.sf(statistic, df)), sys.float_info.min), False, method)
