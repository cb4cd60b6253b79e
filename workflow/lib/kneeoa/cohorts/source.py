"""A source as a reader returns it: every knee found in any of its files, with the knee's files,
readings and reasons for exclusion.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """A label as the source gives it: class indices (several for a multilabel level, None where
    unread).
    """

    value: tuple[int | None, ...]
    count: int = 1
    """Number of readings behind it."""
    disagreement: bool = False
    """Whether those readings differ."""
    votes: tuple[str, ...] = ()
    """Each of them, ``<project>:<value>``, in the order of the table."""


@dataclass(frozen=True)
class File:
    """An image or mask of a knee. ``path`` is relative to the cohort's root; a folder (format
    ``dicom``) for a DICOM series, or for the one image in it. Formats: ``formats.py``.
    """

    view: str
    role: str
    path: str
    format: str
    shows: str = "knee"
    """``knee``, or ``both`` for a bilateral radiograph, which belongs to two cases."""
    centre: tuple[float, float] | None = None
    """Row and column of the joint's centre in pixels of the file, where the source gives
    landmarks.
    """


@dataclass(frozen=True)
class Reason:
    """The reason why a knee (scope ``case``), its mask (scope ``mask``) or one of its labels
    (``level``) cannot be used.
    """

    reason: str
    detail: str
    scope: str = "case"
    view: str | None = None
    level: str | None = None
    """The level whose label it is about; the knee stays in the study where that is not the level
    that it must have.
    """
    unmatched: str | None = None
    """The code of a table that is not understood, where that is the reason."""
    rows: int = 1
    """Number of rows of a table that it stands for."""


@dataclass
class Knee:
    """A joint of a subject at a visit, as far as the source's files say."""

    subject: str
    side: str | None
    visit: str
    site: str | None = None
    sex: str | None = None
    age: float | None = None
    given_split: str | None = None
    filed_under: str | None = None
    """The subject's name in its files' names, where a table alone says who it is: the shard follows
    it, as the files are looked at before the table.
    """
    files: list[File] = field(default_factory=list)
    readings: dict[str, Reading] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)

    @property
    def case_id(self) -> str:
        """The case's name: ``<subject>-<side>-<visit>``, with X for the side of what has none (a
        specimen).
        """
        return f"{self.subject}-{self.side or 'X'}-{self.visit}"


@dataclass
class Source:
    """Everything that a reader found. ``loose`` holds rows and files that belong to no knee that
    can be named.
    """

    knees: dict[str, Knee] = field(default_factory=dict)
    loose: list[Reason] = field(default_factory=list)

    def knee(self, subject: str, side: str | None, visit: str) -> Knee:
        """The knee of that name, new if there is none yet."""
        knee = Knee(subject, side, visit)
        return self.knees.setdefault(knee.case_id, knee)


def record_unlistable_folders(source: Source) -> Callable[[OSError], None]:
    """A callback for a walk that records a folder which cannot be listed as a loose reason, as
    nobody knows whose files lie there.
    """

    def note(error: OSError) -> None:
        name = os.path.basename(str(error.filename))
        source.loose.append(Reason("unreadable-folder", f"folder '{name}' cannot be listed ({error.strerror}); check its permissions."))

    return note
