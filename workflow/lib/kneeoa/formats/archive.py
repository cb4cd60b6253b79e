"""Read the files inside an archive in memory: nothing is written to disk, so no path in an archive
can reach anything.
"""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from kneeoa.errors import UnusableImage
from kneeoa.formats.decompress import open_gzip
from kneeoa.formats.os_errors import unreadable

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
"""Names of archives that can be read, in lower case."""
MAX_MEMBER_BYTES = 512 * 2**20
"""Bytes of one file in an archive; an enhanced file with both echoes of a knee has 100 MB."""
MAX_TOTAL_BYTES = 1024 * 2**20
"""Bytes of all files of an archive together: one series, not a cohort."""


def read_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Base name and bytes of each regular file of an archive, in its order; folders, links and
    hidden files (``._001``) are passed over.

    A gzip stream is decompressed once, forwards, and its checksum compared at the end.

    Raises:
        UnusableImage: damaged, cut, encrypted or not an archive (``unreadable``), or more bytes
            than a series has (``too-large``).
    """
    try:
        if path.name.lower().endswith(".zip"):
            yield from _zip_members(path)
        else:
            yield from _tar_members(path)
    except OSError as error:
        raise unreadable(error, path.name) from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise UnusableImage("unreadable", f"{path.name}: the archive is damaged, cut or locked ({type(error).__name__}).") from None


def read_gzip(path: Path) -> bytes:
    """The decompressed content of one gzip file.

    Raises:
        UnusableImage: damaged or cut (``unreadable``), or more bytes than a file of a series has
            (``too-large``).
    """
    try:
        with open_gzip(path) as stream:
            content = stream.read(MAX_MEMBER_BYTES + 1)
    except OSError as error:
        raise unreadable(error, path.name) from None
    except MemoryError:
        raise
    except Exception as error:  # of the library that decompresses
        raise UnusableImage("unreadable", f"{path.name}: the compressed file is damaged or cut ({type(error).__name__}).") from None
    if len(content) > MAX_MEMBER_BYTES:
        raise _too_large(path.name)
    return content


class _StrictTarInfo(tarfile.TarInfo):
    """A tar member whose damaged or missing header is an error: tarfile would take it for the
    archive's end.
    """

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the empty block that ends an archive
            raise
        except tarfile.HeaderError:
            raise tarfile.ReadError from None


class _LimitedStream:
    """A stream that counts the bytes read from it and refuses to go past a limit."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.stream, self.name, self.count = stream, name, 0

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.count += len(data)
        # A tar file adds up to two blocks of its own to each member.
        if self.count > 2 * MAX_TOTAL_BYTES:
            raise _too_large(self.name)
        return data


def _tar_members(path: Path) -> Iterator[tuple[str, bytes]]:
    compressed = not path.name.lower().endswith(".tar")
    with open_gzip(path) if compressed else path.open("rb") as stream:
        limited = _LimitedStream(stream, path.name)
        total = 0
        with tarfile.open(fileobj=cast(BinaryIO, limited), mode="r|", tarinfo=_StrictTarInfo, bufsize=1 << 16) as archive:
            for member in archive:
                if not member.isreg() or _is_hidden(member.name):
                    continue
                total += member.size
                if member.size > MAX_MEMBER_BYTES or total > MAX_TOTAL_BYTES:
                    raise _too_large(path.name)
                content = archive.extractfile(member)
                assert content is not None  # of a regular file there is always one
                data = content.read()
                if len(data) != member.size:
                    raise EOFError
                yield PurePosixPath(member.name).name, data
        while limited.read(1 << 20):  # to the end, where the checksum is
            pass


def _zip_members(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir() and not _is_hidden(info.filename)]
        if any(info.file_size > MAX_MEMBER_BYTES for info in files) or sum(info.file_size for info in files) > MAX_TOTAL_BYTES:
            raise _too_large(path.name)
        for info in files:
            with archive.open(info) as stream:
                data = stream.read(info.file_size + 1)
            if len(data) != info.file_size:
                raise EOFError
            yield PurePosixPath(info.filename).name, data


def _is_hidden(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return not parts or parts[-1].startswith(".") or "__MACOSX" in parts


def _too_large(name: str) -> UnusableImage:
    return UnusableImage("too-large", f"{name}: unpacks to more than {MAX_TOTAL_BYTES // 2**20} MB; expected one series.")
