"""Planted archives: one series in a ``.tar.gz``, ``.tgz`` or ``.zip``, as the image archive
delivers it, whole and broken.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.ingestion.faults.dicom_series import datasets
from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted, bad, either, legal

Members = list[tuple[str, bytes]]
"""Names and bytes of an archive's files, in its order."""


def members(knee: Knee) -> Members:
    """The slices of a series: ``001, 002, ...``."""
    result = []
    for number, data in enumerate(datasets(knee)):
        stream = io.BytesIO()
        data.save_as(stream, enforce_file_format=True)
        result.append((f"{number + 1:03d}", stream.getvalue()))
    return result


def tar(files: Members, *more: tarfile.TarInfo) -> bytes:
    """A tar file that is not compressed; ``more`` are members without content (links, devices),
    first.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for info in more:
            archive.addfile(info)
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def _tar_gz(edit: Callable[[Members], Members] = list, damage: Callable[[bytes], bytes] = bytes, suffix: str = ".tar.gz") -> Plant:
    return lambda folder, knee: _put(folder, damage(gzip.compress(tar(edit(members(knee))), 1)), suffix)


def _with(*more: tarfile.TarInfo) -> Plant:
    return lambda folder, knee: _put(folder, gzip.compress(tar(members(knee), *more), 1))


def _special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _put(folder: Path, content: bytes, suffix: str = ".tar.gz") -> None:
    """Write the archive in place of the series folder."""
    folder.rmdir()
    (folder.parent / (folder.name + suffix)).write_bytes(content)


def _zip(damage: Callable[[bytes], bytes] = bytes) -> Plant:
    def plant(folder: Path, knee: Knee) -> None:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members(knee):
                archive.writestr(f"series/{name}.dcm", content)
        _put(folder, damage(stream.getvalue()), ".zip")

    return plant


def _plain_tar(folder: Path, knee: Knee) -> None:
    _put(folder, tar(members(knee)))


def _claims(folder: Path, knee: Knee) -> None:
    """A member that says it has 8 GB, and has none of them."""
    info = tarfile.TarInfo("001")
    info.size = 8 * 2**30
    _put(folder, gzip.compress(info.tobuf() + bytes(2048)))


def _bomb(folder: Path, knee: Knee) -> None:
    """A member of 8 GB of zeros, all of them there."""
    info = tarfile.TarInfo("001")
    info.size = 8 * 2**30
    _put(folder, gzip.compress(info.tobuf()) + gzip.compress(bytes(1 << 24), 9) * 512)


def _shuffled(files: Members) -> Members:
    return [files[number] for number in np.random.default_rng(4).permutation(len(files))]


def _cut(share: float) -> Callable[[bytes], bytes]:
    return lambda content: content[: int(len(content) * share)]


def _twisted(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0x5A for byte in content[middle : middle + 16]) + content[middle + 16 :]


CASES: list[Planted] = [
    legal("sound", "as it should be", "tar.gz", _tar_gz()),
    legal("sound", "left knee", "tar.gz", _tar_gz(), side="LEFT"),
    legal("sound", "tgz", "tar.gz", _tar_gz(suffix=".tgz")),
    legal("sound", "as it should be", "zip", _zip()),
    legal("shuffled names", "members in any order", "tar.gz", _tar_gz(_shuffled)),
    legal("shuffled names", "in folders of folders", "tar.gz", _tar_gz(lambda files: [(f"a/b {name}/c", data) for name, data in files])),
    legal("names", "members that point outside", "tar.gz", _tar_gz(lambda files: [(f"../../../{name}", data) for name, data in files])),
    legal("names", "members with absolute names", "tar.gz", _tar_gz(lambda files: [(f"/etc/{name}", data) for name, data in files])),
    legal("other files", "notes among the slices", "tar.gz", _tar_gz(lambda files: [("readme.txt", b"notes"), ("._001", b"\0\5"), *files])),
    legal("links", "a link among the members", "tar.gz", _with(_special("passwd", tarfile.SYMTYPE, "/etc/passwd"))),
    legal("link loops", "a link to itself among the members", "tar.gz", _with(_special("loop", tarfile.SYMTYPE, "loop"))),
    legal(
        "no file", "a pipe and a device among the members", "tar.gz", _with(_special("p", tarfile.FIFOTYPE), _special("d", tarfile.CHRTYPE))
    ),
    *(bad("truncated", f"{share:.0%} is there", "tar.gz", _tar_gz(damage=_cut(share))) for share in (0.1, 0.5, 0.9)),
    bad("truncated", "half is there", "zip", _zip(_cut(0.5))),
    bad("truncated", "one member is cut", "tar.gz", _tar_gz(lambda files: [(n, d[:900] if n == "010" else d) for n, d in files])),
    bad("zero bytes", "empty", "tar.gz", _tar_gz(damage=lambda _: b"")),
    bad("zero bytes", "one empty member", "tar.gz", _tar_gz(lambda files: [(n, b"" if n == "010" else d) for n, d in files])),
    bad("zero bytes", "no members", "tar.gz", _tar_gz(lambda _: [])),
    bad("replaced", "an error page", "tar.gz", _tar_gz(damage=lambda _: b"<html>403 Forbidden</html>")),
    bad("replaced", "flipped bits", "tar.gz", _tar_gz(damage=_twisted)),
    bad("replaced", "flipped bits", "zip", _zip(_twisted)),
    bad("missing slice", "one inside", "tar.gz", _tar_gz(lambda files: [file for file in files if file[0] != "010"])),
    either("duplicate slice", "one member twice", "tar.gz", _tar_gz(lambda files: [*files, files[9]])),
    bad("huge claims", "a member of 8 GB that is not there", "tar.gz", _claims),
    bad("huge claims", "a member of 8 GB of zeros", "tar.gz", _bomb),
    either("names", "not compressed", "tar.gz", _plain_tar),
]
