"""Atomic writes and content digests: a killed job leaves nothing that looks finished."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kneeoa.errors import KneeoaError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path`` that is renamed to ``path`` when the block ends
    without an error.

    The temporary name is hidden, belongs to this writer alone and keeps the suffix, since writers
    choose their format by it. Its bytes are on the disk before it takes the final name, so that a
    power cut leaves no empty file either. Temporaries of ``path`` whose writer was killed are
    removed first; those of a writer that is alive, here or on another machine that shares the file
    system, are left alone.

    Raises:
        KneeoaError: there is no room for the file.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target)
    handle, temporary = _temporary(target)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes 0600, which colleagues on a cluster cannot read
        _to_disk(temporary)
        os.replace(temporary, target)
    except Exception as error:
        if _no_room(error, target.parent):
            reason = "the disk is full, or a quota or limit on files is reached"
            raise KneeoaError(f"{target}: cannot be written, {reason} ({error}); make room and give the same command again.") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)  # with the last handle the lock goes: until here nobody may take the file for abandoned


def _temporary(target: Path) -> tuple[int, Path]:
    """A new file and a handle that holds its lock: the kernel drops the lock when the writer ends,
    however it ends.
    """
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix="".join(target.suffixes[-2:]), dir=target.parent)
        with suppress(OSError):  # a file system without locks: nothing is ever taken for abandoned there
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)  # another writer removed it before it was locked


def remove_abandoned(target: Path) -> None:
    """Remove the temporaries of ``target`` that no living writer holds: what is left of one that
    was killed.
    """
    name = re.compile(re.escape(f".{target.name}.") + r"[a-z0-9_]{8}" + re.escape("".join(target.suffixes[-2:])))
    for entry in os.scandir(target.parent):
        if name.fullmatch(entry.name):
            # Busy, gone in the meantime, of another owner, or no locks on this file system: leave
            # it.
            with suppress(OSError), open(entry.path, "r+b") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry.path)


def _no_room(error: Exception, folder: Path) -> bool:
    """Whether a write failed for want of room. Not every library passes on the number by which the
    system says so.
    """
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return True
    if any(f"(os error {number})" in str(error) for number in _NO_ROOM):  # safetensors
        return True
    return isinstance(error, OSError) and error.errno is None and os.statvfs(folder).f_bavail == 0  # numpy


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _to_disk(path: Path) -> None:
    """Wait until a file's bytes are on the disk. By its name, as a writer may have put another file
    in its place.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically: sorted keys, two-space indent, final newline."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, default=_plain) + "\n")


def sha256_file(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _plain(value: Any) -> Any:
    """What JSON cannot say: numpy's numbers become Python's, anything else its text."""
    return value.item() if hasattr(value, "item") else str(value)


def digest(value: Any) -> str:
    """Sixteen hexadecimal characters that identify a JSON-like value."""
    text = json.dumps(value, sort_keys=True, default=_plain, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
