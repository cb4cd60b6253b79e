"""NIfTI, MetaImage and NRRD: place, type, and each way of being unusable."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK

from kneeoa.errors import UnusableImage
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, same_place, write_itk, write_nifti

SHAPE = (6, 5, 4)
AFFINES = [grid(codes, (3.0, 0.5, 0.7), (10, -20, 30), tilt=tilt) for codes, tilt in (("RAS", 0), ("LPI", 12), ("SRP", 5), ("ALI", -9))]


@pytest.mark.parametrize("affine", AFFINES)
@pytest.mark.parametrize(
    ("name", "format"), [("a.nii.gz", "nifti"), ("a.nii", "nifti"), ("a.mha", "meta"), ("a.mhd", "meta"), ("a.nrrd", "nrrd")]
)
def test_every_format_puts_each_voxel_where_it_belongs(tmp_path: Path, name: str, format: str, affine: np.ndarray) -> None:
    write = write_nifti if format == "nifti" else write_itk
    result = read_volume(write(tmp_path / name, pattern(SHAPE), affine), format)
    assert same_place(result, pattern(SHAPE), affine)
    assert result.array.dtype == np.int16


def test_nifti_slope_is_applied_and_single_trailing_axes_are_dropped(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(pattern(SHAPE).reshape(*SHAPE, 1) * 0.5 + 3.0, AFFINES[0])
    image.set_data_dtype(np.int16)
    nibabel.save(image, tmp_path / "a.nii.gz")  # scaled into 16 bits with a slope and an intercept
    result = read_volume(tmp_path / "a.nii.gz", "nifti")
    assert result.array.shape == SHAPE
    assert result.array.dtype == np.float32
    np.testing.assert_allclose(result.array, pattern(SHAPE) * 0.5 + 3.0, atol=0.01)


def reason(path: Path, format: str) -> str:
    with pytest.raises(UnusableImage) as caught:
        read_volume(path, format)
    return caught.value.reason


def test_nifti_faults(tmp_path: Path) -> None:
    good = write_nifti(tmp_path / "good.nii.gz", pattern((30, 30, 30)), AFFINES[0]).read_bytes()
    for name, bytes_ in (
        ("half", good[: len(good) // 2]),
        ("empty", b""),
        ("noise", b"\x1f\x8b" + bytes(range(200))),
        ("text", b"hello " * 100),
    ):
        (tmp_path / f"{name}.nii.gz").write_bytes(bytes_)
        assert reason(tmp_path / f"{name}.nii.gz", "nifti") == "unreadable", name
    assert reason(write_nifti(tmp_path / "time.nii.gz", np.zeros((3, 3, 3, 2), np.int16), AFFINES[0]), "nifti") == "not-3d"
    holed = pattern(SHAPE).astype(np.float32)
    holed[0, 0, 0] = np.nan
    assert reason(write_nifti(tmp_path / "holed.nii.gz", holed, AFFINES[0]), "nifti") == "non-finite"
    colour = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    assert reason(write_nifti(tmp_path / "colour.nii.gz", colour, AFFINES[0]), "nifti") == "not-greyscale"
    assert reason(tmp_path / "nowhere.nii.gz", "nifti") == "missing-file"


@pytest.mark.parametrize("spoil", ["nan", "flat", "absent"])
def test_a_nifti_affine_that_places_nothing_is_refused(tmp_path: Path, spoil: str) -> None:
    affine = AFFINES[0].copy()
    if spoil == "nan":
        affine[0, 0] = np.nan
    if spoil == "flat":
        affine[:3, 1] = affine[:3, 0]
    header = nibabel.Nifti1Image(pattern(SHAPE), None).header
    header["sform_code"], header["qform_code"] = int(spoil != "absent"), 0
    header["srow_x"], header["srow_y"], header["srow_z"] = affine[:3]
    header["magic"] = b"n+1"
    header["vox_offset"] = 352
    (tmp_path / "a.nii").write_bytes(header.binaryblock + b"\0" * 4 + pattern(SHAPE).tobytes("F"))
    assert reason(tmp_path / "a.nii", "nifti") == "bad-affine"


def test_itk_faults(tmp_path: Path) -> None:
    good = write_itk(tmp_path / "good.mha", pattern((30, 30, 30)), AFFINES[1]).read_bytes()
    for name, bytes_ in (("half", good[: len(good) // 2]), ("empty", b""), ("noise", bytes(range(200)))):
        (tmp_path / f"{name}.mha").write_bytes(bytes_)
        assert reason(tmp_path / f"{name}.mha", "meta") == "unreadable", name
    write_itk(tmp_path / "parted.mhd", pattern(SHAPE), AFFINES[1])
    (tmp_path / "parted.raw").unlink()
    assert reason(tmp_path / "parted.mhd", "meta") == "missing-file"
    SimpleITK.WriteImage(SimpleITK.Image([5, 5], SimpleITK.sitkInt16), str(tmp_path / "flat.mha"))
    assert reason(tmp_path / "flat.mha", "meta") == "not-3d"
    SimpleITK.WriteImage(SimpleITK.Image([5, 5, 5], SimpleITK.sitkVectorUInt8, 3), str(tmp_path / "colour.nrrd"))
    assert reason(tmp_path / "colour.nrrd", "nrrd") == "not-greyscale"


def test_a_format_that_holds_no_volume_is_an_exclusion(tmp_path: Path) -> None:
    with pytest.raises(UnusableImage, match=f"{tmp_path.name}: is of the format 'png'; a volume is one of dicom, ") as caught:
        read_volume(tmp_path, "png")
    assert caught.value.reason == "wrong-format"
