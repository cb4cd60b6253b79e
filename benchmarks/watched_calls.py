"""Makes a process's file system slow and counts what it asks of it; loaded by `sitecustomize` in
the planning process.

A call on a file below one of the folders in ``KNEEOA_WATCHED`` first sleeps ``KNEEOA_LATENCY``
seconds, as a file server's answer takes. Whose call it is: ours where a frame of the library or of
the workflow's own files asked for it, else Snakemake's.
"""

from __future__ import annotations

import atexit
import builtins
import io
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

CALLS = ("stat", "lstat", "open", "listdir", "access", "readlink")
OURS = ("/workflow/lib/kneeoa/", "/workflow/inputs/", "/workflow/rules/")


class Watched:
    """The folders that are far away, and what was asked of them."""

    def __init__(self, folders: list[str], latency: float) -> None:
        self._folders, self._latency = tuple(folders), latency
        self._working = os.getcwd() + os.sep
        self._readlink = os.readlink
        self.counted: Counter[str] = Counter()

    def answer(self, path: Any, name: str) -> None:
        """Count a call and wait for its answer, where it is about a watched folder; a number stands
        for an open folder.
        """
        if isinstance(path, int):
            path = self._readlink(f"/proc/self/fd/{path}")
        if isinstance(path, str | os.PathLike):
            text = os.fspath(path)
            if (text if os.path.isabs(text) else self._working + text).startswith(self._folders):
                self.counted[f"{_whose()} {name}"] += 1
                time.sleep(self._latency)

    def slow(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The call, after the wait."""

        def wrapped(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            self.answer(path, name)
            return call(path, *arguments, **options)

        return wrapped


class Listing:
    """The listing that ``os.scandir`` gives, where an entry's ``stat`` waits too."""

    def __init__(self, watched: Watched, entries: Any, folder: Any) -> None:
        self._watched, self._entries, self._folder = watched, entries, folder

    def __enter__(self) -> Listing:
        return self

    def __exit__(self, *_: object) -> None:
        self._entries.close()

    def close(self) -> None:
        """Close the folder."""
        self._entries.close()

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return Entry(self._watched, next(self._entries), self._folder)


class Entry:
    """One entry of a folder. What kind it is came with the listing; all else is asked for."""

    def __init__(self, watched: Watched, entry: os.DirEntry[str], folder: Any) -> None:
        self._watched, self._entry, self._folder = watched, entry, folder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)

    def __fspath__(self) -> str:
        return self._entry.path

    def stat(self, **options: Any) -> os.stat_result:
        """The entry's size and times, after the wait."""
        self._watched.answer(self._folder, "stat")
        return self._entry.stat(**options)


def watch() -> None:
    """Wrap the calls, and write the counts as JSON into ``KNEEOA_COUNTS`` in the end."""
    watched = Watched(os.environ["KNEEOA_WATCHED"].split(os.pathsep), float(os.environ["KNEEOA_LATENCY"]))
    counts, plain_open, plain_scandir = os.environ["KNEEOA_COUNTS"], builtins.open, os.scandir
    for name in CALLS:
        setattr(os, name, watched.slow(getattr(os, name), name))
    builtins.open = io.open = watched.slow(plain_open, "open")  # type: ignore[assignment]

    def scandir(path: Any = ".") -> Listing:
        watched.answer(path, "scandir")
        return Listing(watched, plain_scandir(path), path)

    os.scandir = scandir  # type: ignore[assignment]

    def tell() -> None:
        with plain_open(counts, "w") as stream:
            json.dump(watched.counted, stream)

    atexit.register(tell)


def _whose() -> str:
    """The caller: who stands on the stack."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if any(part in frame.f_code.co_filename for part in OURS):
            return "ours"
        frame = frame.f_back
    return "Snakemake's"
