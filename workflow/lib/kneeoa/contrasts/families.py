"""The primary comparison, and families of tests that are corrected together, once all rows are
known.

One row speaks for a metric in its family. Where a test over random seeds exists it is that row, and
the metric's fixed-seed tests, which say nothing of networks that were not trained, belong to no
family.

max-T adjusts by the correlation of the influences of a family's differences, summed by subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kneeoa.config.metrics import metric_of_row
from kneeoa.config.pairs import ArmPair, Arms, primary_pair
from kneeoa.config.statistics import Contrast, Family, Primary, Statistics
from kneeoa.contrasts.cases import LevelPredictions, sampled_runs
from kneeoa.contrasts.multilabel import defined_findings, mean_runs
from kneeoa.statistics.influence_functions import over_seeds
from kneeoa.statistics.inputs import Floats
from kneeoa.statistics.multiplicity import adjust, max_t

NO_FAMILY = "none"
PRIMARY = "primary"
MAX_T = "max_t"
INFLUENCE = "influence"
"""The subjects' influences on a row's difference (:mod:`kneeoa.contrasts.families`)."""
_OF_MARGIN = ("non_inferiority", "equivalence")

Influence = Mapping[tuple[str, str], float]
"""Sum of the cases' influences on a difference, of each (cohort, subject)."""


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
    uncorrelated, which is on the safe side (:mod:`kneeoa.statistics.multiplicity`).
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


def takes(primary: Primary | None, contrast: Contrast, pair: ArmPair, arms: Arms) -> bool:
    """Whether the primary comparison takes a pair of a contrast, cohort and metric apart."""
    return primary is not None and primary.contrast == contrast.name and primary_pair(primary, pair, contrast.factor, arms)


def correct(rows: list[dict[str, Any]], statistics: Statistics, primary: Sequence[bool] | None = None) -> list[dict[str, Any]]:
    """The rows with family, adjustment, m and p_adjusted added.

    The primary family holds one row for each pair of arms and cohort that ``statistics.primary``
    leaves open, and for each class or cut of a metric that has no row for all of them: unadjusted
    where it is one, else by Holm. Any other row joins the first family that lists its test and,
    where given, its contrast and metric; a family spans arms, cohorts, classes and findings. The
    first test of each metric of a contrast with several candidates, where no family lists it, joins
    a family of the contrast's own name, by Holm. A row over random seeds joins as its metric's own
    tests would have. m is the number of the family's defined tests. A row in no family has family
    and adjustment "none", m 1 and no p_adjusted.

    Args:
        rows: each with contrast, backbone, cohort, metric, test, note and p (None where undefined),
            a metric's tests in a row; and, for a family adjusted by max-T, :data:`INFLUENCE`.
        statistics: primary and families.
        primary: whether the primary comparison takes the row's pair of arms (:func:`takes`);
            default: by its contrast and backbone.
    """
    pairs = [_of_primary(row, statistics.primary) for row in rows] if primary is None else primary
    named = _primary_names(rows, statistics.primary)
    pairs = [taken and row["metric"] in named for row, taken in zip(rows, pairs, strict=True)]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    joined = [_family(row, groups[_key(row)], statistics, taken) for row, taken in zip(rows, pairs, strict=True)]
    corrected = [{**row, "family": NO_FAMILY, "adjustment": "none", "m": 1, "p_adjusted": None} for row in rows]
    for row, name in zip(corrected, joined, strict=True):
        if name == NO_FAMILY and _superseded(row, groups[_key(row)]):
            row["note"] = "; ".join(filter(None, [row["note"], "seeds are fixed: in no family, the test over random seeds is"]))
    methods = {family.name: str(family.adjust) for family in statistics.families}
    methods |= {name: "holm" for name in joined if name not in (*methods, PRIMARY, NO_FAMILY)}
    methods[PRIMARY] = methods.get(PRIMARY, "none" if joined.count(PRIMARY) < 2 else "holm")
    for name, method in methods.items():
        members = [index for index, joins in enumerate(joined) if joins == name]
        raw = np.array([np.nan if rows[index]["p"] is None else rows[index]["p"] for index in members], dtype=np.float64)
        count = int((~np.isnan(raw)).sum())
        if method == MAX_T:
            adjusted = max_t(raw, correlation_of([rows[index].get(INFLUENCE) for index in members]))
        else:
            adjusted = adjust(raw, method)  # type: ignore[arg-type]
        for index, value in zip(members, adjusted, strict=True):
            p_adjusted = None if np.isnan(value) else float(value)
            corrected[index] |= {"family": name, "adjustment": method, "m": count, "p_adjusted": p_adjusted}
    for row in corrected:
        row.pop(INFLUENCE, None)
    return corrected


def _family(row: dict[str, Any], group: list[dict[str, Any]], statistics: Statistics, primary: bool) -> str:
    """The name of the family that a row joins; ``group``: the rows of its contrast, backbone,
    cohort and metric.
    """
    if _superseded(row, group):
        return NO_FAMILY
    lead = next(one for one in group if not _superseded(one, group))
    if row is lead and primary and statistics.primary is not None and statistics.primary.cohort in (None, row["cohort"]):
        return PRIMARY
    tests = {row["test"]}
    if row["test"] == "seeds":
        tests |= {one["test"] for one in group if one["test"] not in _OF_MARGIN}
    several = [one.name for one in statistics.contrasts if one.name == row["contrast"] and row is lead and len(one.candidates) > 1]
    return next((family.name for family in statistics.families if _belongs(row, tests, family)), (several or [NO_FAMILY])[0])


def _superseded(row: dict[str, Any], group: list[dict[str, Any]]) -> bool:
    return row["test"] not in ("seeds", *_OF_MARGIN) and any(one["test"] == "seeds" for one in group)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["contrast"], row["candidate"], row["reference"], row["cohort"], row["metric"]


def _of_primary(row: dict[str, Any], primary: Primary | None) -> bool:
    return primary is not None and row["contrast"] == primary.contrast and primary.backbone in (None, row["backbone"])


def _primary_names(rows: list[dict[str, Any]], primary: Primary | None) -> set[str]:
    """Return the names of the primary metric's rows: as itself, of a multilabel level the mean over
    findings; else as each of its classes or cuts.
    """
    if primary is None:
        return set()
    names = {row["metric"] for row in rows if row["contrast"] == primary.contrast}
    return {primary.metric} & names or {name for name in names if metric_of_row(name) == primary.metric}


def _belongs(row: dict[str, Any], tests: set[str], family: Family) -> bool:
    return (
        bool(tests & set(family.tests))
        and (family.contrasts is None or row["contrast"] in family.contrasts)
        and (family.metrics is None or metric_of_row(row["metric"]) in family.metrics)
    )
