"""Headers that give no orientation: refused in every format, and read as the cohort declares."""

import itertools
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK

from kneeoa.config.cohorts import Cohort
from kneeoa.errors import UnusableImage
from kneeoa.formats.bare_header import lacks_orientation
from kneeoa.formats.read_volume import read_volume
from kneeoa.ingestion.ingest import ingest
from kneeoa.ingestion.ingested import Ingested
from tests.ingestion.faults.knees import SPACING, VIEW, Knee, knee
from tests.ingestion.faults.volume_bytes import nifti_of, nrrd
from tests.unit.formats.made import grid, pattern, same_place, write_nifti, write_series
from tests.unit.volumes.test_orientation import ALL

SHAPE = (6, 5, 4)


def diagonal(array: np.ndarray, true: np.ndarray) -> np.ndarray:
    """An affine that has the voxel sizes alone."""
    return np.diag([*np.linalg.norm(true[:3, :3], axis=0), 1.0])


def with_simpleitk(path: Path, planted: Knee, codes: str) -> None:
    """As people write an array of which they set the spacing: header axes along ``codes``."""
    array, affine = planted.stored(codes)
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetSpacing([float(size) for size in np.linalg.norm(affine[:3, :3], axis=0)])
    SimpleITK.WriteImage(image, str(path))


def with_nibabel(path: Path, planted: Knee, codes: str) -> None:
    array, affine = planted.stored(codes)
    nibabel.save(nibabel.Nifti1Image(array, diagonal(array, affine)), path)


def without_codes(path: Path, planted: Knee, codes: str) -> None:
    array, affine = planted.stored(codes)
    path.write_bytes(nifti_of(array, diagonal(array, affine), sform_code=0))


def with_spacings(path: Path, planted: Knee, codes: str) -> None:
    sizes = " ".join(f"{size:g}" for size in np.linalg.norm(planted.stored(codes)[1][:3, :3], axis=0))
    path.write_bytes(nrrd(planted, codes, space=None, space_directions=None, space_origin=None, spacings=sizes))


def as_dicom(path: Path, planted: Knee, codes: str) -> None:
    """A series whose columns, rows and slices run along ``codes``, under the patient's axes from
    0.
    """
    array, affine = planted.stored(codes[::-1])
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    bare = np.eye(4)
    bare[:3, :3] = np.diag([-1.0, -1.0, 1.0]) @ np.diag(sizes[::-1])[:, ::-1]
    write_series(path, array, bare)


WRITERS = [
    ("a.nii.gz", "nifti", with_simpleitk),
    ("a.mha", "meta", with_simpleitk),
    ("a.mhd", "meta", with_simpleitk),
    ("a.nrrd", "nrrd", with_simpleitk),
    ("b.nii.gz", "nifti", with_nibabel),
    ("b.nii", "nifti", without_codes),
    ("b.nrrd", "nrrd", with_spacings),
    ("series", "dicom", as_dicom),
]


def read(root: Path, name: str, format: str, planted: Knee, orientation: str | None) -> Ingested:
    file: dict[str, Any] = {"path": name, "format": format, "shows": "knee", "orientation": orientation}
    return ingest(root, file, VIEW, planted.side[0])


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: f"{writer[2].__name__} {writer[0]}")
@pytest.mark.parametrize("codes", ["PIR", "PSL", "RIP", "LIA", "RAS", "SLA"])
def test_a_header_of_voxel_sizes_alone_is_refused_and_read_as_declared(tmp_path: Path, writer: Any, codes: str) -> None:
    name, format, write = writer
    for number, side in enumerate(("RIGHT", "LEFT")):
        planted = knee(number, side)
        write(tmp_path / name, planted, codes)
        with pytest.raises(UnusableImage) as caught:
            read(tmp_path, name, format, planted, None)
        assert caught.value.reason == "bad-affine"
        image = read(tmp_path, name, format, planted, codes)
        assert float(np.abs(image.array.astype(np.float64) - planted.scaled()).max()) < 0.03
        assert image.orientation == codes
        np.testing.assert_allclose(image.source_spacing, SPACING, rtol=1e-5)
        # Where the knee lay in the scanner is not known: its middle is at the origin.
        np.testing.assert_allclose(image.affine @ [*((np.array(image.array.shape) - 1) / 2), 1], [0, 0, 0, 1], atol=1e-9)


