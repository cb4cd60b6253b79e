"""Parse the cells of a row into a level's label, by a column map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kneeoa.cohorts.cells import integer, is_among, is_missing, kl_grade, look_up_cell, numeric
from kneeoa.cohorts.readings import Value
from kneeoa.config.manifest import LabelColumns


def parse_label(cells: Sequence[str], columns: LabelColumns) -> Value:
    """The label that the cells of a row give.

    Args:
        cells: the cells of ``columns.names``, in that order.
        columns: their meaning.

    Returns:
        One entry, or one for each finding; None where unread.

    Raises:
        ValueError: a cell is none of the texts of ``values``; or, without them, neither a whole
            number, the name of a class nor a grade such as ``KL2``.
    """
    if columns.separator is not None:
        return _listed(cells[0], columns)
    remaining = iter(cells)
    entries: list[int | None] = []
    for entry in columns.columns:
        grades = [_grade(next(remaining), columns) for _ in ((entry,) if isinstance(entry, str) else entry)]
        read_grades = [grade for grade in grades if grade is not None]
        highest = max(read_grades) if read_grades else None
        if columns.at_least is not None and highest is not None:
            # A finding is absent only where every one of its columns was read.
            highest = 1 if highest >= columns.at_least else None if len(read_grades) < len(grades) else 0
        entries.append(highest)
    return tuple(entries)


def _grade(cell: str, columns: LabelColumns) -> int | None:
    if is_among(cell, columns.missing):
        return None
    # Without values a number is a class's place, whatever the classes are called.
    names = {name: place for place, name in enumerate(columns.class_names) if numeric(name) is None}
    try:
        return look_up_cell(cell, columns.values or names)
    except KeyError:
        if _lists_every_code(columns.values) and not is_missing(cell):
            raise ValueError(f"'{cell}' is none of the cells that 'values' gives, {list(columns.values)}") from None
    grade = kl_grade(cell)
    return integer(cell) if grade is None else grade


def _lists_every_code(values: Mapping[str, int | None]) -> bool:
    """Whether ``values`` give the meanings of the source's codes, so that no other whole number is
    a code; a grade between two (``1.9``) and a code for "no label" leave the whole numbers alone.
    """
    return any(meaning is not None and (numeric(key) or 0.0).is_integer() for key, meaning in values.items())


def _listed(cell: str, columns: LabelColumns) -> Value:
    """1 for each finding that the cell lists; an empty cell lists none, a missing one (``NA``, or
    of ``missing``) was not read.
    """
    width = 1 + max(index for index in columns.values.values() if index is not None)
    if is_among(cell, columns.missing) or (cell and is_missing(cell)):
        return (None,) * width
    present = [0] * width
    for term in filter(None, (part.strip() for part in cell.split(columns.separator))):
        try:
            index = look_up_cell(term, columns.values)
        except KeyError:
            raise ValueError(f"'{term}' is not among the findings of 'values' (null there leaves one out)") from None
        if index is not None:
            present[index] = 1
    return tuple(present)
