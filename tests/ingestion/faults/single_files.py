"""Damage that any volume file can suffer, in each format: cut, emptied, replaced, too long."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted, bad, either, legal
from tests.ingestion.faults.volume_bytes import meta, nifti, nrrd

Damage = Callable[[bytes], bytes]


def write_gz(folder: Path, knee: Knee) -> Path:
    (folder / "dess.nii.gz").write_bytes(gzip.compress(nifti(knee), 1, mtime=0))
    return folder / "dess.nii.gz"


def write_nii(folder: Path, knee: Knee) -> Path:
    (folder / "dess.nii").write_bytes(nifti(knee, "PSR"))
    return folder / "dess.nii"


def write_mha(folder: Path, knee: Knee) -> Path:
    (folder / "dess.mha").write_bytes(b"".join(meta(knee)))
    return folder / "dess.mha"


def write_mhd(folder: Path, knee: Knee) -> Path:
    header, voxels = meta(knee, "RIP", data_file="dess.raw")
    (folder / "dess.mhd").write_bytes(header)
    (folder / "dess.raw").write_bytes(voxels)
    return folder / "dess.raw"


def write_nrrd(folder: Path, knee: Knee) -> Path:
    (folder / "dess.nrrd").write_bytes(nrrd(knee, "ASL"))
    return folder / "dess.nrrd"


WRITERS = {"nii.gz": write_gz, "nii": write_nii, "mha": write_mha, "mhd": write_mhd, "nrrd": write_nrrd}


def damaged(write: Callable[[Path, Knee], Path], damage: Damage) -> Plant:
    """Write a sound file, then damage its bytes (for ``.mhd`` those of the ``.raw``)."""

    def plant(folder: Path, knee: Knee) -> None:
        path = write(folder, knee)
        path.write_bytes(damage(path.read_bytes()))

    return plant


def _cut(share: float) -> Damage:
    return lambda content: content[: int(len(content) * share)]


def _flip_bits(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0x55 for byte in content[middle : middle + 8]) + content[middle + 8 :]


_NOISE = np.random.default_rng(11).bytes(20_000)
_PAGE = b"<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body>Please log in again.</body></html>\n"


def _cases(format: str, write: Callable[[Path, Knee], Path]) -> list[Planted]:
    cases = [legal("sound", "as it should be", format, write), legal("sound", "left knee", format, write, side="LEFT")]
    for name, share in (("a hundredth", 0.01), ("a tenth", 0.1), ("half", 0.5), ("nine tenths", 0.9)):
        cases.append(bad("truncated", f"{name} is there", format, damaged(write, _cut(share))))
    cases.append(bad("truncated", "without its last 64 bytes", format, damaged(write, lambda content: content[:-64])))
    cases.append(either("truncated", "without its last byte", format, damaged(write, lambda content: content[:-1])))
    cases.append(bad("zero bytes", "empty", format, damaged(write, lambda _: b"")))
    cases.append(bad("zero bytes", "one byte", format, damaged(write, lambda content: content[:1])))
    if format != "mhd":  # voxels without any structure cannot be told from others
        cases.append(bad("zero bytes", "zeros of full length", format, damaged(write, lambda content: bytes(len(content)))))
        cases.append(bad("replaced", "noise", format, damaged(write, lambda _: _NOISE)))
        cases.append(bad("replaced", "two copies in one", format, damaged(write, lambda content: content[: len(content) // 3] * 3)))
    cases.append(bad("replaced", "an error page", format, damaged(write, lambda _: _PAGE)))
    if format in ("nii.gz", "nrrd"):
        cases.append(bad("replaced", "flipped bits in the stream", format, damaged(write, _flip_bits)))
    cases.append(either("too long", "trailing garbage", format, damaged(write, lambda content: content + b"garbage" * 9)))
    cases.append(either("too long", "trailing zeros", format, damaged(write, lambda content: content + bytes(4096))))
    return cases


CASES = [case for format, write in WRITERS.items() for case in _cases(format, write)]
