"""Joint variation of the differences of a family: the correlation of their influences, summed by
subject, which max-T adjusts by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.influence_metrics import sampled_runs
from kneeoa.contrasts.multilabel import defined_findings, mean_runs
from kneeoa.statistics.influence_functions import over_seeds
from kneeoa.statistics.inputs import Floats

Influence = Mapping[tuple[str, str], float]
"""Of each (cohort, subject): the sum of its cases' influences on a difference."""


def influence_on(name: str, candidate: LevelPredictions, reference: LevelPredictions, cohort: str) -> Influence:
    """The influence of every subject on a metric's difference, seeds averaged; empty where it is
    undefined.
    """
    sides = (candidate, reference)
    if candidate.findings:
        findings = defined_findings(name, list(sides))
        runs = [mean_runs(name, side, findings) for side in sides]
    else:
        runs = [sampled_runs(name, side) for side in sides]
    first, second = (over_seeds(each) for each in runs)
    gaps = first.influence - second.influence
    if not np.isfinite(gaps).all():
        return {}
    subjects, codes = np.unique(candidate.subjects, return_inverse=True)
    sums = np.bincount(codes, weights=gaps, minlength=subjects.size)
    return {(cohort, str(subject)): float(total) for subject, total in zip(subjects, sums, strict=True)}


def correlation_of(influences: Sequence[Influence | None]) -> Floats:
    """The correlation of differences by their influences, ``[m, m]``.

    A test without influences (one over random seeds, whose networks vary too) is taken as
    uncorrelated, which is on the safe side (:mod:`kneeoa.statistics.max_t`).
    """
    people = {person: place for place, person in enumerate(sorted({person for each in influences for person in each or ()}))}
    table = np.zeros((len(influences), len(people)))
    for row, each in zip(table, influences, strict=True):
        for person, value in (each or {}).items():
            row[people[person]] = value
    length = np.sqrt((table**2).sum(axis=1, keepdims=True))
    unit = np.divide(table, length, out=np.zeros_like(table), where=length > 0)
    correlation: Floats = np.clip(unit @ unit.T, -1.0, 1.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation
