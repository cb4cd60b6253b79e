"""Planted archives: one series in a ``.tar.gz``, ``.tgz`` or ``.zip``, as the image archive
delivers it, whole and broken.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.ingestion.faults.dicom_series import datasets
from tests.ingestion.faults.knees import Knee, knee
from tests.ingestion.faults.planted import Plant, Planted, bad, either, legal
from tests.ingestion.faults.single_files import write_gz, write_mha, write_mhd, write_nii, write_nrrd

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


def _packed(files: Members, suffix: str) -> bytes:
    if suffix == ".zip":
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files:
                archive.writestr(name, content)
        return stream.getvalue()
    return tar(files) if suffix == ".tar" else gzip.compress(tar(files), 1)


def _converted(write: Callable[[Path, Knee], object], suffix: str, edit: Callable[[Members], Members] = list) -> Plant:
    """An archive of the files that ``write`` leaves in a folder."""

    def plant(folder: Path, planted: Knee) -> None:
        with TemporaryDirectory() as place:
            write(Path(place), planted)
            files = [(path.name, path.read_bytes()) for path in sorted(Path(place).iterdir())]
        _put(folder, _packed(edit(files), suffix), suffix)

    return plant


def _bids(files: Members) -> Members:
    """A study's folders with the descriptions that converters write."""
    described: Members = [("dataset_description.json", b"{}"), ("README", b"notes"), ("sub-1/anat/x.json", b'{"EchoNumber": 1}')]
    return [*described, *((f"sub-1/anat/{name}", content) for name, content in files), ("sub-1/x.bval", b"0\n"), ("sub-1/x.bvec", b"0\n")]


def _two(folder: Path, planted: Knee) -> None:
    write_gz(folder, planted)
    write_nrrd(folder, replace(planted, array=knee(997).array))


def _gap() -> Members:
    return [file for file in members(knee(3)) if file[0] != "010"]


def _report(files: Members) -> Members:
    """A report and a presentation state of DICOM before the volume."""
    objects = []
    for number, kind in enumerate(("88.33", "11.1")):
        data = datasets(knee(1))[0]
        for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
            delattr(data, keyword)
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = f"1.2.840.10008.5.1.4.1.1.{kind}"
        stream = io.BytesIO()
        data.save_as(stream, enforce_file_format=True)
        objects.append((f"00{number}", stream.getvalue()))
    return [*objects, *files]


_CONVERTED: dict[str, Callable[[Path, Knee], object]] = {
    "a NIfTI": write_gz,
    "a plain NIfTI": write_nii,
    "a MetaImage": write_mha,
    "a MetaImage and its voxels": write_mhd,
    "a NRRD": write_nrrd,
}
_SUFFIXES = (".zip", ".tar.gz", ".tgz")


CASES: list[Planted] = [
    *(
        legal("converted", f"{name} in {suffix}", suffix, _converted(write, suffix), side=("RIGHT", "LEFT")[number % 2])
        for name, write in _CONVERTED.items()
        for number, suffix in enumerate(_SUFFIXES)
    ),
    *(legal("converted", f"a NIfTI among descriptions in {suffix}", suffix, _converted(write_gz, suffix, _bids)) for suffix in _SUFFIXES),
    legal("converted", "a NIfTI behind DICOM objects without an image", ".zip", _converted(write_gz, ".zip", _report)),
    bad("converted", "two volumes", ".zip", _converted(_two, ".zip")),
    bad("converted", "two volumes", ".tar.gz", _converted(_two, ".tar.gz", _bids)),
    bad("converted", "a cut volume", ".zip", _converted(write_nii, ".zip", lambda files: [(name, data[:9000]) for name, data in files])),
    bad("converted", "voxels without their header", ".zip", _converted(write_mhd, ".zip", lambda files: files[1:])),
    bad("converted", "a header without its voxels", ".tar.gz", _converted(write_mhd, ".tar.gz", lambda files: files[:1])),
    bad(
        "converted",
        "a volume and a file that may have been a slice",
        ".zip",
        _converted(write_gz, ".zip", lambda files: [*files, ("1", b"")]),
    ),
    bad(
        "converted",
        "a volume beside a cut series",
        ".zip",
        _converted(write_gz, ".zip", lambda files: [*members(knee(3))[:9], *members(knee(3))[11:], *files]),
    ),
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
