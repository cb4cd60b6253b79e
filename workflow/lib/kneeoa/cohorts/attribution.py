"""Attribute raw files to subjects: the rule that a layout gives to the walk of the raw tree.
Standard library only (used at parse).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from kneeoa.formats.file_names import companions

SubjectOf = Callable[[str, str], str | None]
"""(name, path below the root) of a folder or file -> its subject, :data:`EVERYBODY`, or None where
it belongs to no subject.
"""
EVERYBODY: Final = "*"
"""The subject of a file that may be anybody's: it counts for every shard."""


def by_path(owners: Mapping[str, str]) -> SubjectOf:
    """A rule for sources whose tables name each file: a path's subject, which the data file of a
    header file has as well.
    """
    subjects = dict(owners)
    for path, subject in owners.items():
        for other in companions(path):
            subjects.setdefault(other, subject)
    return lambda name, relative: subjects.get(relative)
