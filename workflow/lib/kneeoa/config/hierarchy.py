"""The label hierarchy: levels from coarse to fine, of any depth."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Self

from pydantic import Field, model_validator

from kneeoa.config.section import MemberOf, Name, Section
from kneeoa.levels import registry


class Level(Section):
    """One level of the label hierarchy."""

    name: Name
    """Its name in tables and of its head, e.g. oa."""
    kind: Annotated[str, MemberOf(registry.names)]
    """binary: two classes. multiclass: several classes without order. ordinal: ordered classes.
    multilabel: independent yes/no findings.
    """
    classes: tuple[str, ...] = Field(min_length=2)
    """Class names in order. For multilabel: names of the findings."""
    parent: Name | None = None
    """The coarser level into which this level's classes group."""
    parent_class: tuple[int, ...] | None = None
    """For each class of this level, the index of the parent's class that it belongs to."""

    @property
    def exclusive(self) -> bool:
        """Whether a case has one of the classes; else each is a finding by itself."""
        return registry.declaration(self.kind).exclusive

    @property
    def ordered(self) -> bool:
        """Whether the classes are grades."""
        return registry.declaration(self.kind).ordered

    @property
    def binary(self) -> bool:
        """Whether it is one yes-or-no question."""
        return registry.declaration(self.kind).binary

    @property
    def label_size(self) -> int:
        """Length of a case's label: one, or one for each finding."""
        return 1 if self.exclusive else len(self.classes)

    @property
    def label_top(self) -> int:
        """The largest number that a label has: the last class, or 1 for a finding."""
        return len(self.classes) - 1 if self.exclusive else 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.binary and len(self.classes) != 2:
            raise ValueError(f"level '{self.name}' is {self.kind} and needs exactly 2 classes, not {len(self.classes)}")
        if (self.parent is None) != (self.parent_class is None):
            raise ValueError(f"level '{self.name}' needs both 'parent' and 'parent_class', or neither")
        if self.parent_class is not None and len(self.parent_class) != len(self.classes):
            raise ValueError(f"level '{self.name}' has {len(self.classes)} classes but {len(self.parent_class)} entries in 'parent_class'")
        twice = [name for name in self.classes if self.classes.count(name) > 1]
        if twice:
            raise ValueError(f"level '{self.name}' has two classes called '{twice[0]}'; tell them apart")
        return self


def finest(levels: tuple[Level, ...]) -> Level:
    """The finest level, of which a case must have a label: the last declared one that is no
    parent.
    """
    parents = {level.parent for level in levels}
    return [level for level in levels if level.name not in parents][-1]


def finest_labelled(levels: tuple[Level, ...], labelled: Collection[str]) -> Level:
    """The finest of the levels that a source has labels of; of all levels where it has none."""
    return finest(tuple(level for level in levels if level.name in labelled) or levels)


def parse_target(target: str, levels: Iterable[Level]) -> tuple[Level, int | None]:
    """Parse a target of saliency into its level and, where it names one, the class or finding:
    ``kl``, ``kl.severe``, ``findings.osteophytes``.

    Raises:
        ValueError: an unknown level or class, or a multilabel level without one of its findings.
    """
    declared = {level.name: level for level in levels}
    name, dot, label = target.partition(".")
    if name not in declared:
        raise ValueError(f"'saliency.target' names the level '{name}'; known are {', '.join(declared) or 'none'}")
    level = declared[name]
    if dot and label not in level.classes:
        raise ValueError(f"'saliency.target' names '{label}' of the level '{name}', which has {', '.join(level.classes)}")
    if not dot and not level.exclusive:
        example = f"{name}.{level.classes[0]}"
        raise ValueError(
            f"'saliency.target' is the multilabel level '{name}', whose findings have no common score; name one, e.g. {example}"
        )
    return level, level.classes.index(label) if dot else None


def check_hierarchy(levels: tuple[Level, ...]) -> None:
    """Raise ValueError where parents are missing, come after their children, or class groups are
    out of range.
    """
    declared: dict[str, Level] = {}
    for level in levels:
        if level.name in declared:
            raise ValueError(f"level '{level.name}' is declared twice")
        if level.parent is not None:
            if level.parent not in declared:
                raise ValueError(f"level '{level.name}' has the parent '{level.parent}', which is not declared before it")
            count = len(declared[level.parent].classes)
            wrong = [index for index in level.parent_class or () if not 0 <= index < count]
            if wrong:
                allowed = f"'{level.parent}' has classes 0 to {count - 1}"
                raise ValueError(f"level '{level.name}': 'parent_class' holds {wrong[0]}, but {allowed}")
        declared[level.name] = level


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
