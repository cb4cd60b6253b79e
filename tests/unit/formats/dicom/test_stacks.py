"""Stacks that share a folder: told apart by their headers, chosen by a stated rule, or refused."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from kneeoa.errors import UnusableImage
from kneeoa.formats.dicom.volume import read_stacks
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, same_place, write_series

SHAPE = (6, 5, 4)
AFFINE = grid("RIP", (3.0, 0.5, 0.7), (10, 20, 30), tilt=8)


def add(folder: Path, prefix: str, array: np.ndarray | None = None, affine: np.ndarray = AFFINE, **tags: Any) -> list[Path]:
    values = pattern(SHAPE) if array is None else array
    return write_series(folder, values, affine, [f"{prefix}{number:02d}" for number in range(len(values))], **tags)


def retag(paths: list[Path], **tags: Any) -> None:
    """Set tags of each file; a list gives each file its own."""
    for number, path in enumerate(paths):
        data = pydicom.dcmread(path)
        for name, value in tags.items():
            setattr(data, name, value[number] if isinstance(value, list) else value)
        data.save_as(path)


def reason(folder: Path, echo: int | None = None) -> str:
    with pytest.raises(UnusableImage) as caught:
        read_volume(folder, "dicom", echo)
    return caught.value.reason


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"EchoTime": 7.48}, {"EchoTime": 42.52}),
        ({"EchoTime": 7.48, "EchoNumbers": 1}, {"EchoTime": 7.48, "EchoNumbers": 2}),
        ({"EchoNumbers": 1}, {"EchoNumbers": 2}),
        (
            {"EchoTime": 7.48, "EchoNumbers": 1, "SeriesInstanceUID": "1.9", "StudyInstanceUID": "1.1"},
            {"EchoTime": 42.52, "EchoNumbers": 2, "SeriesInstanceUID": "1.8", "StudyInstanceUID": "1.1"},
        ),
    ],
)
def test_each_echo_can_be_asked_for(tmp_path: Path, first: dict[str, Any], second: dict[str, Any]) -> None:
    add(tmp_path / "s", "b", **first)
    add(tmp_path / "s", "a", pattern(SHAPE) + 500, **second)
    assert len(read_stacks(tmp_path / "s")) == 2
    for echo, offset in ((None, 0), (1, 0), (2, 500)):
        assert same_place(read_volume(tmp_path / "s", "dicom", echo), pattern(SHAPE) + offset, AFFINE)
    assert reason(tmp_path / "s", 3) == "missing-echo"


def test_a_second_echo_never_stands_in_for_a_damaged_first(tmp_path: Path) -> None:
    add(tmp_path / "s", "a", EchoTime=7.5)[3].unlink()
    add(tmp_path / "s", "b", EchoTime=42.5)
    assert reason(tmp_path / "s") == "slice-gap"
    assert read_volume(tmp_path / "s", "dicom", 2).array.shape == SHAPE


@pytest.mark.parametrize(
    "values",
    [
        {"TemporalPositionIdentifier": (1, 2)},
        {"TriggerTime": (0.0, 250.0)},
        {"AcquisitionNumber": (3, 4)},
        {"TriggerTime": ([10.0 * n for n in range(6)], [10.0 * n + 3 for n in range(6)])},
    ],
)
def test_phases_at_one_place_are_told_apart_and_the_first_is_read(tmp_path: Path, values: dict[str, tuple[Any, Any]]) -> None:
    (tag, (first, second)) = next(iter(values.items()))
    later, sooner = add(tmp_path / "s", "a", pattern(SHAPE) + 500), add(tmp_path / "s", "b")
    each = isinstance(first, list) and isinstance(first[0], float)
    retag(sooner, **{tag: first if each else [first] * 6})
    retag(later, **{tag: second if each else [second] * 6})
    assert [stack.phases for stack in read_stacks(tmp_path / "s")] == [2, 2]
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


def test_an_acquisition_number_that_counts_slices_parts_nothing(tmp_path: Path) -> None:
    retag(add(tmp_path / "s", "a"), AcquisitionNumber=[1, 2, 3, 4, 5, 6], TriggerTime=[9.0, 8.0, 7.0, 6.0, 5.0, 4.0])
    assert len(read_stacks(tmp_path / "s")) == 1
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)


def test_phases_without_a_mark_are_refused(tmp_path: Path) -> None:
    add(tmp_path / "s", "a")
    add(tmp_path / "s", "b", pattern(SHAPE) + 500)
    assert reason(tmp_path / "s") == "ambiguous-series"


def test_copies_are_read_once_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for path in add(tmp_path / "s", "a"):
        (tmp_path / "s" / f"copy-{path.name}").write_bytes(path.read_bytes())
    with caplog.at_level(logging.INFO):
        assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)
    assert caplog.text.count("is a copy of") == 6


@pytest.mark.parametrize(
    ("image_type", "shape", "read"),
    [
        (["ORIGINAL", "PRIMARY", "LOCALIZER"], (9, 5, 4), True),  # more slices, but a localiser
        (["DERIVED", "SECONDARY", "REFORMATTED"], (16, 5, 4), True),  # more slices, but derived
        (["ORIGINAL", "PRIMARY", "MPR"], (6, 5, 4), True),
        (["ORIGINAL", "PRIMARY", "M"], (3, 5, 4), True),  # fewer slices
        (["ORIGINAL", "PRIMARY", "M"], (6, 5, 4), False),  # as good as the other
    ],
)
def test_localisers_and_derived_stacks_lose_and_equals_are_refused(
    tmp_path: Path, image_type: list[str], shape: tuple[int, int, int], read: bool
) -> None:
    add(tmp_path / "s", "b", ImageType=["ORIGINAL", "PRIMARY", "M"])
    add(tmp_path / "s", "a", pattern(shape), grid("SPL", (2.0, 0.5, 0.7)), ImageType=image_type)
    if read:
        assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE)
    else:
        assert reason(tmp_path / "s") == "ambiguous-series"


def test_two_series_of_one_kind_in_a_folder_are_a_guess_and_refused(tmp_path: Path) -> None:
    add(tmp_path / "s", "a", SeriesInstanceUID="1.1")
    add(tmp_path / "s", "b", affine=grid("RIP", (3.0, 0.5, 0.7), (90, 20, 30), tilt=8), SeriesInstanceUID="1.2")
    assert reason(tmp_path / "s") == "ambiguous-series"


@pytest.mark.parametrize("jitter", [1e-6, 4e-4])
def test_rounded_directions_and_positions_part_nothing(tmp_path: Path, jitter: float) -> None:
    files = add(tmp_path / "s", "a")
    rng = np.random.default_rng(1)
    for path in files:
        data = pydicom.dcmread(path)
        data.ImageOrientationPatient = [f"{float(v) + jitter * rng.uniform(-1, 1):.7f}" for v in data.ImageOrientationPatient]
        data.ImagePositionPatient = [f"{float(v) + jitter * rng.uniform(-1, 1):.6f}" for v in data.ImagePositionPatient]
        data.save_as(path)
    assert same_place(read_volume(tmp_path / "s", "dicom"), pattern(SHAPE), AFFINE, tolerance=0.01)


def test_one_slice_of_another_orientation_leaves_a_hole(tmp_path: Path) -> None:
    files = add(tmp_path / "s", "a")
    data = pydicom.dcmread(files[2])
    data.ImageOrientationPatient = [0, 0, 1, 1, 0, 0]
    data.save_as(files[2])
    assert reason(tmp_path / "s") == "slice-gap"


def shifted(tmp_path: Path, aside: Any) -> Path:
    """A series whose slice ``n`` is moved ``aside(n)`` mm along its rows."""
    for number, path in enumerate(add(tmp_path / "s", "a")):
        data = pydicom.dcmread(path)
        row = np.array(data.ImageOrientationPatient[:3], dtype=float)
        data.ImagePositionPatient = [float(v) for v in np.array(data.ImagePositionPatient, dtype=float) + aside(number) * row]
        data.save_as(path)
    return tmp_path / "s"


def test_slices_that_drift_aside_shear_the_affine(tmp_path: Path) -> None:
    folder = shifted(tmp_path, lambda number: 0.6 * number)
    sheared = AFFINE.copy()
    sheared[:3, 0] += 0.6 * AFFINE[:3, 2] / 0.7
    assert same_place(read_volume(folder, "dicom"), pattern(SHAPE), sheared)


@pytest.mark.parametrize(
    ("aside", "slug"), [(lambda number: 3.0 * number, "sheared-stack"), (lambda number: 2.0 * (number == 3), "crooked-stack")]
)
def test_slices_that_jump_or_lean_too_far_are_refused(tmp_path: Path, aside: Any, slug: str) -> None:
    assert reason(shifted(tmp_path, aside)) == slug


def test_uneven_steps_are_not_called_a_gap(tmp_path: Path) -> None:
    files = add(tmp_path / "s", "a")
    data = pydicom.dcmread(files[5])
    data.ImagePositionPatient = [float(v) for v in np.array(data.ImagePositionPatient, float) + 0.2 * np.diag([-1, -1, 1]) @ AFFINE[:3, 0]]
    data.save_as(files[5])
    assert reason(tmp_path / "s") == "uneven-slices"


@pytest.mark.parametrize(
    ("tags", "slug"),
    [
        ({"PixelSpacing": [0, 0.7]}, "absurd-spacing"),
        ({"PixelSpacing": [-0.5, 0.7]}, "absurd-spacing"),
        ({"PixelSpacing": [350, 350]}, "absurd-spacing"),
        ({"PixelSpacing": [0.0005, 0.0007]}, "absurd-spacing"),
        ({"PixelSpacing": None}, "missing-geometry"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "bad-affine"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "bad-affine"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0, "PixelData": bytes(120)}, "not-greyscale"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "not-greyscale"),
        ({"BitsAllocated": 64, "BitsStored": 64, "HighBit": 63, "PixelData": bytes(160)}, "unsupported-dicom"),
        ({"BitsStored": 20}, "unreadable"),
    ],
)
def test_impossible_headers_have_their_reasons(tmp_path: Path, tags: dict[str, Any], slug: str) -> None:
    add(tmp_path / "s", "a", **tags)
    assert reason(tmp_path / "s") == slug
