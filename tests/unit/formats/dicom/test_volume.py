"""DICOM series: order by place, dominant stack, and each way of being unusable."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.volume import read_dicom
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, same_place, write_series

SHAPE = (6, 5, 4)
AFFINE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 30), tilt=8)


@pytest.mark.parametrize("codes", ["RIP", "LIP", "SPL", "ARS"])
def test_a_series_lies_where_its_files_say_whatever_their_names(tmp_path: Path, codes: str) -> None:
    affine = grid(codes, (3.0, 0.5, 0.7), (10, 20, 30), tilt=8)
    write_series(tmp_path / "s", pattern(SHAPE), affine, ["004", "001", "006", "002", "005", "003"])
    result = read_dicom(tmp_path / "s")
    assert same_place(result, pattern(SHAPE), affine)
    assert result.array.dtype == np.int16
    np.testing.assert_allclose(result.spacing, [3.0, 0.5, 0.7], atol=1e-6)


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE, RescaleSlope=2, RescaleIntercept=-5)
    np.testing.assert_array_equal(np.sort(read_dicom(tmp_path / "s").array.ravel()), 2.0 * np.arange(120) - 5)


def test_localisers_other_sizes_and_other_series_are_left_out(tmp_path: Path) -> None:
    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    write_series(tmp_path / "s", pattern((2, 5, 4)), grid("SPL", (20, 0.5, 0.7)), ["000a", "000b"])
    write_series(tmp_path / "s", pattern((3, 9, 4)), AFFINE, ["x", "y", "z"])
    write_series(tmp_path / "s", pattern((4, 5, 4)), AFFINE, ["p", "q", "r", "t"], SeriesInstanceUID="1.2.3.5")
    (tmp_path / "s" / "notes.txt").write_text("not a slice")
    assert same_place(read_dicom(tmp_path / "s"), pattern(SHAPE), AFFINE)


def test_of_two_echoes_in_one_folder_the_earlier_is_taken(tmp_path: Path) -> None:
    scan = {"StudyInstanceUID": "1.0", "AcquisitionTime": "101112"}
    for name, offset, echo in (("a", 1000, 42.5), ("b", 0, 7.5)):
        files = [f"{name}{number}" for number in range(6)]
        write_series(tmp_path / "s", pattern(SHAPE) + offset, AFFINE, files, EchoTime=echo, SeriesInstanceUID=f"1.{echo}", **scan)
    assert same_place(read_dicom(tmp_path / "s"), pattern(SHAPE), AFFINE)


def reason(folder: Path) -> str:
    with pytest.raises(UnusableImage) as caught:
        read_volume(folder, "dicom")
    return caught.value.reason


def test_each_fault_has_its_reason(tmp_path: Path) -> None:
    def series(name: str) -> list[Path]:
        return write_series(tmp_path / name, pattern(SHAPE), AFFINE)

    series("gap")[3].unlink()
    assert reason(tmp_path / "gap") == "slice-gap"

    files = series("duplicate")
    other = pydicom.dcmread(files[2])
    other.PixelData = other.PixelData[::-1]
    other.save_as(tmp_path / "duplicate/other")
    assert reason(tmp_path / "duplicate") == "duplicate-slice"

    files = series("cut")
    files[2].write_bytes(files[2].read_bytes()[:-10])
    assert reason(tmp_path / "cut") == "unreadable"

    series("empty")[5].write_bytes(b"")
    assert reason(tmp_path / "empty") == "unreadable"

    series("noise")[0].write_bytes(bytes(range(256)) * 4)
    assert reason(tmp_path / "noise") == "unreadable"

    for path in series("two")[2:]:
        path.unlink()
    assert reason(tmp_path / "two") == "too-few-slices"

    (tmp_path / "nothing").mkdir()
    assert reason(tmp_path / "nothing") == "too-few-slices"
    assert reason(tmp_path / "nowhere") == "missing-file"

    path = series("placeless")[1]
    data = pydicom.dcmread(path)
    del data.ImagePositionPatient
    data.save_as(path)
    assert reason(tmp_path / "placeless") == "missing-geometry"

    write_series(tmp_path / "frames", pattern(SHAPE), AFFINE, NumberOfFrames=2, PixelData=bytes(80))
    assert reason(tmp_path / "frames") == "unsupported-dicom"


def test_a_file_cut_at_any_place_is_an_exclusion_not_a_crash(tmp_path: Path) -> None:
    files = write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    whole = files[3].read_bytes()
    for length in range(0, len(whole) - 1, 23):
        files[3].write_bytes(whole[:length])
        assert reason(tmp_path / "s") in {"unreadable", "missing-geometry"}, length


def test_no_names_or_birth_dates_are_even_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[pydicom.Dataset] = []
    real = pydicom.dcmread

    def spy(*arguments: object, **options: object) -> pydicom.Dataset:
        parsed.append(real(*arguments, **options))  # type: ignore[arg-type]
        return parsed[-1]

    write_series(tmp_path / "s", pattern(SHAPE), AFFINE)
    monkeypatch.setattr(pydicom, "dcmread", spy)
    read_dicom(tmp_path / "s")
    assert len(parsed) == 6
    assert not any("PatientName" in data or "PatientBirthDate" in data for data in parsed)
