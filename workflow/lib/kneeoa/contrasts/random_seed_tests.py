"""Tests beyond these very networks: over random seeds, where there are three or more, and against a
margin.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kneeoa.config.metrics import LOWER_IS_BETTER, metric_of_row
from kneeoa.config.statistics import Statistics
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.metrics import undefined_note
from kneeoa.contrasts.multilabel import defined_findings, findings_note, paired_runs
from kneeoa.contrasts.outcome import Outcome, join
from kneeoa.contrasts.small_samples import case_parts, with_few_degrees
from kneeoa.statistics.equivalence import equivalence, non_inferiority
from kneeoa.statistics.influence_functions import covariance, notes_of_two, over_seeds
from kneeoa.statistics.inputs import Floats, cluster_codes
from kneeoa.statistics.kernels import cut_in, kernel_of
from kneeoa.statistics.seeds import LEAST_SEEDS, mode_effect


def shared_seeds(candidate: LevelPredictions, reference: LevelPredictions) -> list[int]:
    """The seeds that both arms were trained with; none for imports and ensembles."""
    return [seed for seed in candidate.seeds if seed is not None and seed in reference.seeds]


def over_random_seeds(
    name: str,
    candidate: LevelPredictions,
    reference: LevelPredictions,
    statistics: Statistics,
    parts_of: Callable[[str], Floats] | None = None,
) -> Outcome | None:
    """The difference for networks trained with other seeds, seeds matched across modes; None with
    fewer than three shared seeds.

    Obuchowski and Rockette's analysis of variance with Hillis' degrees of freedom
    (:mod:`kneeoa.statistics.seeds`).

    Args:
        name: a row's name of the metric.
        candidate: an arm's predictions.
        reference: another's, of the same cases.
        statistics: the confidence.
        parts_of: what each case adds to the difference of a metric between the two, where the
            caller has that (:func:`kneeoa.contrasts.small_samples.case_parts`).
    """
    seeds = shared_seeds(candidate, reference)
    if len(seeds) < LEAST_SEEDS:
        return None
    sides = [side.of_seeds(seeds) for side in (candidate, reference)]
    values, sigma = _joint(name, sides)
    effect = mode_effect(values.reshape(2, len(seeds)), sigma, matched=True, confidence=statistics.confidence)
    random, parts = effect.random, effect.components
    note = f"{effect.reason}; " if effect.reason else ""
    note += f"{random.method}; candidate above reference in {effect.superiority:.0%} of the {len(seeds)} seeds"
    note += f"; variance: subjects {parts.test_sampling:.3g}, seeds {parts.seed:.3g}, arm x seed {parts.mode_seed:.3g}"
    note += f"; fixed seeds alone: p {effect.fixed.p:.3g}"
    outcome = Outcome(
        estimate_reference=effect.mean[1],
        estimate_candidate=effect.mean[0],
        difference=random.difference,
        low=random.low,
        high=random.high,
        p=random.p,
        statistic=random.t,
        standard_error=random.standard_error,
        df=random.df,
        degenerate=random.degenerate,
        generalises="subjects and seeds",
        note=join(
            undefined_note(candidate, name),
            _means(name, candidate, reference),
            note,
            _remarks(name, sides),
            "no test: no variance" if random.degenerate and effect.mean[0] != effect.mean[1] else "",
        ),
    )
    if math.isnan(outcome.difference):
        return outcome
    if parts_of is not None and sides[0] is candidate and sides[1] is reference and not candidate.findings:
        parts_of_cases = parts_of(name)
    else:
        parts_of_cases = case_parts(name, sides[0], sides[1], defined_findings(name, sides))
    return with_few_degrees(outcome, parts_of_cases, candidate.subjects, statistics.confidence)


def _remarks(name: str, sides: list[LevelPredictions]) -> str:
    """Say why the metric is undefined in an arm, or how it was computed where that needs words."""
    return notes_of_two(*(over_seeds(runs).note for runs in paired_runs(name, sides)))


def _joint(name: str, sides: list[LevelPredictions]) -> tuple[Floats, Floats]:
    """The metric of every run ``[2 S]``, the first side's seeds first, and its covariance ``[2 S, 2
    S]``.
    """
    truth, subjects = sides[0].truth, sides[0].subjects
    method = kernel_of(name).delong
    if method is not None and method.covariance is not None and not sides[0].findings:
        return method.covariance(truth, np.concatenate([side.probabilities for side in sides]), subjects, cut_in(name))
    members = [run for runs in paired_runs(name, sides) for run in runs]
    return np.array([run.value for run in members]), covariance(members, cluster_codes(subjects, subjects.size))


def _means(name: str, candidate: LevelPredictions, reference: LevelPredictions) -> str:
    """Over which findings a mean is; empty on any other level."""
    return findings_note(candidate, defined_findings(name, [candidate, reference])) if candidate.findings else ""


def against_margin(name: str, lead: Outcome, margin: float, confidence: float) -> dict[str, Outcome]:
    """Non-inferiority (one-sided at half of 1 - confidence) and equivalence (two one-sided tests at
    1 - confidence), by test.

    Args:
        name: the metric; decides which end is better.
        lead: the difference with its standard error and degrees of freedom: over random seeds where
            there are enough.
        margin: above 0, in the metric's unit.
        confidence: of the study's intervals.
    """
    difference, error, df = lead.difference, lead.standard_error, lead.df
    blank = replace(lead, p=math.nan, low=math.nan, high=math.nan, statistic=math.nan, margin=margin, verdict="undefined")
    if math.isnan(error) or math.isnan(difference) or math.isnan(df):
        return {"non_inferiority": blank, "equivalence": blank}
    alpha = 1 - confidence
    better = metric_of_row(name) not in LOWER_IS_BETTER
    tests = {
        "non_inferiority": non_inferiority(difference, error, margin, alpha / 2, df, better),
        "equivalence": equivalence(difference, error, margin, alpha, df),
    }
    words = {
        "non_inferiority": (f"non-inferior: worse by less than {margin:g}", f"non-inferiority within {margin:g} not shown"),
        "equivalence": (f"equivalent within {margin:g}", f"equivalence within {margin:g} not shown"),
    }
    return {
        test: replace(
            lead,
            low=result.low,
            high=result.high,
            p=result.p,
            statistic=result.z,
            degenerate=result.degenerate,
            margin=margin,
            verdict=words[test][0 if result.established else 1],
            note=f"{result.method}; interval of {1 - 2 * result.alpha:.0%}",
        )
        for test, result in tests.items()
    }
