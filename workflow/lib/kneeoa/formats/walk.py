"""Walk the files below a folder: links followed, loops not, hidden names left out, in an order that
does not depend on the disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

Trail = tuple[tuple[int, int], ...]
"""(device, inode) of each folder on the way down: a link to one of them is a loop."""


def files_below(root: Path, top: str = "", failed: Callable[[OSError], None] | None = None) -> Iterator[tuple[str, str]]:
    """(path relative to ``root`` with forward slashes, name) of each file below ``root``/``top``,
    folder by folder in name order.

    Args:
        root: what the paths are relative to.
        top: where to begin, relative to ``root``; nothing is yielded where it is not there.
        failed: called with the error of a folder that cannot be listed.
    """
    start = root / top
    if start.is_dir():
        status = start.stat()
        yield from _walk(os.fspath(start), f"{top}/" if top else "", ((status.st_dev, status.st_ino),), failed)


def _walk(path: str, relative: str, trail: Trail, failed: Callable[[OSError], None] | None) -> Iterator[tuple[str, str]]:
    try:
        with os.scandir(path) as listing:
            entries = sorted((entry for entry in listing if not entry.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        if failed is not None:
            failed(error)
        return
    for entry in entries:
        inner_trail = trail_into(entry, trail)
        if inner_trail is None:
            yield relative + entry.name, entry.name
        elif inner_trail:
            yield from _walk(entry.path, f"{relative}{entry.name}/", inner_trail, failed)


def trail_into(entry: os.DirEntry[str], trail: Trail) -> Trail | None:
    """The trail of a folder, an empty one where it is a link back to a folder on the way, None for
    a file.
    """
    try:
        if not entry.is_dir():
            return None
        status = entry.stat()
    except OSError:  # a link to itself, or one whose target may not be looked at
        return None
    key = (status.st_dev, status.st_ino)
    return () if entry.is_symlink() and key in trail else (*trail, key)
