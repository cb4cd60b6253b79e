"""Attribute files to subjects by a manifest. Standard library only, as the index is made at parse.

A text manifest is read: each file belongs to the subject whose row names it. Other tables (Parquet,
Excel, SAS) need packages that a parse should not load: there every file, and the table itself,
counts for every shard. Choose a text manifest where precision matters.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from kneeoa.cohorts.attribution import EVERYBODY, SubjectOf, by_path
from kneeoa.cohorts.manifest_rows import IMAGE_KEYS, Entry, entries, table_path
from kneeoa.cohorts.offers import Offer
from kneeoa.cohorts.text_tables import read_text
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError

_OTHER = (".xlsx", ".xlsm", ".parquet", ".pq", ".sas7bdat")


def attribution(root: Path, cohort: Cohort) -> SubjectOf:
    """A rule by the manifest: a file belongs to the subject whose row names it, or to everybody
    where the manifest is no text.

    Raises:
        KneeoaError: the manifest cannot be read or lacks a column.
    """
    rows = _entries(root, cohort)
    if rows is None:
        return lambda name, relative: EVERYBODY
    return by_path({path: entry.subject for entry in rows if entry.subject for path in (entry.path, entry.mask) if path})


def image_rows(root: Path, cohort: Cohort) -> Iterator[tuple[str, str]]:
    """(subject, line) of each row's keys about files: a changed path reruns its subject's shard, a
    changed label none.

    Raises:
        KneeoaError: as :func:`attribution`.
    """
    for entry in _entries(root, cohort) or ():
        if entry.subject:
            fields = (str(entry.side), str(entry.visit), str(entry.view), *(entry.cells.get(key, "") for key in IMAGE_KEYS[4:]))
            yield entry.subject, "\t".join(fields)


def _entries(root: Path, cohort: Cohort) -> list[Entry] | None:
    if cohort.manifest is None:
        raise KneeoaError("reader 'manifest' needs the section 'manifest' with its column map.")
    path = table_path(root, cohort.manifest.table)
    if path.suffix.lower() in _OTHER:
        return None
    if not path.is_file():
        raise KneeoaError(f"{path}: the manifest is not there; check 'manifest.table'.")
    status = path.stat()
    return _read(path, root, (status.st_mtime_ns, status.st_size), cohort.model_dump_json())


@lru_cache(maxsize=1)
def _read(path: Path, root: Path, state: tuple[int, int], section: str) -> list[Entry]:
    """The entries of a manifest; once for a state of the file and a column map, as both rules above
    want them.
    """
    cohort = Cohort.model_validate_json(section)
    if cohort.manifest is None:
        return []
    table = read_text(path)
    # A column of labels that is not there is refused now, and not by a job.
    next(entries(table, cohort, cohort.manifest, root), None)
    return list(entries(table, cohort, cohort.manifest, root, labels=False))


def offer(cohort: Cohort) -> Offer:
    """The offer of the layout: labels, images and people as the column map names them."""
    manifest = cohort.manifest
    if manifest is None:
        return Offer(tuple(cohort.labels))
    columns = [key for key in ("site", "sex", "age") if getattr(manifest, key) is not None]
    sided = manifest.side is not None or bool(manifest.sides)
    return Offer(
        tuple(cohort.labels),
        images=manifest.path is not None,
        masks=manifest.mask is not None,
        splits=manifest.split is not None,
        people=(*columns, *(["side"] if sided else [])),
    )
