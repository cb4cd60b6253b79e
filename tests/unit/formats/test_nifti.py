"""NIfTI as it comes: either byte order, extensions, versions 1 and 2, two affines, cut and padded
files.
"""

import gzip
import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from kneeoa.errors import UnusableImage
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, same_place, write_itk, write_nifti

SHAPE = (6, 5, 4)
AFFINE = grid("LPI", (3.0, 0.5, 0.7), (10, -20, 30), tilt=12)


def reason(path: Path) -> str:
    with pytest.raises(UnusableImage) as caught:
        read_volume(path, "nifti")
    return caught.value.reason


def save(path: Path, image: Any) -> Path:
    image.set_sform(AFFINE, 1)
    image.set_qform(AFFINE, 1)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<u1", "<u2", ">f4", "<f8", ">i4"])
@pytest.mark.parametrize("version", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_every_type_order_and_version_is_read_as_nibabel_reads_it(tmp_path: Path, name: str, dtype: str, version: Any) -> None:
    values = pattern(SHAPE).astype(dtype)
    header = version.header_class(endianness=dtype[0])
    header.set_data_dtype(np.dtype(dtype))
    image = version(values, AFFINE, header)
    comment = nibabel.nifti1.Nifti1Extension("comment", b"some text of a scanner" * 9)
    image.header.extensions.append(comment)
    path = save(tmp_path / name, image)
    result = read_volume(path, "nifti")
    np.testing.assert_array_equal(result.array, np.asanyarray(nibabel.load(path).dataobj))
    np.testing.assert_allclose(result.affine, AFFINE, atol=1e-5)
    assert result.array.dtype.isnative
    assert result.array.dtype.itemsize <= max(4, np.dtype(dtype).itemsize // 2)
    assert same_place(result, pattern(SHAPE), AFFINE)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize(
    ("slope", "intercept", "expected"), [(2.0, -5.0, (2.0, -5.0)), (0.0, 7.0, (1.0, 0.0)), (np.nan, np.nan, (1.0, 0.0))]
)
def test_slope_and_intercept(tmp_path: Path, name: str, slope: float, intercept: float, expected: tuple[float, float]) -> None:
    image = nibabel.Nifti1Image(pattern(SHAPE), AFFINE)
    image.header.set_slope_inter(slope or None, intercept if slope else None)
    path = save(tmp_path / name, image)
    content = bytearray(path.read_bytes() if name == "a.nii" else gzip.decompress(path.read_bytes()))
    content[112:120] = np.array([slope, intercept], dtype="<f4").tobytes()
    content[-pattern(SHAPE).nbytes :] = pattern(SHAPE).tobytes("F")
    path.write_bytes(content if name == "a.nii" else gzip.compress(content))
    np.testing.assert_allclose(read_volume(path, "nifti").array, pattern(SHAPE) * expected[0] + expected[1])


def test_an_array_that_is_changed_leaves_its_file_alone(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii", pattern(SHAPE), AFFINE)
    before = path.read_bytes()
    read_volume(path, "nifti").array[...] = 0  # type: ignore[index]
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_cut_anywhere_is_never_read(tmp_path: Path, name: str) -> None:
    path = write_nifti(tmp_path / name, pattern(SHAPE), AFFINE)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert reason(path) == "unreadable", length


def test_a_damaged_checksum_is_found(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii.gz", pattern(SHAPE), AFFINE)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    assert reason(path) == "unreadable"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_sizes_that_do_not_fit_the_voxels_are_refused(tmp_path: Path, pack: Any) -> None:
    content = bytearray(write_nifti(tmp_path / "a.nii", pattern(SHAPE), AFFINE).read_bytes())
    for sizes, slug in (((5, 5, 4), "wrong-dimensions"), ((7, 5, 4), "unreadable"), ((0, 5, 4), "unreadable"), ((30000,) * 3, "too-large")):
        content[42:48] = np.array(sizes, dtype="<i2").tobytes()
        (tmp_path / "b.nii").write_bytes(pack(bytes(content)))
        assert reason(tmp_path / "b.nii") == slug, sizes


def spoil(path: Path, **fields: Any) -> Path:
    """Overwrite header fields of an uncompressed file."""
    content = path.read_bytes()
    header = nibabel.Nifti1Header(content[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(header.binaryblock + content[348:])
    return path


@pytest.mark.parametrize(
    ("fields", "slug"),
    [
        ({"qoffset_x": 60.0}, "ambiguous-affine"),
        ({"quatern_b": 0.0, "quatern_c": 0.0, "quatern_d": 0.0}, "ambiguous-affine"),
        ({"qoffset_x": np.nan}, "bad-affine"),
        ({"srow_x": [np.inf, 0, 0, 0]}, "bad-affine"),
        ({"sform_code": 0, "pixdim": [1, 0, 0.5, 0.7, 0, 0, 0, 0]}, "bad-affine"),
        ({"qform_code": 0, "pixdim": [1, 1, 1, 1, 0, 0, 0, 0]}, "ambiguous-affine"),
        ({"qform_code": 0, "srow_x": [1, 0, 0, 0], "srow_y": [0, 1, 0, 0], "srow_z": [0, 0, 1, 0]}, "ambiguous-affine"),
        ({"sform_code": 0, "quatern_b": 5.0}, "bad-affine"),
        ({"sform_code": 0, "qform_code": 0}, "bad-affine"),
        ({"datatype": 9999}, "unreadable"),
        ({"datatype": 32, "bitpix": 64}, "not-greyscale"),
        ({"vox_offset": np.nan}, "unreadable"),
        ({"vox_offset": -9.0}, "unreadable"),
        ({"magic": b"ni1"}, "unsupported-nifti"),
        ({"magic": b"abc"}, "unreadable"),
    ],
)
def test_headers_that_contradict_themselves(tmp_path: Path, fields: dict[str, Any], slug: str) -> None:
    assert reason(spoil(write_nifti(tmp_path / "a.nii", pattern(SHAPE), AFFINE), **fields)) == slug


def test_two_affines_that_all_but_agree_are_one_and_the_sform_wins(tmp_path: Path) -> None:
    path = spoil(write_nifti(tmp_path / "a.nii", pattern(SHAPE), AFFINE), qoffset_x=10.2)
    np.testing.assert_allclose(read_volume(path, "nifti").affine, AFFINE, atol=1e-5)


@pytest.mark.parametrize("size", [1000.0, 0.002, 31.0])
def test_voxels_of_metres_or_micrometres_are_absurd(tmp_path: Path, size: float) -> None:
    assert reason(write_nifti(tmp_path / "a.nii", pattern(SHAPE), grid("RAS", (size, 0.5, 0.7)))) == "absurd-spacing"


def test_without_isal_the_standard_library_inflates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_nifti(tmp_path / "a.nii.gz", pattern(SHAPE), AFFINE)
    monkeypatch.setitem(sys.modules, "isal", None)
    assert same_place(read_volume(path, "nifti"), pattern(SHAPE), AFFINE)
    path.write_bytes(path.read_bytes()[:-3])
    assert reason(path) == "unreadable"


def test_gzip_members_in_a_row_are_one_file(tmp_path: Path) -> None:
    content = write_nifti(tmp_path / "a.nii", pattern(SHAPE), AFFINE).read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    assert same_place(read_volume(tmp_path / "b.nii.gz", "nifti"), pattern(SHAPE), AFFINE)


@pytest.mark.parametrize(("code", "factor"), [(1, 0.001), (3, 1000.0), (2, 1.0), (0, 1.0), (1 + 8, 0.001), (1, 1.0), (3, 1.0)])
def test_other_units_become_millimetres_and_wrong_ones_are_passed_over(tmp_path: Path, code: int, factor: float) -> None:
    image = nibabel.Nifti1Image(pattern(SHAPE), np.diag([factor] * 3 + [1]) @ AFFINE)
    image.header["xyzt_units"] = code
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert same_place(read_volume(tmp_path / "a.nii.gz", "nifti"), pattern(SHAPE), AFFINE)


def outside(kind: str) -> Any:
    """Voxels where nothing was scanned, in a volume of 20 x 24 x 28 voxels."""
    i, j, k = np.meshgrid(*(np.linspace(-1, 1, size) for size in (20, 24, 28)), indexing="ij")
    return {
        "a circle": j**2 + k**2 > 1.1,
        "slices": i > 0.85,
        "a border": np.maximum(np.abs(j), np.abs(k)) > 0.9,
        "turned": np.abs(j) + np.abs(k) > 1.4,
        "one voxel": (i == i.max()) & (np.abs(j) < 0.05) & (k == k.max()),
        "a hole": (i**2 + j**2 + k**2) < 0.1,
        "half": i > 0,
        "a circle and a hole": (j**2 + k**2 > 1.1) | ((i > 0.8) & (j**2 + k**2 < 0.1)),
        "none": i > 5,
    }[kind]


@pytest.mark.parametrize("kind", ["a circle", "slices", "a border", "turned"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.nrrd"])
def test_nan_outside_the_field_of_view_is_dark(tmp_path: Path, kind: str, name: str) -> None:
    values = np.random.default_rng(6).gamma(2, 100, (20, 24, 28)).astype(np.float32) + 7
    blank = outside(kind)
    stored = np.where(blank, np.float32(np.nan), values)
    write = write_nifti if ".nii" in name else write_itk
    format = {"a.mha": "meta", "a.nrrd": "nrrd"}.get(name, "nifti")
    result = read_volume(write(tmp_path / name, stored, AFFINE), format).array
    assert 0 < blank.mean() < 0.5
    np.testing.assert_array_equal(result, np.where(blank, values[~blank].min(), values))


@pytest.mark.parametrize("kind", ["one voxel", "a hole", "half", "a circle and a hole", "none"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_other_voxels_that_are_not_numbers_are_refused(tmp_path: Path, kind: str, value: float) -> None:
    blank = outside(kind)
    values = np.where(blank, np.float32(value), np.random.default_rng(6).gamma(2, 100, blank.shape).astype(np.float32))
    path = write_nifti(tmp_path / "a.nii", values, AFFINE)
    if kind == "none":
        np.testing.assert_array_equal(read_volume(path, "nifti").array, values)
    else:
        assert reason(path) == "non-finite"
    values[0, 0, 0] = np.inf
    assert reason(write_nifti(tmp_path / "b.nii", values, AFFINE)) == "non-finite"
