"""Places of files: names, links, loops, permissions, and things that are no files at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.ingestion.faults.dicom_series import datasets, save
from tests.ingestion.faults.knees import Knee
from tests.ingestion.faults.planted import Plant, Planted, bad, either, legal
from tests.ingestion.faults.single_files import write_gz, write_mhd, write_nrrd


def _named(name: str) -> Plant:
    return lambda folder, knee: write_gz(folder, knee).rename(folder / f"{name}.nii.gz") and None


def _slices(name: Callable[[int], str]) -> Plant:
    return lambda folder, knee: save(folder, datasets(knee), [name(number) for number in range(20)]).clear()


def _elsewhere(folder: Path) -> Path:
    """A hidden folder beside the series folder."""
    place = folder.parent / f".{folder.name}.store"
    place.mkdir()
    return place


def _linked_file(folder: Path, knee: Knee) -> None:
    (folder / "dess.nii.gz").symlink_to(write_gz(_elsewhere(folder), knee))


def _linked_folder(folder: Path, knee: Knee) -> None:
    place = _elsewhere(folder)
    save(place, datasets(knee))
    folder.rmdir()
    folder.symlink_to(place, target_is_directory=True)


def _linked_slices(folder: Path, knee: Knee) -> None:
    for path in save(_elsewhere(folder), datasets(knee)):
        (folder / path.name).symlink_to(path)


def _hard_links(folder: Path, knee: Knee) -> None:
    os.link(write_gz(_elsewhere(folder), knee), folder / "dess.nii.gz")


def _dangling(folder: Path, _: Knee) -> None:
    (folder / "dess.nii.gz").symlink_to(folder / "nothing.nii.gz")


def _dangling_slice(folder: Path, knee: Knee) -> None:
    paths = save(folder, datasets(knee))
    paths[9].unlink()
    paths[9].symlink_to(folder / "nothing")


def _loop_file(folder: Path, _: Knee) -> None:
    (folder / "dess.nii.gz").symlink_to(folder / "dess.nii.gz")


def _loop_folder(folder: Path, _: Knee) -> None:
    folder.rmdir()
    folder.symlink_to(folder.name)


def _loop_inside(folder: Path, knee: Knee) -> None:
    save(folder, datasets(knee))
    (folder / "again").symlink_to(folder, target_is_directory=True)
    (folder / "back").symlink_to(folder.parent, target_is_directory=True)


def _folder_for_file(folder: Path, _: Knee) -> None:
    (folder / "dess.nii.gz").mkdir()


def _folder_for_slice(folder: Path, knee: Knee) -> None:
    paths = save(folder, datasets(knee))
    paths[9].unlink()
    paths[9].mkdir()


def _pipe(folder: Path, _: Knee) -> None:
    os.mkfifo(folder / "dess.nii.gz")


def _pipe_among_slices(folder: Path, knee: Knee) -> None:
    save(folder, datasets(knee))
    os.mkfifo(folder / "pipe")


def _not_utf8(folder: Path, knee: Knee) -> None:
    path = write_gz(folder, knee)
    os.rename(os.fsencode(path), os.fsencode(folder) + b"/kn\xff\xfe.nii.gz")


def _broken_slice_not_utf8(folder: Path, knee: Knee) -> None:
    paths = save(folder, datasets(knee))
    paths[9].write_bytes(b"")
    os.rename(os.fsencode(paths[9]), os.fsencode(folder) + b"/kn\xff\xfe")


def _forbidden_file(folder: Path, knee: Knee) -> None:
    write_gz(folder, knee).rename(folder / "forbidden.nii.gz")


def _forbidden_slice(folder: Path, knee: Knee) -> None:
    save(folder, datasets(knee))[9].rename(folder / "forbidden")


def _forbidden_voxels(folder: Path, knee: Knee) -> None:
    raw = write_mhd(folder, knee).rename(folder / "forbidden.raw")
    header = folder / "dess.mhd"
    header.write_bytes(header.read_bytes().replace(b"dess.raw", raw.name.encode()))


def _forbidden_nrrd(folder: Path, knee: Knee) -> None:
    write_nrrd(folder, knee).rename(folder / "forbidden.nrrd")


def _two(folder: Path, knee: Knee) -> None:
    write_gz(folder, knee)
    write_nrrd(folder, knee)


def _guarded(case: Planted) -> Planted:
    return replace(case, damage=True)


_NAMES = {
    "unicode": "膝関節 Ünïcode",
    "combining accents": "genou de\u0301core\u0301",
    "right to left": "ركبة",
    "emoji": "🦵",
    "blanks": "  a  b ",
    "quotes": 'it\'s "this"',
    "a line break": "one\ntwo",
    "percent and braces": "100%{x}%s",
    "stars and question marks": "*?[a]",
    "a leading dash": "-rf",
    "a backslash": "a\\b",
    "two hundred letters": "k" * 200,
}

CASES: list[Planted] = [
    *(legal("names", name, "nii.gz", _named(text)) for name, text in _NAMES.items()),
    legal("names", "slices in unicode", "dicom", _slices(lambda number: f"scheibe-{number}-ß膝")),
    legal("names", "slices with blanks and quotes", "dicom", _slices(lambda number: f" it's {number} .ima")),
    either("names", "not UTF-8", "nii.gz", _not_utf8),
    bad("names", "a broken slice, not UTF-8", "dicom", _broken_slice_not_utf8),
    legal("links", "a link to the file", "nii.gz", _linked_file),
    legal("links", "a hard link", "nii.gz", _hard_links),
    legal("links", "a link to the folder", "dicom", _linked_folder),
    legal("links", "every slice is a link", "dicom", _linked_slices),
    bad("links", "a link to nothing", "nii.gz", _dangling),
    bad("links", "one slice is a link to nothing", "dicom", _dangling_slice),
    bad("link loops", "the file links to itself", "nii.gz", _loop_file),
    bad("link loops", "the folder links to itself", "dicom", _loop_folder),
    legal("link loops", "links to the folder and its parent inside the series", "dicom", _loop_inside),
    bad("no file", "a folder in its place", "nii.gz", _folder_for_file),
    bad("no file", "a folder in place of a slice", "dicom", _folder_for_slice),
    bad("no file", "a pipe in its place", "nii.gz", _pipe),
    either("no file", "a pipe among the slices", "dicom", _pipe_among_slices),
    bad("no file", "nothing in the folder", "none", lambda folder, knee: None),
    bad("no file", "the folder is not there", "none", lambda folder, knee: folder.rmdir()),
    bad("no file", "two images", "nii.gz", _two),
    _guarded(bad("permission", "the file", "nii.gz", _forbidden_file)),
    _guarded(bad("permission", "the file", "nrrd", _forbidden_nrrd)),
    _guarded(bad("permission", "the voxels' file", "mhd", _forbidden_voxels)),
    _guarded(bad("permission", "one slice", "dicom", _forbidden_slice)),
    _guarded(bad("permission", "the folder of a series", "dicom", lambda folder, knee: save(folder, datasets(knee)).clear())),
    _guarded(bad("permission", "the folder of a file", "nii.gz", lambda folder, knee: write_gz(folder, knee) and None)),
]
