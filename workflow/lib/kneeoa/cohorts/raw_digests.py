"""Digests of the raw tree per shard, cheap enough to make at parse: a changed subject then reruns
one shard.

Standard library only. A file counts by its path below the root, size and time stamp; its bytes are
not read. The lines of the tables that say which image is whose, and where its joint lies, count for
their subjects, since the stage that decodes a shard looks at nothing else.

Nothing is cached between two parses: a file that is written anew in place changes neither the time
stamp nor the list of its folder, so a folder's time stamp cannot stand for the files in it. Every
file is looked at each time, in threads where the disk is slow to answer.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from kneeoa.cohorts.attribution import EVERYBODY, SubjectOf
from kneeoa.cohorts.landmarks import landmark_rows
from kneeoa.cohorts.manifest_rows import table_path
from kneeoa.cohorts.registry import attribution_rule, image_rows_rule
from kneeoa.cohorts.shards import shard_of
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from kneeoa.formats.walk import Trail, trail_into

UNATTRIBUTED = -1
"""The key of the files that belong to no subject: tables, lists."""
_EVERY_SHARD = -2
"""The key of files that may be anybody's: they count for every shard."""
_THREADS = 16
"""Batches of folders that are listed at a time where the disk is far away."""
_BATCH = 100
"""Folders handed out at a time: one by one would cost more than listing them."""
_MIN_BUSY_SHARE = 0.2
"""Below this share of processor time in a batch, the walk is waiting for the disk. On a local disk
threads only slow each other down.
"""


def raw_digests(root: Path, cohort: Cohort, subjects: set[str] | None = None) -> dict[int, str]:
    """Digests of the raw tree, sixteen hexadecimal characters for every shard, and under -1 for the
    files that belong to no subject.

    A folder or file that cannot be looked at counts as such, so that its case is read again once it
    can be; links are followed, loops not. The subjects that files and tables name are added to
    ``subjects``.

    Raises:
        KneeoaError: the root is not a folder or cannot be listed, or a table that says which image
            is whose is malformed.
    """
    if not root.is_dir():
        raise KneeoaError(f"{root}: the folder of the raw data does not exist; set the cohort's 'root' to where it lies.")
    if not os.access(root, os.R_OK | os.X_OK):
        raise KneeoaError(f"{root}: the raw data cannot be listed; check its permissions.")
    subject_of = attribution_rule(cohort.reader)(root, cohort)
    named: set[str] = set() if subjects is None else subjects
    parts = sorted(_Walk(subject_of, cohort.shards, named).run(root))
    hashes = {shard: hashlib.sha256() for shard in (UNATTRIBUTED, *range(cohort.shards))}
    for _, key, lines in [*parts, *_tables_outside(root, cohort, subject_of)]:
        for shard in hashes if key == _EVERY_SHARD else (key,):
            hashes[shard].update(lines)
    for rows in (image_rows_rule(cohort.reader)(root, cohort), landmark_rows(root, cohort)):
        for subject, line in rows:
            named.add(subject)
            hashes[shard_of(subject, cohort.shards)].update(f"{line}\n".encode())
    return {shard: value.hexdigest()[:16] for shard, value in hashes.items()}


Part = tuple[str, int, bytes]
"""(folder below the root, shard, digest of that folder's files of that shard)."""
_Folder = tuple[str, str, int, Trail]
"""(path, path below the root with a slash at its end, shard or -1, trail)."""


