"""Echoes of converted files: along a fourth axis, or as the file's name or description says."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from kneeoa.errors import UnusableImage
from kneeoa.formats.converted_echo import stated_echo
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, same_place, write_itk, write_nifti

SHAPE = (6, 5, 4)
AFFINE = grid("ALI", (3.0, 0.5, 0.7), (10, -20, 30), tilt=9)
FIRST, SECOND, THIRD = (pattern(SHAPE) + np.int16(200 * number) for number in range(3))
FORMATS = {".nii": "nifti", ".gz": "nifti", ".mha": "meta", ".mhd": "meta", ".nrrd": "nrrd"}


def read(path: Path, echo: int | None):
    return read_volume(path, FORMATS[path.suffix], echo)


def reason(path: Path, echo: int | None) -> str:
    with pytest.raises(UnusableImage) as caught:
        read(path, echo)
    return caught.value.reason


def write(path: Path, array: np.ndarray) -> Path:
    return (write_nifti if FORMATS[path.suffix] == "nifti" else write_itk)(path, array, AFFINE)


def nifti_of_all(path: Path, echoes: list[np.ndarray]) -> Path:
    return write_nifti(path, np.stack(echoes, axis=-1), AFFINE)


def meta_of_all(path: Path, echoes: list[np.ndarray]) -> Path:
    images = []
    for echo in echoes:
        write_itk(path.with_name("one.mha"), echo, AFFINE)
        images.append(SimpleITK.ReadImage(str(path.with_name("one.mha"))))
    SimpleITK.WriteImage(SimpleITK.JoinSeries(images), str(path))
    return path


def nrrd_of_all(path: Path, echoes: list[np.ndarray], *, kind: str = "list", last: bool = True) -> Path:
    """As 3D Slicer writes a list of volumes; its axis comes first, or last."""
    content = write_itk(path, echoes[0], AFFINE).read_bytes()
    header, _ = content.split(b"\n\n", 1)
    for field, value in (("sizes", str(len(echoes))), ("space directions", "none"), ("kinds", kind)):
        lines = header.split(b"\n")
        place = next(number for number, line in enumerate(lines) if line.startswith(f"{field}: ".encode()))
        name, held = lines[place].split(b": ", 1)
        lines[place] = name + b": " + (held + b" " + value.encode() if last else value.encode() + b" " + held)
        header = b"\n".join(lines)
    header = header.replace(b"dimension: 3", b"dimension: 4", 1)
    path.write_bytes(header + b"\n\n" + np.stack(echoes, axis=0 if last else -1).astype("<i2").tobytes())
    return path


def nrrd_first(path: Path, echoes: list[np.ndarray]) -> Path:
    return nrrd_of_all(path, echoes, last=False)


ALL = [
    ("a.nii", nifti_of_all),
    ("a.nii.gz", nifti_of_all),
    ("a.mha", meta_of_all),
    ("a.mhd", meta_of_all),
    ("a.nrrd", nrrd_of_all),
    ("a.nrrd", nrrd_first),
]


@pytest.mark.parametrize(("name", "join"), ALL)
def test_a_fourth_axis_of_echoes_is_read_where_an_echo_is_asked_for(tmp_path: Path, name: str, join: Callable[..., Path]) -> None:
    path = join(tmp_path / name, [FIRST, SECOND, THIRD])
    for echo, array in enumerate((FIRST, SECOND, THIRD), start=1):
        assert same_place(read(path, echo), array, AFFINE)
    assert reason(path, 4) == "missing-echo"
    assert reason(path, None) in ("not-3d", "not-greyscale")


@pytest.mark.parametrize("kind", ["vector", "3-color", "complex", "time"])
def test_numbers_of_a_voxel_and_points_in_time_are_no_echoes(tmp_path: Path, kind: str) -> None:
    path = nrrd_of_all(tmp_path / "a.nrrd", [FIRST, SECOND], kind=kind)
    assert reason(path, 2) in ("not-greyscale", "not-3d")


def test_five_axes_are_no_echoes(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii", np.stack([FIRST, SECOND], axis=-1)[:, :, :, None], AFFINE)
    assert reason(path, 2) == "not-3d"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.mhd", "a.nrrd"])
def test_one_volume_is_no_second_echo_unless_it_says_so(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, SECOND)
    assert reason(path, 2) == reason(path, 7) == "missing-echo"
    for echo in (None, 1):
        assert same_place(read(path, echo), SECOND, AFFINE)
    described = path.with_name("a.json")
    described.write_text(json.dumps({"EchoTime": 0.0425, "EchoNumber": 2}))
    assert same_place(read(path, 2), SECOND, AFFINE)
    assert reason(path, 1) == "missing-echo"
    assert same_place(read(path, None), SECOND, AFFINE)


@pytest.mark.parametrize(
    ("name", "echo"),
    [
        ("sub-01_echo-2_MESE.nii.gz", 2),
        ("sub-01_echo-02.nii", 2),
        ("9001104_dess_e2.nii.gz", 2),
        ("9001104_dess_e1.mha", 1),
        ("dess_e2_ph.nii.gz", 2),
        ("9001104_R_V00.nii.gz", None),
        ("site_e2_9001104.nii.gz", None),
        ("echo-2.nii.gz", 2),
        ("one_echo-0.nii.gz", None),
        ("grade_echo-2b.nii.gz", None),
    ],
)
def test_names_as_converters_give_them(tmp_path: Path, name: str, echo: int | None) -> None:
    assert stated_echo(tmp_path / name) == echo


@pytest.mark.parametrize(
    "text",
    ["", "{", "[2]", '"2"', '{"EchoNumber": true}', '{"EchoNumber": "x"}', '{"EchoNumber": [1, 2]}', '{"EchoNumber": 0}', "[" * 100_000],
)
def test_a_description_that_says_nothing_leaves_the_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "a_e3.json").write_text(text)
    assert stated_echo(tmp_path / "a_e3.nii.gz") == 3


@pytest.mark.parametrize("text", ['{"EchoNumber": "2"}', '{"EchoNumber": 2.0}', '{"EchoNumbers": [2]}', '\ufeff{"EchoNumbers": 2}'])
def test_a_description_may_write_its_number_in_several_ways(tmp_path: Path, text: str) -> None:
    (tmp_path / "a_e3.json").write_text(text, encoding="utf-8")
    assert stated_echo(tmp_path / "a_e3.nii.gz") == 2


@pytest.mark.parametrize(
    "name", ["k_echo2", "k-echo-2", "k_echo_02_reg", "echo2", "kneeEcho2", "k.e2", "k_2ndecho", "second echo", "k_Second-Echo_1"]
)
def test_a_file_named_as_a_second_echo_is_no_first_one(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / f"{name}.nii.gz", SECOND)
    assert reason(path, 1) == "missing-echo"
    assert same_place(read(path, 2), SECOND, AFFINE)


@pytest.mark.parametrize("name", ["k_TE2", "case2", "gradientecho3d", "k_re2", "k_e2_mask", "echogenic7"])
def test_other_words_state_no_echo(tmp_path: Path, name: str) -> None:
    assert stated_echo(tmp_path / f"{name}.nii.gz") is None


def test_the_fourth_axis_keeps_slope_and_type(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(np.stack([FIRST, SECOND], axis=-1), AFFINE)
    image.header.set_slope_inter(2.0, -5.0)
    image.set_sform(AFFINE, 1)
    nibabel.save(image, tmp_path / "a.nii.gz")
    expected = np.asanyarray(nibabel.load(tmp_path / "a.nii.gz").dataobj)
    np.testing.assert_allclose(read(tmp_path / "a.nii.gz", 2).array, expected[..., 1], rtol=1e-6)
    assert read(tmp_path / "a.nii.gz", 2).array.dtype == np.float32
