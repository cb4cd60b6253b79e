"""Levels that a head predicts: its own, and every coarser level that its classes group into."""

from __future__ import annotations

from kneeoa.config.hierarchy import Level


def class_groupings(levels: tuple[Level, ...], head: str) -> dict[str, tuple[int, ...]]:
    """Groups of a head's classes at every level that it predicts: for each class of ``head``, the
    class of that level to which it belongs.

    Parents are followed as far as they go; multilabel findings do not exclude one another, so
    nothing is summed from or into them.

    Args:
        levels: the study's levels, coarse to fine.
        head: the level whose head it is.

    Returns:
        The head's own level first (the identity), then its parent, the parent's parent and so on.
    """
    declared = {level.name: level for level in levels}
    level = declared[head]
    by_level = {head: tuple(range(len(level.classes)))}
    while level.exclusive and level.parent is not None and level.parent_class is not None:
        groups = tuple(level.parent_class[index] for index in by_level[level.name])
        level = declared[level.parent]
        if not level.exclusive:
            break
        by_level[level.name] = groups
    return by_level