class _Walk:
    """A walk that lists folders and keeps one digest of each, so that memory grows with folders and
    not with files.
    """

    def __init__(self, subject_of: SubjectOf, shards: int, subjects: set[str]) -> None:
        self.subject_of = subject_of
        self.shards = shards
        self.subjects = subjects

    def run(self, root: Path) -> list[Part]:
        """The parts of every folder, in no order; in threads from the moment at which the disk
        responds slowly, as on a network.
        """
        status = root.stat()
        parts: list[Part] = []
        pending: list[_Folder] = [(os.fspath(root), "", UNATTRIBUTED, ((status.st_dev, status.st_ino),))]
        while pending:
            batch, pending = pending[-_BATCH:], pending[:-_BATCH]
            wall, busy = time.perf_counter(), time.thread_time()
            new_parts, inside = self.batch(batch)
            parts += new_parts
            pending += inside
            if time.thread_time() - busy < _MIN_BUSY_SHARE * (time.perf_counter() - wall) and len(pending) > _BATCH:
                return parts + self._threaded(pending)
        return parts

    def _threaded(self, folders: list[_Folder]) -> list[Part]:
        parts: list[Part] = []
        with ThreadPoolExecutor(_THREADS) as pool:
            running: deque[Future[tuple[list[Part], list[_Folder]]]] = deque()
            while folders or running:
                running.extend(pool.submit(self.batch, folders[start : start + _BATCH]) for start in range(0, len(folders), _BATCH))
                new_parts, folders = running.popleft().result()
                parts += new_parts
        return parts

    def batch(self, folders: list[_Folder]) -> tuple[list[Part], list[_Folder]]:
        """The parts of some folders, and the folders in them."""
        parts: list[Part] = []
        inside: list[_Folder] = []
        for folder in folders:
            parts += self.folder(folder, inside)
        return parts, inside

    def folder(self, folder: _Folder, inside: list[_Folder]) -> list[Part]:
        """Digests of a folder's files by shard. Below a subject's folder everything is that
        subject's: names are not looked at again.
        """
        path, relative, shard, trail = folder
        lines: dict[int, list[str]] = {}
        try:
            # By its descriptor, so that a file's path is not resolved anew for each of its files: a
            # fifth less time.
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            return [(relative, shard, _digest(relative, [f"\t{error.errno}\n"]))]
        try:
            with os.scandir(descriptor) as entries:
                for entry in entries:
                    name = entry.name
                    if name.startswith("."):
                        continue
                    key = shard if shard != UNATTRIBUTED else self._shard(name, relative + name)
                    try:
                        if entry.is_dir():
                            below = trail_into(entry, trail)
                            if below:
                                inside.append((f"{path}/{name}", f"{relative}{name}/", key, below))
                            continue
                        status = entry.stat()
                        line = f"{name}\t{status.st_size}\t{status.st_mtime_ns}\n"
                    except OSError as error:  # a link to nowhere or to itself, or a file that may not be looked at
                        line = f"{name}\t{error.errno}\n"
                    lines.setdefault(key, []).append(line)
        finally:
            os.close(descriptor)
        return [(relative, key, _digest(relative, files)) for key, files in lines.items()]

    def _shard(self, name: str, relative: str) -> int:
        subject = self.subject_of(name, relative)
        if subject is None:
            return UNATTRIBUTED
        if subject == EVERYBODY:
            return _EVERY_SHARD
        self.subjects.add(subject)
        return shard_of(subject, self.shards)


def _digest(relative: str, lines: list[str]) -> bytes:
    lines.sort()
    return hashlib.sha256(f"{relative}\n{''.join(lines)}".encode("utf-8", "surrogateescape")).digest()


def _tables_outside(root: Path, cohort: Cohort, subject_of: SubjectOf) -> list[Part]:
    """Parts for a manifest or landmarks outside the root: their size and time stamp, as a walk of
    the root would have counted them.
    """
    parts: list[Part] = []
    for name in filter(None, (cohort.manifest.table if cohort.manifest else None, cohort.landmarks)):
        path = table_path(root, name)
        if path.is_absolute() and not path.is_relative_to(root) and path.is_file():
            status = path.stat()
            key = _EVERY_SHARD if subject_of(path.name, path.name) == EVERYBODY else UNATTRIBUTED
            parts.append((name, key, f"{name}\t{status.st_size}\t{status.st_mtime_ns}".encode()))
    return parts
