"""Collect the files of a crate and write them as a zip file that is equal for equal bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from kneeoa.atomic_io import atomic_path

HOME = Path(__file__).resolve().parents[4]
"""The folder of the workflow that this library is part of."""

_SOURCES = ("Snakefile", "CITATION.cff", "LICENSE", "scripts/*.py", "envs/*.txt", "workflow/**/*.smk", "workflow/lib/**/*.py")
_TEMPLATES = "workflow/lib/**/*.j2"
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can name."""


def source_files(home: Path) -> list[Path]:
    """Return the workflow's own files relative to its folder, sorted."""
    files = {file.relative_to(home) for pattern in (*_SOURCES, _TEMPLATES) for file in home.glob(pattern) if file.is_file()}
    return sorted(files)


def strip_paths(value: Any) -> Any:
    """Strip a configuration of folders on a machine: of an absolute path, or one below a home, the
    last part stays.
    """
    if isinstance(value, Mapping):
        return {key: strip_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strip_paths(item) for item in value]
    if isinstance(value, str) and value.startswith(("/", "~")):
        return PurePosixPath(value).name
    return value


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    """Write ``members`` (name -> bytes) in their order, atomically, without time stamps or
    owners.
    """
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
