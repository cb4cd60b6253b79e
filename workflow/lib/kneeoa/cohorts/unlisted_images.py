"""Report images beside a manifest's own that none of its lines names."""

from __future__ import annotations

import logging
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from kneeoa.cohorts.source import Reason
from kneeoa.cohorts.text_tables import Table
from kneeoa.config.manifest import Manifest
from kneeoa.formats.file_names import format_of
from kneeoa.formats.walk import files_below

_LOG = logging.getLogger(__name__)


def unlisted_images(root: Path, manifest: Manifest, table: Table) -> list[Reason]:
    """A single reason, without a case, for all images below the manifest's folder that no line
    names, whatever its visit or view; empty where there is none, or no column of paths.

    Files without a suffix are left out, as they may be anything; so are archives.
    """
    named = set(_named_paths(manifest, table))
    if not named:
        return []
    below = posixpath.normpath(manifest.folder) if manifest.folder else ""
    unlisted = [
        path for path, name in files_below(root, below) if format_of(name) not in (None, "dicom-archive") and not _is_named(path, named)
    ]
    if not unlisted:
        return []
    detail = f"{len(unlisted)} images below the root are named by no line of {table.path.name}, the first is {unlisted[0]}."
    _LOG.warning("%s", detail)
    return [Reason("unlisted-image", detail)]


def _named_paths(manifest: Manifest, table: Table) -> Iterator[str]:
    """The cells of the columns of images and masks, as paths below the root; an absolute one by its
    last part.
    """
    columns = [re.sub(r"\\{(side|visit|view)\\}", ".*", re.escape(name)) for name in (manifest.path, manifest.mask) if name is not None]
    places = [place for place, name in enumerate(table.header) if any(re.fullmatch(column, name, re.IGNORECASE) for column in columns)]
    for _, row in table.rows:
        for cell in filter(None, (row[place].replace("\\", "/") for place in places)):
            absolute = cell.startswith("/") or cell[1:2] == ":"
            yield cell.rstrip("/").rpartition("/")[2] if absolute else posixpath.normpath(posixpath.join(manifest.folder, cell))


def _is_named(path: str, named: set[str]) -> bool:
    """Whether a file, a folder above it, or the last part of one of them is named."""
    parts = path.split("/")
    return any(part in named or "/".join(parts[: place + 1]) in named for place, part in enumerate(parts))
