"""Declarations of which cohorts have people in common, needed where ids of two cohorts overlap."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BeforeValidator

from kneeoa.config.section import Name


def _groups(value: Any) -> Any:
    """Accept a single group without its own brackets."""
    flat = isinstance(value, list | tuple) and value and all(isinstance(entry, str) for entry in value)
    return [value] if flat else value


Groups = Annotated[tuple[tuple[Name, ...], ...], BeforeValidator(_groups)]
"""Groups of cohorts: `[a, b]`, or `[[a, b], [a, c]]`."""


def cohort_pairs(groups: Collection[tuple[str, ...]]) -> set[frozenset[str]]:
    """All pairs of cohorts that are in the same group."""
    return {frozenset(pair) for group in groups for pair in itertools.combinations(group, 2)}


def cohorts_with_same_people(cohort: str, same_people: Collection[tuple[str, ...]]) -> set[str]:
    """The cohorts that have the same people under the same ids as ``cohort``, directly or through
    others.
    """
    reached, pending = {cohort}, {cohort}
    while pending:
        pending = {other for group in same_people if pending & set(group) for other in group} - reached
        reached |= pending
    return reached - {cohort}


def undeclared_cohorts(
    cohort: str, others: Collection[str], same: Collection[tuple[str, ...]], distinct: Collection[tuple[str, ...]]
) -> list[str]:
    """Those of ``others`` for which the study does not declare whether ``cohort`` has people in
    common with them.
    """
    stated = cohorts_with_same_people(cohort, same) | {other for pair in cohort_pairs(distinct) if cohort in pair for other in pair}
    return [other for other in others if other != cohort and other not in stated]


def check_people(same: Collection[tuple[str, ...]], distinct: Collection[tuple[str, ...]], cohorts: Collection[str]) -> None:
    """Check a study's declarations of its cohorts' people.

    Raises:
        ValueError: a cohort is not known, a group has only one cohort, or two cohorts are declared
            both same and distinct.
    """
    for key, groups in (("same_people", same), ("distinct_people", distinct)):
        for group in groups:
            unknown = [name for name in group if name not in cohorts]
            if unknown:
                raise ValueError(f"'{key}' names '{unknown[0]}'; the cohorts are {', '.join(cohorts) or 'none'}")
            if len(group) < 2 or len(set(group)) < len(group):
                raise ValueError(f"'{key}' holds {list(group)}; it takes two different cohorts or more")
    for pair in cohort_pairs(distinct):
        first, second = sorted(pair)
        if second in cohorts_with_same_people(first, same):
            raise ValueError(f"'{first}' and '{second}' cannot have both 'same_people' and 'distinct_people'")


def overlap_message(first: str, second: str, shared: Collection[str]) -> str:
    """The message about ids that are in two cohorts without a declaration."""
    some = ", ".join(sorted(shared)[:3])
    return (
        f"{len(shared)} ids are both in cohort '{first}' and in cohort '{second}' ({some}{', ...' if len(shared) > 3 else ''}): say "
        f"'same_people: [{first}, {second}]' where an id is the same person in both, so that nobody is tested who was trained on, or "
        f"'distinct_people: [{first}, {second}]' where it is not."
    )
