"""Tests of subgroups where few subjects carry a difference: the rule of
:mod:`kneeoa.contrasts.small_samples` for each group's difference and for the interaction.

A group has fewer subjects than the study, so the rule is met more often. The interaction of two
groups is one more sum over subjects, what they add in the one less what they add in the other; that
of more is tested by exchanging the two arms at random subject by subject, in all groups at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.multilabel import defined_findings
from kneeoa.contrasts.outcome import join, of_difference, of_limits
from kneeoa.contrasts.small_samples import case_parts, too_few_note, with_few_subjects
from kneeoa.statistics.influence_functions import PairedDifference
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.kernels import kernel_of
from kneeoa.statistics.sign_permutation import joint_sign_test
from kneeoa.statistics.subgroups import Interaction, Subgroup, Subgroups
from kneeoa.statistics.sufficiency import LEAST, effective_number


def with_few_in_groups(
    tested: Subgroups, name: str, sides: Sequence[LevelPredictions], rows: Mapping[str, Integers], confidence: float
) -> Subgroups:
    """``tested`` with p, z and interval of the sign permutation where few subjects carry a group's
    difference, or the interaction; its methods say so.

    Args:
        tested: the groups and their interaction, by tests that rest on the normal distribution.
        name: of the metric.
        sides: candidate and reference, on the same cases.
        rows: the places of each group's cases.
        confidence: of the intervals.
    """
    test = "delong" if kernel_of(name).delong is not None else "delta"
    parts = {group.name: _parts(name, sides, rows[group.name]) for group in tested.groups if group.result is not None}
    people = {group: sides[0].subjects[rows[group]] for group in parts}
    groups = [
        group if group.result is None else _group(group, group.result, test, parts[group.name], people[group.name], confidence)
        for group in tested.groups
    ]
    return Subgroups(tuple(groups), _interaction(tested.interaction, test, parts, people, confidence))


def _parts(name: str, sides: Sequence[LevelPredictions], rows: Integers) -> Floats:
    candidate, reference = (side.of_cases(rows) for side in sides)
    return case_parts(name, candidate, reference, defined_findings(name, [candidate, reference]) if candidate.findings else ())


def _group(group: Subgroup, result: PairedDifference, test: str, parts: Floats, subjects: NDArray[np.str_], confidence: float) -> Subgroup:
    few = with_few_subjects(of_difference(result, result.method), test, parts, subjects, confidence)
    log10_p = math.log10(few.p) if few.p > 0 else math.nan
    if few.note == result.method:
        return group
    tested = replace(result, z=few.statistic, p=few.p, log10_p=log10_p, low=few.low, high=few.high, method=few.note)
    return replace(group, result=tested)


def _interaction(
    tested: Interaction, test: str, parts: Mapping[str, Floats], subjects: Mapping[str, NDArray[np.str_]], confidence: float
) -> Interaction:
    if math.isnan(tested.p) or any(np.isnan(values).any() for values in parts.values()):
        return tested
    members = np.concatenate(list(subjects.values()))
    if len(parts) == 2:
        first, second = parts.values()
        outcome = of_limits(tested.difference, tested.low, tested.high, tested.p, tested.method)
        few = with_few_subjects(outcome, test, np.concatenate([first, -second]), members, confidence)
        if few.note == tested.method:
            return tested
        tested = replace(tested, low=few.low, high=few.high, p=few.p, log10_p=math.log10(few.p), statistic=few.statistic**2)
        return replace(tested, method=few.note, df=1, degenerate=False)
    people, codes = np.unique(members, return_inverse=True)
    places = np.split(codes, np.cumsum([values.size for values in parts.values()])[:-1])
    sums = np.stack([np.bincount(group_places, values, people.size) for group_places, values in zip(places, parts.values(), strict=True)])
    effective = min(effective_number(one - other) for one, other in itertools.combinations(sums, 2))
    if not 0.0 < effective < LEAST[test]:
        return tested
    joint = joint_sign_test(sums[:-1] - sums[-1])
    words = f"few subjects carry a difference of differences (effective number {effective:.1f}, below {LEAST[test]:g}): "
    words += f"{joint.drawn:,} random exchanges of the arms in the {joint.differing} subjects who differ"
    method = join(tested.method, words, too_few_note(joint.smallest_p, confidence))
    return replace(tested, method=method, statistic=joint.statistic, df=joint.df, p=joint.p, log10_p=math.log10(joint.p))
