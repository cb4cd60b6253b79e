"""Real images: a dual-echo DESS series as the scanner wrote it."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from kneeoa.config.volumes import View
from kneeoa.formats.read_volume import read_volume
from kneeoa.volumes.canonical import to_canonical
from kneeoa.volumes.intensity import scale_intensities
from kneeoa.volumes.orientation import RIGHT_KNEE, axis_codes, reorient

ROOT = os.environ.get("KNEEOA_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.skipif(ROOT is None, reason="KNEEOA_REAL_DATA is not set")]


def data(name: str) -> Path:
    return Path(ROOT or "") / name


def sorted_by_place(folder: Path) -> list[str]:
    """The files of a folder along the normal of their slices, by their headers, as SimpleITK reads
    them one by one.
    """
    places = {}
    for path in folder.iterdir():
        header = SimpleITK.ImageFileReader()
        header.SetFileName(str(path))
        header.ReadImageInformation()
        normal = np.array(header.GetDirection()).reshape(3, 3)[:, 2]
        places[str(path)] = float(normal @ np.array(header.GetOrigin()))
    return sorted(places, key=lambda name: places[name])


@pytest.mark.parametrize("echo", ["01", "02"])
def test_a_dess_echo_is_what_simpleitk_reads_of_the_sorted_files(echo: str) -> None:
    folder = data("dess_dicom") / echo
    volume = read_volume(folder, "dicom")
    assert volume.array.shape == (80, 512, 512)
    np.testing.assert_allclose(volume.spacing, (1.5, 0.3125, 0.3125), atol=0.001)
    # A right knee in sagittal slices: rows run from front to back, columns from head to foot.
    assert axis_codes(volume)[1:] == ("I", "P")

    series = SimpleITK.ImageSeriesReader()
    series.SetFileNames(sorted_by_place(folder))
    reference = series.Execute()
    assert reference.GetSize() == (512, 512, 80)
    # Voxel for voxel at the same place of the patient, through the two headers.
    x, y, z = (np.array(reference.TransformIndexToPhysicalPoint(index)) for index in ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    origin = np.array(reference.GetOrigin())
    theirs = np.eye(4)
    theirs[:3] = np.diag([-1, -1, 1]) @ np.column_stack([z - origin, y - origin, x - origin, origin])
    step = np.linalg.inv(theirs) @ volume.affine
    np.testing.assert_allclose(step, np.rint(step), atol=0.02)
    index = np.rint(step).astype(int)
    assert (np.abs(index[:3, :3]) == np.eye(3)).all()
    voxels = SimpleITK.GetArrayFromImage(reference)
    flips = tuple(slice(None, None, -1 if index[axis, axis] < 0 else 1) for axis in range(3))
    np.testing.assert_array_equal(volume.array, voxels[flips])
    assert volume.array.std() > 50


def test_a_sagittal_series_comes_to_the_canonical_axes() -> None:
    volume = read_volume(data("dess_dicom") / "01", "dicom")
    oriented = reorient(volume, RIGHT_KNEE)
    assert axis_codes(oriented) == ("R", "I", "P")
    assert oriented.array.shape == (80, 512, 512)
    # Slices, rows and columns of a sagittal acquisition are already left-right, head-foot and
    # front-back, at most flipped.
    assert np.shares_memory(oriented.array, volume.array)

    view = View(shape=(160, 384, 384), spacing=(0.7, 0.3646, 0.3646))
    canonical = to_canonical(volume, view, "R")
    scaled = scale_intensities(canonical, view.intensity)
    assert scaled.array.shape == view.shape
    assert abs(float(scaled.array[canonical.inside].mean(dtype=np.float64))) < 0.01
    assert scaled.low < scaled.mean < scaled.high


def test_two_echoes_in_one_folder_are_kept_apart(tmp_path: Path) -> None:
    for echo in ("01", "02"):
        for path in (data("dess_dicom") / echo).iterdir():
            (tmp_path / path.name).symlink_to(path.resolve())
    for echo, folder in ((None, "01"), (1, "01"), (2, "02")):
        volume = read_volume(tmp_path, "dicom", echo)
        np.testing.assert_array_equal(volume.array, read_volume(data("dess_dicom") / folder, "dicom").array)


def test_an_archive_of_a_real_series_is_the_series(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "series.tar.gz", "w:gz", compresslevel=1) as out:
        out.add(data("dess_dicom") / "01", "series")
    archived, folder = read_volume(tmp_path / "series.tar.gz", "dicom-archive"), read_volume(data("dess_dicom") / "01", "dicom")
    np.testing.assert_array_equal(archived.array, folder.array)
    np.testing.assert_array_equal(archived.affine, folder.affine)
