"""Planted DICOM series whose files are damaged, missing, doubled, shuffled or mixed."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset

from tests.ingestion.faults.dicom_plants import MIDDLE, case, move, per_slice, series, sound
from tests.ingestion.faults.dicom_series import Change, datasets, save, set_all, set_one
from tests.ingestion.faults.knees import Knee, knee
from tests.ingestion.faults.planted import Plant, Planted


def _files(edit: Callable[[Path, list[Path]], object]) -> Plant:
    """Write a sound series, then edit its files."""

    def plant(folder: Path, planted: Knee) -> None:
        edit(folder, save(folder, datasets(planted)))

    return plant


def _cut(share: float) -> Plant:
    return _files(lambda _, paths: paths[MIDDLE].write_bytes(paths[MIDDLE].read_bytes()[: int(paths[MIDDLE].stat().st_size * share)]))


def _gone(*numbers: int) -> Plant:
    return _files(lambda _, paths: [paths[number].unlink() for number in numbers])


def _shuffled(seed: int) -> Callable[[int], list[str]]:
    return lambda count: [f"{number + 1:03d}" for number in np.random.default_rng(seed).permutation(count)]


def _double(*, same_pixels: bool, same_uid: bool) -> Change:
    def change(slices: list[FileDataset], _: Knee) -> None:
        twin = copy.deepcopy(slices[MIDDLE])
        if not same_uid:
            twin.SOPInstanceUID = twin.file_meta.MediaStorageSOPInstanceUID = f"{twin.SOPInstanceUID[:-2]}99"
        if not same_pixels:
            twin.PixelData = bytes(reversed(twin.PixelData))
        slices.append(twin)

    return change


def _with(other: Callable[[Knee], list[FileDataset]], *, first: bool = True) -> Change:
    """Another stack in the same folder, written before or after the knee's."""

    def change(slices: list[FileDataset], planted: Knee) -> None:
        more = other(planted)
        slices[:] = [*more, *slices] if first else [*slices, *more]

    return change


def _localiser(planted: Knee) -> list[FileDataset]:
    return datasets(planted, planted.codes.replace("R", "r").replace("L", "l").upper()[1] + planted.codes[0] + "P", series="localiser")[:3]


def _small(planted: Knee) -> list[FileDataset]:
    slices = datasets(planted, series="scout")[:4]
    for data in slices:
        data.Rows, data.Columns = 16, 15
        data.PixelData = data.PixelData[: 16 * 15 * 2]
    return slices


