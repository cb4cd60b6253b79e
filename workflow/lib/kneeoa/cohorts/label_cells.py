"""From the cells of a row to a level's label, by a column map."""

from __future__ import annotations

from collections.abc import Sequence

from kneeoa.cohorts.cells import integer, is_missing
from kneeoa.cohorts.readings import Value
from kneeoa.config.manifest import LabelColumns


def label(cells: Sequence[str], columns: LabelColumns) -> Value:
    """The label that a row's cells give.

    Args:
        cells: the cells of ``columns.names``, in that order.
        columns: what they mean.

    Returns:
        One entry, or one for each finding; None where unread.

    Raises:
        ValueError: a cell is none of the texts of ``values`` and no whole number.
    """
    if columns.separator is not None:
        return _listed(cells[0], columns)
    remaining = iter(cells)
    entries: list[int | None] = []
    for entry in columns.columns:
        grades = [_grade(next(remaining), columns) for _ in ((entry,) if isinstance(entry, str) else entry)]
        known = [grade for grade in grades if grade is not None]
        highest = max(known) if known else None
        if columns.at_least is not None and highest is not None:
            # A finding is absent only where every one of its columns was read.
            highest = 1 if highest >= columns.at_least else None if len(known) < len(grades) else 0
        entries.append(highest)
    return tuple(entries)


def _grade(cell: str, columns: LabelColumns) -> int | None:
    if cell in columns.missing:
        return None
    if cell in columns.values:
        return columns.values[cell]
    return integer(cell)


def _listed(cell: str, columns: LabelColumns) -> Value:
    """1 for each finding that the cell lists; an empty cell lists none, a missing one (``NA``, or
    of ``missing``) was not read.
    """
    width = 1 + max(index for index in columns.values.values() if index is not None)
    if cell in columns.missing or (cell and is_missing(cell)):
        return (None,) * width
    present = [0] * width
    for term in filter(None, (part.strip() for part in cell.split(columns.separator))):
        if term not in columns.values:
            raise ValueError(f"'{term}' is not among the findings of 'values' (null there leaves one out)")
        index = columns.values[term]
        if index is not None:
            present[index] = 1
    return tuple(present)
