"""Derive labels of the coarse levels of the hierarchy from the finer ones that a source offers."""

from __future__ import annotations

from dataclasses import replace

from kneeoa.cohorts.source import Reading
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError
from kneeoa.level_derivation import derive_label

Value = tuple[int | None, ...]


def readings_of_levels(offered: dict[str, Reading], levels: tuple[Level, ...]) -> dict[str, Reading]:
    """Readings by level: as offered, else grouped through ``parent_class`` from the child declared
    last that has one.

    Raises:
        KneeoaError: an offered class is not one of the level's.
    """
    readings: dict[str, Reading] = {}
    for level in reversed(levels):
        if level.name in offered:
            _check(level, offered[level.name].value)
            readings[level.name] = offered[level.name]
            continue
        children = [child for child in reversed(levels) if child.parent == level.name and child.name in readings]
        if children:
            child = readings[children[0].name]
            readings[level.name] = replace(child, value=parent_value(children[0], level, child.value))
    return readings


def parent_value(child: Level, parent: Level, value: Value) -> Value:
    """The parent's value for a child's ``value``.

    A finding (multilabel) that is present makes its parent's finding present, or its parent's class
    the highest of those present; an unread finding leaves the parent unread unless another one
    decides it.
    """
    groups = child.parent_class or ()
    if child.exclusive:
        if value[0] is None:
            return (None,) * parent.label_size
        parent_class = derive_label(value[0], groups)
        return (parent_class,) if parent.exclusive else tuple(int(index == parent_class) for index in range(len(parent.classes)))
    if not parent.exclusive:
        return tuple(
            _any([value[index] for index, group in enumerate(groups) if group == parent_class])
            for parent_class in range(len(parent.classes))
        )
    present = [groups[index] for index, finding in enumerate(value) if finding]
    if present:
        return (max(present),)
    return (None if None in value else 0,)


def _any(findings: list[int | None]) -> int | None:
    if any(findings):
        return 1
    return None if None in findings else 0


def is_value(level: Level, value: Value) -> bool:
    """Whether ``value`` has the level's number of entries, each one of its classes or None."""
    return len(value) == level.label_size and all(entry is None or 0 <= entry <= level.label_top for entry in value)


def _check(level: Level, value: Value) -> None:
    if not is_value(level, value):
        offered = f"level '{level.name}' has the classes {list(level.classes)}, but the source gives {list(value)}"
        raise KneeoaError(f"{offered}; declare the level with the source's own classes.")
