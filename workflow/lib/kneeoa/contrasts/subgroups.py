"""Does the difference between arms differ between subgroups of cases? Each contrast's first metric,
group by group, and the interaction.

A group has fewer subjects than the study, so the rule is met more often. The interaction of two
groups is one more sum over subjects, what they add in the one less what they add in the other; that
of more is tested by exchanging the two arms at random subject by subject, in all groups at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kneeoa.config.hierarchy import Level
from kneeoa.config.metrics import class_of, rows_of
from kneeoa.config.statistics import Bands, Groups, Statistics
from kneeoa.contrasts.build import Pair, pairs_of
from kneeoa.contrasts.cases import LevelPredictions
from kneeoa.contrasts.multilabel import defined_findings, paired_runs
from kneeoa.contrasts.outcome import join, of_difference, of_limits, or_null
from kneeoa.contrasts.small_samples import case_parts, rankings_of, too_few_note, with_few_subjects
from kneeoa.errors import KneeoaError
from kneeoa.statistics.influence_functions import PairedDifference, Sampled, over_seeds
from kneeoa.statistics.inputs import Floats, Integers
from kneeoa.statistics.kernels import kernel_of
from kneeoa.statistics.sign_permutation import effective_number, joint_sign_test, lack_of_subjects
from kneeoa.statistics.subgroups import Interaction, Subgroup, Subgroups, metric_subgroups
from kneeoa.tables.cohort import CASES
from kneeoa.tables.runs import PREDICTIONS
from kneeoa.tables.statistics import SUBGROUPS

INTERACTION = "interaction"


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
        group
        if group.result is None
        else _permuted_group(group, group.result, test, parts[group.name], people[group.name], rankings_of(name), confidence)
        for group in tested.groups
    ]
    interaction = _permuted_interaction(tested.interaction, test, parts, people, rankings_of(name) * len(parts), confidence)
    return Subgroups(tuple(groups), interaction)


def _parts(name: str, sides: Sequence[LevelPredictions], rows: Integers) -> Floats:
    candidate, reference = (side.of_cases(rows) for side in sides)
    return case_parts(name, candidate, reference, defined_findings(name, [candidate, reference]) if candidate.findings else ())


def _permuted_group(
    group: Subgroup, result: PairedDifference, test: str, parts: Floats, subjects: NDArray[np.str_], rankings: int, confidence: float
) -> Subgroup:
    few = with_few_subjects(of_difference(result, result.method), test, parts, subjects, rankings, confidence)
    log10_p = math.log10(few.p) if few.p > 0 else math.nan
    if few.note == result.method:
        return group
    tested = replace(result, z=few.statistic, p=few.p, log10_p=log10_p, low=few.low, high=few.high, method=few.note)
    return replace(group, result=tested)


def _permuted_interaction(
    tested: Interaction,
    test: str,
    parts: Mapping[str, Floats],
    subjects: Mapping[str, NDArray[np.str_]],
    rankings: int,
    confidence: float,
) -> Interaction:
    if math.isnan(tested.p) or any(np.isnan(values).any() for values in parts.values()):
        return tested
    members = np.concatenate(list(subjects.values()))
    if len(parts) == 2:
        first, second = parts.values()
        outcome = of_limits(tested.difference, tested.low, tested.high, tested.p, tested.method)
        few = with_few_subjects(outcome, test, np.concatenate([first, -second]), members, rankings, confidence)
        if few.note == tested.method:
            return tested
        tested = replace(tested, low=few.low, high=few.high, p=few.p, log10_p=math.log10(few.p), statistic=few.statistic**2)
        return replace(tested, method=few.note, df=1, degenerate=False)
    people, codes = np.unique(members, return_inverse=True)
    places = np.split(codes, np.cumsum([values.size for values in parts.values()])[:-1])
    sums = np.stack([np.bincount(group_places, values, people.size) for group_places, values in zip(places, parts.values(), strict=True)])
    effective = min(effective_number(one - other) for one, other in itertools.combinations(sums, 2))
    lack = lack_of_subjects(test, people.size, effective)
    if not lack or not effective > 0.0:
        return tested
    joint = joint_sign_test(sums[:-1] - sums[-1], rankings)
    words = f"few subjects carry a difference of differences ({lack}): "
    words += f"{joint.drawn:,} random exchanges of the arms in the {joint.differing} subjects who differ"
    method = join(tested.method, words, too_few_note(joint.smallest_p, confidence))
    return replace(tested, method=method, statistic=joint.statistic, df=joint.df, p=joint.p, log10_p=math.log10(joint.p))


def build_subgroups(
    prediction_files: list[Path],
    case_files: list[Path],
    arms: Mapping[str, Mapping[str, Any]],
    levels: tuple[Level, ...],
    statistics: Statistics,
    out: Path,
) -> None:
    """Write SUBGROUPS: per contrast, pair of arms, cohort and attribute a row for each group and
    one for the test of interaction.

    Of a metric with several rows the first is compared: the first cut or class, the mean over
    findings. Seeds are averaged and fixed. Groups with fewer than ten cases (of a binary level: of
    either class) are rows without numbers. Cases without a value, or in no group that the
    configuration names, are in no group; the interaction's note counts them.

    Args:
        prediction_files: PREDICTIONS tables of all arms.
        case_files: CASES tables; none for imported predictions, which have sides and labels alone.
        arms: arm name -> factors.
        levels: the hierarchy.
        statistics: contrasts and subgroups.
        out: file to write.

    Raises:
        KneeoaError: as :func:`kneeoa.contrasts.build.build_contrasts`, or an attribute that no
            table holds.
    """
    frame = PREDICTIONS.concat(prediction_files)
    cases = CASES.concat(case_files)
    rows: list[dict[str, Any]] = []
    for pair in pairs_of(frame, arms, levels, statistics):
        for attribute, groups in statistics.subgroups.items():
            values = _values(attribute, pair, frame, cases, levels)
            rows += _rows(pair, attribute, _names(values, groups), statistics)
    SUBGROUPS.write(out, rows)


def _values(attribute: str, pair: Pair, frame: pd.DataFrame, cases: pd.DataFrame, levels: tuple[Level, ...]) -> pd.Series:
    """The attribute of the pair's cases, in their order; NA where unknown.

    Raises:
        KneeoaError: no table holds the attribute.
    """
    if attribute in {level.name for level in levels}:
        of_level = frame[(frame["level"] == attribute) & (frame["cohort"] == pair.cohort)].drop_duplicates("case_id").set_index("case_id")
        attributes = of_level["truth"].map(lambda labels: labels[0] if len(labels) == 1 else None)
    elif attribute in cases.columns and len(cases):
        attributes = cases[cases["cohort"] == pair.cohort].set_index("case_id")[attribute]
    elif attribute == "side":
        attributes = frame[frame["cohort"] == pair.cohort].drop_duplicates("case_id").set_index("case_id")["side"]
    else:
        raise KneeoaError(f"'statistics.subgroups' names '{attribute}', which neither the cases tables nor the predictions hold.")
    return attributes.reindex(list(pair.candidate.case_ids))


def _names(values: pd.Series, groups: Groups) -> list[str | None]:
    """The group of each value; None where it has none."""
    if isinstance(groups, Bands):
        limits = groups.bands
        last = len(limits) - 2

        def band(value: Any) -> str | None:
            place = int(np.searchsorted(limits, float(value), side="right")) - 1
            place = last if float(value) == limits[-1] else place
            return f"{limits[place]:g} to {limits[place + 1]:g}" if 0 <= place <= last else None

        return [None if pd.isna(value) else band(value) for value in values]
    allowed = None if groups == "all" else {str(group) for group in groups}
    texts = [None if pd.isna(value) else f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return [text if text is not None and (allowed is None or text in allowed) else None for text in texts]


def _rows(pair: Pair, attribute: str, names: list[str | None], statistics: Statistics) -> Iterator[dict[str, Any]]:
    metric = rows_of(next(iter(pair.contrast.tests)), pair.candidate.level)[0]
    label = class_of(metric)
    compared = [side if label is None else side.of_class(label) for side in (pair.candidate, pair.reference)]
    name = metric if label is None else metric.partition("[")[0]
    places_of = dict(zip(pair.candidate.case_ids, names, strict=True))
    names = [places_of[case] for case in compared[0].case_ids]
    rows = np.array([place for place, group in enumerate(names) if group is not None], dtype=np.int64)
    base = {
        **pair.columns,
        "metric": metric,
        "attribute": attribute,
        "seeds": min(len(pair.candidate.seeds), len(pair.reference.seeds)),
    }
    if not rows.size:
        yield {**base, **_blank("no case is in a group"), "group": INTERACTION}
        return
    sides = [side.of_cases(rows) for side in compared]

    def measure(_: Integers, chosen: Floats) -> Sampled:
        """``chosen`` ``[m, 2]``: which side, and which of its cases."""
        both = [side.of_cases(chosen[:, 1].astype(np.int64)) for side in sides]
        return over_seeds(paired_runs(name, both)[int(chosen[0, 0])])

    groups = np.array([names[row] for row in rows], dtype=str)
    places = np.arange(rows.size, dtype=np.float64)
    marked = [np.stack([np.full(rows.size, float(number)), places], axis=1) for number in (0, 1)]
    tested = metric_subgroups(
        measure,
        _classes(sides[0]),
        marked[0],
        marked[1],
        groups,
        len(sides[0].level.classes) + bool(sides[0].findings),
        sides[0].subjects,
        statistics.confidence,
    )
    compared_rows = {group.name: np.flatnonzero(groups == group.name) for group in tested.groups}
    tested = with_few_in_groups(tested, name, sides, compared_rows, statistics.confidence)
    for group in tested.groups:
        yield {**base, **_group(group)}
    yield {**base, **_interaction(tested.interaction, len(names) - rows.size)}


def _classes(predictions: LevelPredictions) -> Integers:
    """The class of each case; of a multilabel level how many of its findings are there."""
    return (predictions.truth == 1).sum(axis=1) if predictions.findings else predictions.truth


def _blank(note: str) -> dict[str, Any]:
    numbers = ("estimate_reference", "estimate_candidate", "difference", "low", "high", "p", "statistic", "df")
    return dict.fromkeys(numbers) | {"counts": "", "cases": 0, "subjects": 0, "suppressed": False, "note": note}


def _group(group: Subgroup) -> dict[str, Any]:
    counts = ", ".join(str(count) for count in group.counts)
    row = _blank(group.suppressed) | {"group": group.name, "counts": counts, "cases": sum(group.counts)}
    if group.result is None:
        return row | {"suppressed": True}
    result = group.result
    values = {"estimate_reference": result.estimate_b, "estimate_candidate": result.estimate_a, "difference": result.difference}
    values |= {"low": result.low, "high": result.high, "p": result.p, "statistic": result.z}
    return row | {key: or_null(value) for key, value in values.items()} | {"subjects": result.subjects, "note": result.method}


def _interaction(tested: Interaction, lost: int) -> dict[str, Any]:
    values = {"difference": tested.difference, "low": tested.low, "high": tested.high, "p": tested.p, "statistic": tested.statistic}
    note = "; ".join(filter(None, [tested.method, f"{lost} cases in no group" if lost else ""]))
    row = _blank(note) | {key: or_null(value) for key, value in values.items()}
    return row | {"group": INTERACTION, "df": tested.df, "cases": tested.n, "subjects": tested.subjects}