def _second_echo(planted: Knee) -> list[FileDataset]:
    slices = datasets(planted, echo=14.1)
    for number, data in enumerate(slices):
        data.InstanceNumber = number + 501
        data.PixelData = (np.frombuffer(data.PixelData, "<i2") // 3).astype("<i2").tobytes()
    return slices


def _other_person(planted: Knee) -> list[FileDataset]:
    slices = datasets(knee(999, planted.side))
    for data in slices:
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{data.SOPInstanceUID[:-2]}77"
        data.PatientID = "another"
    return slices


def _turn(data: FileDataset) -> None:
    values = np.reshape([float(value) for value in data.ImageOrientationPatient], (2, 3))
    angle = np.radians(8)
    values = np.array([values[0] * np.cos(angle) + values[1] * np.sin(angle), values[1] * np.cos(angle) - values[0] * np.sin(angle)])
    data.ImageOrientationPatient = [f"{value:.9f}" for value in values.ravel()]


def _beside(folder: Path, _: list[Path]) -> None:
    for name, content in (
        (".DS_Store", b"\0\0\0\1Bud1"),
        ("Thumbs.db", b"\xd0\xcf\x11\xe0"),
        ("readme.txt", b"notes"),
        ("._001", b"\0\5\x16\7"),
    ):
        (folder / name).write_bytes(content)


CASES: list[Planted] = [
    sound("sound", "as it should be", series()),
    sound("sound", "left knee", series(), side="LEFT"),
    sound("sound", "slices from lateral to medial", series(codes="LIP")),
    *(
        case("truncated", f"one slice, {name} is there", _cut(share))
        for name, share in (("a hundredth", 0.01), ("a tenth", 0.1), ("half", 0.5), ("99 %", 0.99))
    ),
    case("zero bytes", "one slice is empty", _files(lambda _, paths: paths[MIDDLE].write_bytes(b""))),
    case("zero bytes", "all slices are empty", _files(lambda _, paths: [path.write_bytes(b"") for path in paths])),
    case("zero bytes", "one slice is zeros", _files(lambda _, paths: paths[MIDDLE].write_bytes(bytes(2400)))),
    case("replaced", "one slice is an error page", _files(lambda _, paths: paths[MIDDLE].write_bytes(b"<html>403</html>"))),
    case("missing slice", "one inside", _gone(MIDDLE)),
    case("missing slice", "two neighbours", _gone(MIDDLE, MIDDLE + 1)),
    case("missing slice", "several inside", _gone(3, 7, 12)),
    case("missing slice", "the second", _gone(1)),
    case("missing slice", "all but two", _gone(*range(1, 19))),
    case("missing slice", "all but one", _gone(*range(1, 20))),
    case("duplicate slice", "the same file twice", series(_double(same_pixels=True, same_uid=True)), reads=True),
    case("duplicate slice", "the same voxels, another identifier", series(_double(same_pixels=True, same_uid=False)), reads=True),
    case("duplicate slice", "other voxels, the same identifier", series(_double(same_pixels=False, same_uid=True))),
    case("duplicate slice", "other voxels, another identifier", series(_double(same_pixels=False, same_uid=False))),
    sound("shuffled names", "numbers at random", series(names=_shuffled(1))),
    sound("shuffled names", "reversed", series(names=lambda count: [f"{count - number:03d}" for number in range(count)])),
    sound("shuffled names", "not padded (1, 10, 11, 2)", series(names=lambda count: [str(number + 1) for number in range(count)])),
    sound(
        "shuffled names",
        "IM-0001.dcm and IM-2.DCM",
        series(names=lambda count: [f"IM-{number}.{'dcm' if number % 2 else 'DCM'}" for number in range(count)]),
    ),
    sound(
        "shuffled names",
        "instance numbers at random",
        series(per_slice(lambda number, data: setattr(data, "InstanceNumber", number * 7 % 20))),
    ),
    sound("shuffled names", "instance numbers all alike", series(set_all(InstanceNumber=1))),
    sound("shuffled names", "no instance numbers", series(set_all(InstanceNumber=None))),
    sound("mixed series", "a localiser of another orientation first", series(_with(_localiser))),
    sound("mixed series", "a localiser of another orientation last", series(_with(_localiser, first=False))),
    sound("mixed series", "a scout of another matrix", series(_with(_small))),
    case("mixed series", "two series of one size", series(_with(lambda planted: datasets(knee(998, planted.side), series="other")))),
    case("mixed series", "two echoes", series(_with(_second_echo)), reads=True),
    case("mixed series", "two people in one series", series(_with(_other_person))),
    case(
        "mixed series",
        "the slices of two series by turns",
        series(per_slice(lambda number, data: setattr(data, "SeriesInstanceUID", f"1.2.{number % 2}"))),
    ),
    case("mixed orientations", "one slice inside lies askew", series(lambda slices, _: _turn(slices[MIDDLE]))),
    case("mixed orientations", "one slice inside has another spacing", series(set_one(MIDDLE, PixelSpacing=["1", "1"]))),
    case("sheared stack", "each slice lower by what it is thick", series(per_slice(lambda number, data: move(data, 1, 4.0 * number)))),
    case("sheared stack", "one slice displaced in its plane", series(lambda slices, _: move(slices[MIDDLE], 1, 6.0))),
    case("irregular slices", "one slice a third of a step off", series(lambda slices, _: move(slices[MIDDLE], 0, 1.3))),
    case("irregular slices", "steps grow", series(per_slice(lambda number, data: move(data, 0, 0.15 * number**2)))),
    case("irregular slices", "all at one place", series(set_all(ImagePositionPatient=["0", "0", "0"]))),
    sound("other files", "what systems leave in folders", _files(_beside)),
    sound(
        "other files",
        "a subfolder with another series",
        _files(lambda folder, paths: shutil.copytree(folder, folder.parent / "x") and shutil.move(folder.parent / "x", folder / "old")),
    ),
    case(
        "other files",
        "a PDF that claims to be a slice",
        _files(lambda folder, _: (folder / "report").write_bytes(b"%PDF-1.4 report")),
        reads=True,
    ),
]
