"""Declaration of a kind of level. Cheap to import: the configuration asks it at each start."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LevelKind:
    """All that distinguishes the levels of one kind from those of another. Code asks for these
    properties and compares no names, so that a new kind is a new file.
    """

    exclusive: bool
    """A case has one of the classes: its label is one number, probabilities sum to 1 (a softmax),
    and coarser levels are read from it. Otherwise each class is a finding by itself: a label of 0
    or 1 and a probability (a sigmoid) for each.
    """
    ordered: bool = False
    """The classes are grades, from least to most: they have cuts, distances and a severity axis."""
    binary: bool = False
    """Two classes, the second of which is called at a threshold: one yes-or-no question."""
    losses: tuple[str, ...]
    """Losses of its heads, the default first. Other losses name the kind in their ``KINDS``."""
