"""Which levels a set of heads can speak about: each its own, and every coarser level that its
classes group into.
"""

from __future__ import annotations

from kneeoa.config.hierarchy import Level


def groupings(levels: tuple[Level, ...], head: str) -> dict[str, tuple[int, ...]]:
    """For each level that ``head`` can speak about, the class of that level to which each class of
    the head belongs.

    Parents are followed as far as they go; multilabel findings exclude no one another, so nothing
    is summed from or into them.

    Args:
        levels: the study's levels, coarse to fine.
        head: the level whose head speaks.

    Returns:
        The head's own level first (the identity), then its parent, the parent's parent and so on.
    """
    declared = {level.name: level for level in levels}
    level = declared[head]
    found = {head: tuple(range(len(level.classes)))}
    while level.exclusive and level.parent is not None and level.parent_class is not None:
        groups = tuple(level.parent_class[index] for index in found[level.name])
        level = declared[level.parent]
        if not level.exclusive:
            break
        found[level.name] = groups
    return found
