"""Settle several readings of one knee: the label that counts, and whether they agree."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from kneeoa.cohorts.source import Reading

Value = tuple[int | None, ...]


@dataclass(frozen=True)
class Vote:
    """One reading of a knee's level."""

    value: Value
    """Class index; one entry for each finding of a multilabel level, None where unread."""
    project: int | str | None = None
    """The reading project, where the source gives it: a number, or a name such as ``63A``."""


def union_of_rows(votes: Sequence[Vote]) -> list[Vote]:
    """Merge the rows of each project into one vote: each finding as the highest of its rows, None
    where no row reads it.
    """
    merged: dict[int | str | None, Value] = {}
    for vote in votes:
        earlier = merged.get(vote.project, vote.value)
        merged[vote.project] = tuple(_highest(pair) for pair in zip(earlier, vote.value, strict=True))
    return [Vote(value, project) for project, value in merged.items()]


def _highest(entries: Sequence[int | None]) -> int | None:
    return max((entry for entry in entries if entry is not None), default=None)


def rows_differ(votes: Sequence[Vote]) -> bool:
    """Whether a project gives a knee two different labels."""
    read = {(vote.project, vote.value) for vote in votes if any(entry is not None for entry in vote.value)}
    return len({project for project, _ in read}) < len(read)


def settle_readings(votes: Sequence[Vote], rule: str, projects: Sequence[int | str] = ()) -> Reading | None:
    """Settle a knee's readings, given in the order of the table, into one label; None where nobody
    read anything.

    - ``preferred``: the reading of the first of ``projects`` that read the knee; without one, of
      the project with the lowest number; within a project the first in the table. A reading without
      a project comes last.
    - ``first``: the first in the table.
    - ``median``: entry by entry the median; of an even number the lower one in the middle, so that
      it is a class and never too severe.
    - ``unanimous``: the label where all readings agree, else a reading without a value, so that the
      level is missing.
    """
    read = [vote for vote in votes if any(entry is not None for entry in vote.value)]
    if not read:
        return None
    values = list(dict.fromkeys(vote.value for vote in read))
    disagree = len(values) > 1
    if rule == "unanimous" and disagree:
        value: Value = (None,) * len(values[0])
    elif rule == "median":
        value = tuple(_median([vote.value[place] for vote in read]) for place in range(len(values[0])))
    elif rule == "preferred":
        value = min(read, key=lambda vote: _rank(vote.project, projects)).value
    else:
        value = read[0].value
    return Reading(
        value, len(read), disagree, tuple(f"{'' if vote.project is None else vote.project}:{_value_text(vote.value)}" for vote in read)
    )


def project_order(projects: int | str | tuple[int | str, ...] | None) -> tuple[int | str, ...]:
    """The order of preference as the configuration gives it: nothing, one project, or several."""
    return () if projects is None else (projects,) if isinstance(projects, int | str) else projects


def _rank(project: int | str | None, projects: Sequence[int | str]) -> tuple[int, bool, float, str]:
    """The place among ``projects``, else behind them by number, then by letters."""
    if project is None:
        return len(projects), True, 0, ""
    place = next((place for place, preferred in enumerate(projects) if str(preferred) == str(project)), len(projects))
    digits = re.match(r"-?\d+", str(project))
    return place, False, int(digits[0]) if digits else math.inf, str(project)


def _median(entries: list[int | None]) -> int | None:
    read_entries = [entry for entry in entries if entry is not None]
    return statistics.median_low(read_entries) if read_entries else None


def _value_text(value: Value) -> str:
    return ",".join("?" if entry is None else str(entry) for entry in value)
