"""Rows of the rerun table that are planned: all of them in the long suite, else those that the
edits of this branch touch (at most twenty, spread over all that are touched) and one of twenty of
the others, other ones for each commit.

The edits are those since KNEEOA_BASE (a commit), or since this branch left the main one, or, on the
main branch itself, of the last commits; those that are not committed among them. Where there is no
history, no row is touched.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from tests.dag import ROOT
from tests.rerun.row import Row
from tests.suites import EVERY, TOUCHED

MAIN = ("origin/HEAD", "origin/main", "main")
COMMITS = 10
"""Commits in which edits are looked for on the main branch itself."""
DECLARED = ("Snakefile", "workflow/inputs", "workflow/rules", "workflow/lib/kneeoa/config", "tests/rerun")
"""Files that say what depends on a key of the configuration."""


def git(*arguments: str) -> str | None:
    """Return git's output without the newline at its end; None where it fails or is not there."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def base() -> str | None:
    """The commit that the tree is compared with; None where there is no history."""
    if named := os.environ.get("KNEEOA_BASE"):
        return named
    head = git("rev-parse", "HEAD")
    for main in MAIN:
        left = git("merge-base", "HEAD", main)
        if left and left != head:
            return left
    commits = (git("rev-list", "--first-parent", f"--max-count={COMMITS + 1}", "HEAD") or "").split()
    return commits[-1] if len(commits) > 1 else None


@dataclass(frozen=True)
class Edits:
    """Files and definitions that the edits touch."""

    files: frozenset[str] = frozenset()
    """Paths below the root."""
    words: frozenset[str] = frozenset()
    """Words of changed lines, where it is said what depends on a key."""

    @classmethod
    def since(cls, commit: str) -> Edits:
        """All edits since a commit; ValueError where git does not know it."""
        files = git("diff", "--no-renames", "--name-only", commit)
        if files is None:
            raise ValueError(f"KNEEOA_BASE: git knows no commit {commit!r} to compare with")
        new = git("ls-files", "--others", "--exclude-standard") or ""
        lines = git("diff", "--no-renames", "--unified=0", commit, "--", *DECLARED) or ""
        changed = [line for line in lines.splitlines() if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))]
        return cls(frozenset(f"{files}\n{new}".split("\n")), frozenset(re.findall(r"\w+", "\n".join(changed))))

    def touch(self, row: Row) -> bool:
        """Whether they change what a row edits: its file, or a line that names its key."""
        return row.name.rsplit(".", 1)[-1] in self.words if row.changes else row.file in self.files


def chosen(rows: Sequence[Row]) -> list[Row]:
    """The rows to plan, in their order."""
    commit = base()
    edits = Edits.since(commit) if commit else Edits()
    offset = int(git("rev-parse", "HEAD") or "0", 16)
    touched = [] if EVERY == 1 else [row.name for row in rows if edits.touch(row)]
    step = max(1, -(-len(touched) // TOUCHED))
    planned = set(touched[offset % step :: step])
    return [row for number, row in enumerate(rows) if number % EVERY == offset % EVERY or row.name in planned]
