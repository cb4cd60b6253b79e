"""One row of the rerun table: an edit, and the rules that it makes run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.rerun.definition_edits import edited_definition
from tests.rerun.plan import Job, Planner
from tests.rerun.rules import FOLLOWS, after, planned_as

SMALL, WIDE, IMPORTS = "tests/small.yaml", "tests/rerun/wide.yaml", "tests/rerun/imports.yaml"
FILMS = "tests/small_films.yaml"
EXTERNAL = "tests/rerun/external.yaml"

CLINIC = frozenset({"ensemble", "rate_labels", "make_masks", "make_inputs"})
"""Rules of which no job of the wide study takes its radiographs."""


@dataclass(frozen=True)
class Row:
    """An edit of a finished study's configuration, or of a file, and what runs then."""

    name: str
    """The edit."""
    first: frozenset[str]
    """Rules that run for a reason of their own. What there is of each stage, and each figure and
    table, is told by it: `list_shards volumes`, `figure roc`.
    """
    study: str = SMALL
    """The study that is planned."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """New values by path below the top of the configuration; `rename`: "old new" gives something
    another name throughout.
    """
    file: str = ""
    """The file that is edited instead, below the clone."""
    replace: tuple[str, str] = ("", "")
    """A text in it that is replaced, once, and its replacement; two empty texts: the file is
    touched.
    """
    definition: str = ""
    """Or the definition of the file whose code is edited; ``*``: every one of them."""
    arms: frozenset[str] | None = None
    """The arms whose jobs run for a reason of their own; None: not asked."""
    without: frozenset[str] = frozenset()
    """Rules that would follow in general, and do not here, since the part of the study that is
    edited has none of their jobs.
    """
    new: frozenset[str] = frozenset()
    """Figures that the study has after the edit alone."""

    @property
    def all(self) -> set[str]:
        """The rules that run, those that follow among them."""
        return after(self.first, self.without)


def row(
    key: str, changes: Mapping[str, Any], first: Iterable[str], study: str = SMALL, *, without: Iterable[str] = (), new: Iterable[str] = ()
) -> Row:
    """A row of one key of the configuration. The report prints the digest of the whole of it, so
    every key makes the report anew.
    """
    clinic = any(path.startswith(("cohorts.clinic", "views.pa")) for path in changes)
    spared = CLINIC if clinic else frozenset(without)
    return Row(key, frozenset(first) | {"report"}, study, changes, without=spared, new=frozenset(new))


@contextmanager
def edited(row: Row, folder: Path) -> Iterator[list[str]]:
    """Make the row's edit in a clone, give the arguments that plan its study, and take the edit
    back.
    """
    if row.changes:
        file = folder / "edited.yaml"
        file.write_text(yaml.safe_dump(changed(yaml.safe_load((folder / row.study).read_text()), row.changes), sort_keys=False))
        yield ["--configfile", file.name]
        return
    path = folder / row.file
    before, status = path.read_bytes(), path.stat()
    old, new = row.replace
    text = before.decode()
    assert old in text, f"{row.file} no longer holds {old!r}"
    path.write_text(edited_definition(text, row.definition) if row.definition else text.replace(old, new, 1))
    try:
        yield ["--configfile", row.study]
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def changed(study: Any, changes: Mapping[str, Any]) -> Any:
    """A configuration with new values at some paths."""
    for path, value in changes.items():
        if path == "rename":
            study = _renamed(study, *value.split())
            continue
        *above, last = path.split(".")
        place = study
        for name in above:
            place = place[int(name)] if isinstance(place, list) else place.setdefault(name, {})
        place[int(last) if isinstance(place, list) else last] = value
    return study


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {_renamed(key, old, new): _renamed(entry, old, new) for key, entry in value.items()}
    if isinstance(value, list):
        return [_renamed(entry, old, new) for entry in value]
    return new if value == old else value


def differences(row: Row, jobs: Iterable[Job], rules: set[str]) -> list[str]:
    """Differences between a plan and what the row says, in words; ``rules`` are those that the
    study has.

    Snakemake gives no reason of its own to a job that has to follow another one anyway, so not
    every rule of ``first`` need show one.
    """
    jobs, rules = list(jobs), rules | row.new
    has = {rule for rule in {*FOLLOWS, *row.first} if planned_as(rule) in rules}  # nothing follows by way of a rule that is not there
    planned, expected = {job.rule for job in jobs}, after(row.first & has, row.without | (FOLLOWS.keys() - has)) & rules
    sentences = [f"{rule} runs, and should not" for rule in sorted(planned - expected)]
    sentences += [f"{rule} should run, and does not" for rule in sorted(expected - planned)]
    begun = {job.rule for job in jobs if job.first} - {planned_as(rule) for rule in row.first}
    sentences += [f"{rule} runs for a reason of its own, and should only follow" for rule in sorted(begun)]
    arms = {job.wildcards["arm"] for job in jobs if job.first and "arm" in job.wildcards}
    if row.arms is not None and arms != row.arms:
        sentences.append(f"jobs of {sorted(arms)} run, and should of {sorted(row.arms)}")
    return [f"{row.name}: {words}" for words in sentences]


def plan(row: Row, planner: Planner) -> list[Job]:
    """The jobs that a dry run plans after the row's edit."""
    with edited(row, planner.folder) as arguments:
        return planner.plan(*arguments)