def test_a_header_that_gives_an_orientation_keeps_it(tmp_path: Path) -> None:
    planted = knee(3)
    nibabel.save(nibabel.Nifti1Image(*planted.stored("LPS")), tmp_path / "a.nii.gz")
    image = read(tmp_path, "a.nii.gz", "nifti", planted, "PIR")
    assert image.orientation is None
    np.testing.assert_allclose(image.affine, planted.affine, atol=1e-3)


def test_a_mask_is_read_as_its_image_is(tmp_path: Path) -> None:
    for name, affine in (("bare.nii", np.diag([3.0, 0.5, 0.7, 1.0])), ("placed.nii", grid("LPI", (3.0, 0.5, 0.7), (10, -20, 30)))):
        path = write_nifti(tmp_path / name, pattern(SHAPE), affine)
        assert same_place(read_volume(path, "nifti"), pattern(SHAPE), affine)
        middle = -grid("PIR", (3.0, 0.5, 0.7))[:3, :3] @ ((np.array(SHAPE) - 1) / 2)
        expected = affine if name == "placed.nii" else grid("PIR", (3.0, 0.5, 0.7), tuple(middle))
        assert same_place(read_volume(path, "nifti", orientation="PIR"), pattern(SHAPE), expected)


DEFAULTS = {"RAS", "LPS", "LAS"}


def alike(codes: str, other: str) -> bool:
    return sorted(codes) == sorted(other)


@pytest.mark.parametrize("codes", ALL)
def test_what_an_origin_of_zero_says_depends_on_the_directions(codes: str) -> None:
    # The axes of a default in any order, and the patient's axes in order in any direction.
    ordered = [{"R": "x", "L": "x", "A": "y", "P": "y", "S": "z", "I": "z"}[code] for code in codes] in (list("xyz"), list("zyx"))
    bare = ordered or any(alike(codes, default) for default in DEFAULTS)
    affine = grid(codes, (1.0, 2.0, 3.0))
    assert lacks_orientation(SHAPE, affine) == bare
    # An origin, however near, or a tilt: somebody measured it.
    for origin in ((0.1, 0, 0), (0, -0.1, 0), (0, 0, 0.01), (5, 6, 7)):
        assert not lacks_orientation(SHAPE, grid(codes, (1.0, 2.0, 3.0), origin))
    assert not lacks_orientation(SHAPE, grid(codes, (1.0, 2.0, 3.0), tilt=0.1))


@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "ARS", "SPL"])
def test_turning_the_axes_afterwards_hides_nothing(codes: str) -> None:
    affine = grid(codes, (1.0, 2.0, 3.0))
    for order, flips in itertools.product(itertools.permutations(range(3)), itertools.product((False, True), repeat=3)):
        turned = affine.copy()
        for axis, flip in enumerate(flips):
            if flip:
                turned[:3, 3] += turned[:3, axis] * (SHAPE[axis] - 1)
                turned[:3, axis] *= -1
        turned[:3, :3] = turned[:3, list(order)]
        assert lacks_orientation([SHAPE[axis] for axis in order], turned)


@pytest.mark.parametrize("orientation", ["PI", "PIRS", "PIP", "RLA", "pir", "XYZ", ""])
def test_an_orientation_has_one_letter_of_each_pair(orientation: str) -> None:
    with pytest.raises(ValueError, match="one capital letter of each pair"):
        Cohort(reader="oai", root="raw", orientation=orientation)


def test_every_orientation_can_be_declared() -> None:
    for codes in ALL:
        assert Cohort(reader="oai", root="raw", orientation=codes).orientation == codes
