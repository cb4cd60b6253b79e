"""Atomic writes and content digests: a killed job leaves no file that looks complete."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
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
    choose their format by it. Its bytes are on the disk before it gets the final name, so that a
    power cut leaves no empty file either. Temporary files of ``path`` whose writer was killed are
    removed first; those of a live writer, here or on another machine that shares the file system,
    are left alone.

    Raises:
        KneeoaError: the disk is full, or a quota or limit is reached.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target)
    handle, temporary = _temporary(target)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes 0600, which colleagues on a cluster cannot read
        _flush_to_disk(temporary)
        os.replace(temporary, target)
    except Exception as error:
        if _is_disk_full(error, target.parent):
            reason = "the disk is full, or a quota or limit on files is reached"
            raise KneeoaError(f"{target}: cannot be written, {reason} ({error}); make room and give the same command again.") from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)  # releases the lock: until here no other writer may take the file for abandoned


def _temporary(target: Path) -> tuple[int, Path]:
    """Create a temporary file; its handle holds a lock, which the kernel releases when the writer
    ends in any way.
    """
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix="".join(target.suffixes[-2:]), dir=target.parent)
        with suppress(OSError):  # a file system without locks: nothing is ever taken for abandoned there
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, Path(name)
        os.close(handle)  # another writer removed it before it was locked


def remove_abandoned(target: Path) -> None:
    """Remove the temporary files of ``target`` that no live writer holds, left by writers that were
    killed.
    """
    name = re.compile(re.escape(f".{target.name}.") + r"[a-z0-9_]{8}" + re.escape("".join(target.suffixes[-2:])))
    for entry in os.scandir(target.parent):
        if name.fullmatch(entry.name):
            # Locked, removed in the meantime, of another owner, or no locks on this file system:
            # leave it.
            with suppress(OSError), open(entry.path, "r+b") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(entry.path)


def _is_disk_full(error: Exception, folder: Path) -> bool:
    """Whether a write failed because the disk is full. Not every library passes on the system's
    error number.
    """
    if isinstance(error, OSError) and error.errno in _DISK_FULL_ERRORS:
        return True
    if any(f"(os error {number})" in str(error) for number in _DISK_FULL_ERRORS):  # safetensors
        return True
    return isinstance(error, OSError) and error.errno is None and os.statvfs(folder).f_bavail == 0  # numpy


_DISK_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _flush_to_disk(path: Path) -> None:
    """Wait until a file's bytes are on the disk. It is opened by name, as a writer may have
    replaced the file.
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


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside ``folder``, which replaces it when the block ends without an
    error.
    """
    new = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        yield new
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write JSON atomically: sorted keys, two-space indent, final newline."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, default=_to_json_type) + "\n")


def sha256_file(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _to_json_type(value: Any) -> Any:
    """Convert a value that JSON lacks: numpy's numbers to Python's, anything else to its text."""
    return value.item() if hasattr(value, "item") else str(value)


def digest(value: Any) -> str:
    """Digest of a JSON-like value, sixteen hexadecimal characters."""
    text = json.dumps(value, sort_keys=True, default=_to_json_type, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
