"""One converted volume in an archive or a folder, with what converters write beside it."""

import gzip
import json
import tarfile
import zipfile
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import pytest

from kneeoa.errors import UnusableImage
from kneeoa.formats.read_volume import read_volume
from tests.unit.formats.made import grid, pattern, same_place, write_itk, write_nifti, write_series

SHAPE = (6, 5, 4)
AFFINE = grid("ALI", (3.0, 0.5, 0.7), (10, -20, 30), tilt=9)
ARRAY = pattern(SHAPE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


def pack(folder: Path, suffix: str) -> Path:
    """An archive of a folder's files, in folders of its own."""
    path = folder.with_name(f"packed{suffix}")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, f"a/b/{file.relative_to(folder)}")
    else:
        with tarfile.open(path, "w" if suffix == ".tar" else "w:gz") as archive:
            for file in files:
                archive.add(file, f"a/b/{file.relative_to(folder)}")
    return path


def reason(path: Path, format: str = "dicom-archive", **options) -> str:
    with pytest.raises(UnusableImage) as caught:
        read_volume(path, format, **options)
    return caught.value.reason


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tgz"])
@pytest.mark.parametrize("name", ["knee.nii", "knee.nii.gz", "knee.mha", "knee.mhd", "knee.nrrd", "knee.nhdr"])
def test_an_archive_of_a_volume_is_that_volume(folder: Path, name: str, suffix: str) -> None:
    (write_nifti if ".nii" in name else write_itk)(folder / name, ARRAY, AFFINE)
    for other in ("README", "sub/knee.json", "series.bval", "series.bvec"):
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_text("{}")
    before = set(Path(gettempdir()).iterdir())
    assert same_place(read_volume(pack(folder, suffix), "dicom-archive"), ARRAY, AFFINE)
    assert not [path for path in set(Path(gettempdir()).iterdir()) - before if (path / name).exists()]


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_echoes_and_declared_orientations_are_those_of_the_file(folder: Path, suffix: str) -> None:
    write_nifti(folder / "knee.nii.gz", ARRAY, AFFINE)
    (folder / "knee.json").write_text(json.dumps({"EchoNumber": 2}))
    archive = pack(folder, suffix)
    assert same_place(read_volume(archive, "dicom-archive", echo=2), ARRAY, AFFINE)
    assert reason(archive, echo=1) == "missing-echo"
    (folder / "knee.json").unlink()
    (folder / "knee.nii.gz").rename(folder / "knee_echo-2.nii.gz")
    assert same_place(read_volume(pack(folder, suffix), "dicom-archive", echo=2), ARRAY, AFFINE)


@pytest.mark.parametrize(("name", "codes"), [("knee.nii.gz", "RIP"), ("knee.mha", "PIR")])
def test_a_declared_orientation_is_used(folder: Path, name: str, codes: str) -> None:
    bare = np.diag([3.0, 0.5, 0.7, 1.0])
    if name.endswith(".mha"):
        bare = np.diag([-1.0, -1.0, 1.0, 1.0]) @ bare[:, [2, 1, 0, 3]]
    (write_nifti if ".nii" in name else write_itk)(folder / name, ARRAY, bare)
    packed = read_volume(pack(folder, ".zip"), "dicom-archive", orientation=codes)
    plain = read_volume(folder, "dicom", orientation=codes)
    assert packed.declared == plain.declared == codes
    np.testing.assert_array_equal(packed.affine, plain.affine)


def test_voxels_that_are_compressed_beside_their_header(folder: Path) -> None:
    write_itk(folder / "knee.nhdr", ARRAY, AFFINE)
    voxels = folder / "knee.raw"
    if not voxels.exists():  # SimpleITK compresses them or not, by its version
        voxels.write_bytes(gzip.decompress((folder / "knee.raw.gz").read_bytes()))
    (folder / "knee.raw.gz").write_bytes(gzip.compress(voxels.read_bytes()))
    voxels.unlink()
    header = (folder / "knee.nhdr").read_text()
    (folder / "knee.nhdr").write_text(header.replace("encoding: raw", "encoding: gzip").replace("knee.raw\n", "knee.raw.gz\n"))
    assert same_place(read_volume(folder, "dicom"), ARRAY, AFFINE)
    assert same_place(read_volume(pack(folder, ".tgz"), "dicom-archive"), ARRAY, AFFINE)


def test_a_long_name_is_no_obstacle(folder: Path) -> None:
    path = folder.parent / "long.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(write_nifti(folder / "knee.nii.gz", ARRAY, AFFINE), f"{'膝' * 300}.nii.gz")
    assert same_place(read_volume(path, "dicom-archive"), ARRAY, AFFINE)


def test_slices_beside_a_volume_are_read_and_two_volumes_are_not(folder: Path) -> None:
    write_nifti(folder / "a.nii.gz", ARRAY, AFFINE)
    write_series(folder / "s", pattern((7, 5, 4)), AFFINE)
    with zipfile.ZipFile(folder.parent / "both.zip", "w") as archive:
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            archive.write(file, file.relative_to(folder))
    assert same_place(read_volume(folder.parent / "both.zip", "dicom-archive"), pattern((7, 5, 4)), AFFINE)
    write_itk(folder / "mask.nrrd", ARRAY, AFFINE)
    for slice_file in (folder / "s").iterdir():
        slice_file.unlink()
    (folder / "s").rmdir()
    assert reason(folder, "dicom") == "ambiguous-series"
    assert reason(pack(folder, ".tar")) == "ambiguous-series"


def test_a_file_that_may_have_been_a_slice_excludes_the_volume(folder: Path) -> None:
    write_nifti(folder / "a.nii.gz", ARRAY, AFFINE)
    (folder / "001").write_bytes(b"")
    assert reason(folder, "dicom") == "unreadable"
    assert reason(pack(folder, ".zip")) == "unreadable"
