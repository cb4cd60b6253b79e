"""Offers of layouts: what each can give a study, as far as its configuration says. Standard library
only, as it is asked at parse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PEOPLE = ("site", "sex", "age", "side")
"""Attributes of people that a cases table may have, and subgroups can be made of."""


@dataclass(frozen=True)
class Offer:
    """Levels, views, visits and attributes that a source of one layout has, whatever is asked of
    it.
    """

    levels: tuple[str, ...]
    """The levels that it has labels of."""
    takes_labels: bool = True
    """Whether `labels` (columns) decide the levels; a layout that does not look at them refuses
    them.
    """
    grades: Mapping[str, int] = field(default_factory=dict)
    """Number of grades of each level in the source, where it is known beforehand."""
    views: tuple[str, ...] | None = None
    """The views that it has, by name; None: whatever they are called."""
    dimensions: dict[str, int] | int | None = None
    """Axes of its images: of all of them, or by view; None: any."""
    one_view: bool = False
    """Whether it has one view alone."""
    visits: tuple[str, ...] | None = None
    """The visits that it has, by name; None: whatever they are called."""
    one_visit: bool = False
    """Whether it has one visit alone."""
    images: bool = True
    """Whether it names images."""
    masks: bool = True
    """Whether it has masks."""
    splits: bool = False
    """Whether it has a division into train, val and test of its own."""
    named_at_parse: bool = True
    """Whether the files and tables read when the workflow starts name subjects as the cases table
    will.
    """
    people: tuple[str, ...] = PEOPLE
    """Attributes of people that it has."""
