"""Refuse keys and names of an earlier version of the configuration, each by one message with the
new name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kneeoa.config.validation_messages import dotted


class Renamed(NamedTuple):
    """A key, or a name that a key may hold, and what it is called now."""

    place: str
    """The keys above it and its earlier name; ``*`` stands for any key or place in a list. A name
    in braces is part of a text: ``{reader}`` in the name of an arm.
    """
    new: str
    since: str
    """The first version with the new name."""


RENAMED = (
    Renamed("readers", "raters", "0.3.0"),
    Renamed("cohorts.*.phantom.reader", "rater", "0.3.0"),
    Renamed("arms.*.reader", "rater", "0.3.0"),
    Renamed("arms.*.name.{reader}", "{rater}", "0.3.0"),
    Renamed("imports.arms.*.factors.reader", "rater", "0.3.0"),
    Renamed("statistics.contrasts.*.factor.reader", "rater", "0.3.0"),
    Renamed("statistics.contrasts.*.follows.*.reader", "rater", "0.3.0"),
    Renamed("statistics.primary.where.reader", "rater", "0.3.0"),
)
"""Everything of the configuration that was renamed. An earlier name is refused and never taken as
the new one, so that a file of a study always says what this version reads.
"""

_Place = tuple[int | str, ...]


def renamed_key_messages(config: Mapping[str, Any]) -> list[str]:
    """One message for each earlier name in a configuration as it was parsed, in its order."""
    return [message for place, value in _entries(config, ()) for message in _messages(place, value)]


def _messages(place: _Place, value: str | None) -> Iterator[str]:
    """The message about a key (``value`` None), or about a text that a key holds."""
    names = [] if value is None else [value, *re.findall(r"\{\w+\}", value)]
    for one in RENAMED:
        *above, old = one.place.split(".")
        if value is None and _matches([*above, old], place):
            yield f"the key '{dotted(place)}' is called '{one.new}' since {one.since}: rename it"
        elif old in names and _matches(above, place):
            yield f"'{dotted(place)}' names '{old}', which is called '{one.new}' since {one.since}: rename it"


def _matches(pattern: list[str], place: _Place) -> bool:
    return len(pattern) == len(place) and all(wanted in ("*", str(part)) for wanted, part in zip(pattern, place, strict=True))


def _entries(section: Any, place: _Place) -> Iterator[tuple[_Place, str | None]]:
    """Yield the place of every key, with None, and of every text, with the text."""
    if isinstance(section, Mapping):
        for key, value in section.items():
            yield (*place, key), None
            yield from _entries(value, (*place, key))
    elif isinstance(section, list | tuple):
        for number, value in enumerate(section):
            yield from _entries(value, (*place, number))
    elif isinstance(section, str):
        yield place, section
