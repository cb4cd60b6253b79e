"""Real images: a dual-echo DESS series as the scanner wrote it, and manual segmentations on OAI's grid."""

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from kneeoa.config.volumes import MaskChecks, View
from kneeoa.images.alignment import inside_share, resample_labels, tissue_values, to_tissues
from kneeoa.images.canonical import to_canonical
from kneeoa.images.cartilage import measure
from kneeoa.images.intensity import scale
from kneeoa.images.orientation import RIGHT_KNEE, axis_codes, reorient
from kneeoa.images.quality import Pose, flags
from kneeoa.images.readers import read_image

ROOT = os.environ.get("KNEEOA_REAL_DATA")
pytestmark = [pytest.mark.real, pytest.mark.skipif(ROOT is None, reason="KNEEOA_REAL_DATA is not set")]

TISSUES = {
    "femur": (1,),
    "femoral_cartilage": (2,),
    "tibia": (3,),
    "tibial_cartilage": (4,),
    "patella": (5,),
    "patellar_cartilage": (6,),
}


def data(name: str) -> Path:
    return Path(ROOT or "") / name


@pytest.mark.parametrize("echo", ["01", "02"])
def test_a_dess_echo_is_what_simpleitk_reads(echo: str) -> None:
    folder = data("dess_dicom") / echo
    found = read_image(folder, "dicom")
    assert found.array.shape == (80, 512, 512)
    np.testing.assert_allclose(found.spacing, (1.5, 0.3125, 0.3125), atol=0.001)

    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    reference = SimpleITK.ReadImage(names)
    np.testing.assert_array_equal(found.array, SimpleITK.GetArrayFromImage(reference))
    for index in ((0, 0, 0), (79, 0, 0), (0, 511, 0), (0, 0, 511), (40, 200, 300)):
        x, y, z = reference.TransformIndexToPhysicalPoint(index[::-1])
        np.testing.assert_allclose(found.affine @ (*index, 1), (-x, -y, z, 1), atol=0.02)


def test_a_sagittal_series_comes_to_the_canonical_axes() -> None:
    found = read_image(data("dess_dicom") / "01", "dicom")
    oriented = reorient(found, RIGHT_KNEE)
    assert axis_codes(oriented) == ("R", "I", "P")
    assert oriented.array.shape == (80, 512, 512)
    # Slices, rows and columns of a sagittal acquisition are already left-right, head-foot and front-back, at most flipped.
    assert np.shares_memory(oriented.array, found.array)

    view = View(shape=(160, 384, 384), spacing=(0.7, 0.3646, 0.3646))
    canonical = to_canonical(found, view, "R")
    scaled = scale(canonical, view.intensity)
    assert scaled.array.shape == view.shape
    assert abs(float(scaled.array[canonical.inside].mean(dtype=np.float64))) < 0.01
    assert scaled.low < scaled.mean < scaled.high


def test_two_echoes_in_one_folder_are_kept_apart(tmp_path: Path) -> None:
    for echo in ("01", "02"):
        for path in (data("dess_dicom") / echo).iterdir():
            (tmp_path / path.name).symlink_to(path.resolve())
    found = read_image(tmp_path, "dicom")
    np.testing.assert_array_equal(found.array, read_image(data("dess_dicom") / "01", "dicom").array)


MASKS = sorted(data("oai_masks").glob("*.nii.gz")) if ROOT else []


@pytest.mark.parametrize("path", MASKS, ids=lambda path: path.name[:7])
def test_a_manual_segmentation_measures_like_a_knee(path: Path) -> None:
    mask = read_image(path, "nifti")
    assert sorted(mask.array.shape) == [160, 384, 384]
    np.testing.assert_allclose(np.sort(mask.spacing), (0.3646, 0.3646, 0.7), atol=0.001)
    labels = to_tissues(mask, TISSUES)
    found = measure(labels, tissue_values(TISSUES))
    # Adult femoral, tibial and patellar cartilage together, and their mean thickness.
    assert 8_000 < found.volume < 45_000
    assert 1.2 < found.thickness < 3.5
    assert found.missing == ()
    assert found.femur_above_tibia
    assert flags(1.0, Pose(0.9, 0.5), found, MaskChecks()) == []


def test_a_real_mask_keeps_its_volumes_on_a_coarser_grid() -> None:
    mask = to_tissues(read_image(MASKS[0], "nifti"), TISSUES)
    view = View(shape=(40, 96, 96), spacing=(2.8, 1.46, 1.46))
    canonical = to_canonical(mask, view, "R")
    coarse = resample_labels(mask, canonical.affine, view.shape)
    assert inside_share(mask, canonical.affine, view.shape, view.shape) > 0.999
    voxel, fine = np.prod(view.spacing), abs(np.linalg.det(mask.affine[:3, :3]))
    for name, value in tissue_values(TISSUES).items():
        assert (coarse == value).sum() * voxel == pytest.approx((mask.array == value).sum() * fine, rel=0.08), name
