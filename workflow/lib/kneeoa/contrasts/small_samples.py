"""The rule of few subjects: the sign permutation test takes the place of a test that rests on the
normal distribution where few subjects carry a difference.

The rule: below an effective number of subjects (:mod:`kneeoa.statistics.sign_permutation`: 6 for
DeLong's test, 15 for the others), and of DeLong's test below 40 subjects in all, p is that of
exchanging the two arms subject by subject, and the interval is the score interval that agrees with
it; the row says so. Where no set of signs could give a significant p, the row says "too few".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as t_distribution

from kneeoa.config.metrics import CONSISTENCY_METRICS, metric_of_row
from kneeoa.contrasts.cases import LevelPredictions, places_in, runs_of
from kneeoa.contrasts.outcome import Outcome, join
from kneeoa.statistics.case_exchange import exchanged
from kneeoa.statistics.inputs import Floats, cluster_codes
from kneeoa.statistics.kernels import kernel_of
from kneeoa.statistics.score_intervals import paired_interval
from kneeoa.statistics.sign_permutation import LEAST, SignTest, effective_number, lack_of_subjects, sign_test
from kneeoa.statistics.wald import NOISE

_APART = "p and interval need not agree: the sum of the cases' parts has not the sign of the difference"


def case_parts(name: str, candidate: LevelPredictions, reference: LevelPredictions, findings: Sequence[int] = ()) -> Floats:
    """Return what each case adds to the difference of a metric, ``[n]``; of a multilabel level the
    mean over ``findings``. NaN where undefined.
    """
    if metric_of_row(name) in CONSISTENCY_METRICS and any(side.fine is None for side in (candidate, reference)):
        return np.full(candidate.truth.size, np.nan)
    if not candidate.findings:
        return exchanged(kernel_of(name), runs_of(name, candidate), runs_of(name, reference))
    parts: Floats = np.zeros(len(candidate.case_ids))
    for number in findings:
        first, second = candidate.findings[number], reference.findings[number]
        parts[places_in(candidate, first.case_ids)] += case_parts(name, first, second) / len(findings)
    return parts


def rankings_of(name: str) -> int:
    """Return 1 for an AUC, the cases of which are ranked before they are exchanged, and 0 for any
    other metric. (The parts of an average precision are ranks too, but come to its difference to
    second order alone, on the safe side: it rejects 3 to 4 % of true nulls.)
    """
    return int(kernel_of(name).delong is not None)


def with_few_subjects(outcome: Outcome, test: str, parts: Floats, subjects: ArrayLike, rankings: int, confidence: float) -> Outcome:
    """``outcome`` as it is where enough subjects carry the difference, or where it has no variance,
    else with the p and interval of the sign permutation.

    Its degrees of freedom are then the effective number less one, for tests against a margin and
    the detectable difference.

    Args:
        outcome: of a test that rests on the normal distribution, or on a bootstrap.
        test: which.
        parts: of each case (:func:`case_parts`).
        subjects: of each case.
        rankings: how often subjects were ranked for the parts (:func:`rankings_of`), once a group.
        confidence: of the interval.
    """
    if np.isnan(parts).any() or np.isnan(outcome.difference) or (outcome.degenerate and np.isnan(outcome.p)):
        return outcome
    sums = sums_of(parts, subjects)
    effective = effective_number(sums)
    lack = lack_of_subjects(test, sums.size, effective)
    if not lack or not sums.any():
        return outcome
    total = float(sums.sum())
    if total * outcome.difference > 0.0:
        parts, sums, total = parts * (outcome.difference / total), sums * (outcome.difference / total), outcome.difference
    signs = sign_test(sums, confidence, rankings=rankings)
    low, high = (limit + outcome.difference - total for limit in paired_interval(parts, sums, signs.critical, effective))
    agree = (signs.p < 1 - confidence) == (low > 0.0 or high < 0.0)
    return replace(
        outcome,
        low=low,
        high=high,
        p=signs.p,
        statistic=signs.z,
        df=max(effective - 1.0, 1.0),
        degenerate=False,
        note=join(outcome.note, few_note(signs, lack, confidence), "" if agree else _APART),
    )


def with_few_degrees(outcome: Outcome, parts: Floats, subjects: ArrayLike, confidence: float) -> Outcome:
    """``outcome`` of a test over random seeds, with no more degrees of freedom than the effective
    number of subjects less one where few subjects carry the difference; a bootstrap of subjects and
    seeds has infinitely many. Arguments as :func:`with_few_subjects`.
    """
    if np.isnan(parts).any() or not outcome.standard_error > 0.0:
        return outcome
    effective = effective_number(sums_of(parts, subjects))
    df = min(outcome.df, max(effective - 1.0, 1.0))
    if not 0.0 < effective < LEAST["seeds"] or not df < outcome.df:
        return outcome
    half = float(t_distribution.isf((1 - confidence) / 2, df)) * outcome.standard_error
    instead = "Student's t in place of percentiles" if math.isinf(outcome.df) else f"not {outcome.df:.3g}"
    words = f"few subjects carry the difference (effective number {effective:.1f}): {df:.1f} degrees of freedom, {instead}"
    return replace(
        outcome,
        low=outcome.difference - half,
        high=outcome.difference + half,
        p=2 * float(t_distribution.sf(abs(outcome.statistic), df)),
        df=df,
        note=join(outcome.note, words),
    )


def sums_of(parts: Floats, subjects: ArrayLike) -> Floats:
    """The sums of subjects ``[K]``, rounding of zero being zero."""
    codes = cluster_codes(subjects, parts.size)
    sums: Floats = parts.copy() if codes is None else np.bincount(codes, weights=parts).astype(np.float64)
    sums[np.abs(sums) <= NOISE * np.abs(parts).max(initial=0.0)] = 0.0
    return sums


def few_note(signs: SignTest, lack: str, confidence: float) -> str:
    """Say how many subjects carry the difference, and what their number allows."""
    words = f"few subjects carry the difference ({lack}): "
    words += f"sign permutation of the {signs.differing} who differ, score interval"
    return join(words, too_few_note(signs.smallest_p, confidence))


def too_few_note(smallest_p: float, confidence: float) -> str:
    """Say that no exchange of the arms could give a p below the level; empty where one could."""
    return f"too few for any p below {1 - confidence:.2g}" if smallest_p >= 1 - confidence else ""
