"""Digests of the raw tree per shard, cheap enough to make at parse: a changed subject then reruns one shard.

Standard library only. A file counts by its path below the root, size and time stamp; its bytes are not read. The lines of the table that
says which image is whose count for their subjects, since the stage that decodes a shard looks at nothing else.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from kneeoa.cohorts.registry import SubjectOf, image_rows_rule, subject_rule
from kneeoa.cohorts.shards import shard_of
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

UNATTRIBUTED = -1
"""The key of the files that belong to no subject: tables, lists."""


def raw_digests(root: Path, cohort: Cohort) -> dict[int, str]:
    """Sixteen hexadecimal characters for every shard, and under -1 for the files that belong to no subject.

    Raises:
        KneeoaError: the root is not a folder or cannot be listed.
    """
    if not root.is_dir():
        raise KneeoaError(f"{root}: the folder of the raw data does not exist; set the cohort's 'root' to where it lies.")
    walk = _Walk(subject_rule(cohort.reader), cohort.shards)
    try:
        walk.folder(os.fspath(root), "", UNATTRIBUTED)
        for subject, line in image_rows_rule(cohort.reader)(root):
            walk.hashes[shard_of(subject, cohort.shards)].update(f"{line}\n".encode())
    except OSError as error:
        raise KneeoaError(f"{error.filename}: the raw data cannot be listed ({error.strerror}); check its permissions.") from error
    return {shard: value.hexdigest()[:16] for shard, value in walk.hashes.items()}


class _Walk:
    """A depth-first walk in name order that feeds one hash per shard, so that memory does not grow with the tree."""

    def __init__(self, subject_of: SubjectOf, shards: int) -> None:
        self.subject_of = subject_of
        self.shards = shards
        self.hashes = {shard: hashlib.sha256() for shard in (UNATTRIBUTED, *range(shards))}

    def folder(self, path: str, relative: str, shard: int) -> None:
        """Add a folder. Below a subject's folder everything is that subject's, and names are not looked at again."""
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        lines: dict[int, list[str]] = {}
        for entry in entries:
            if entry.name.startswith("."):
                continue
            own = shard if shard != UNATTRIBUTED else self._shard(entry.name)
            if entry.is_dir():
                self.folder(entry.path, f"{relative}{entry.name}/", own)
            else:
                status = entry.stat()
                lines.setdefault(own, []).append(f"{entry.name}\t{status.st_size}\t{status.st_mtime_ns}\n")
        for own, files in lines.items():
            self.hashes[own].update(f"{relative}\n{''.join(files)}".encode())

    def _shard(self, name: str) -> int:
        subject = self.subject_of(name)
        return UNATTRIBUTED if subject is None else shard_of(subject, self.shards)
