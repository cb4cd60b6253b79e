import csv
import hashlib
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK
from scipy.ndimage import map_coordinates
from scipy.stats import rankdata

from kneeoa.config.phantom import Phantom
from kneeoa.errors import KneeoaError, UnusableImage
from kneeoa.formats.read_volume import read_volume
from kneeoa.phantom.dicom import BIRTH_DATE, PATIENT_NAME
from kneeoa.phantom.faults import FAULTS
from kneeoa.phantom.plan import plan_cohort, releases
from kneeoa.phantom.release import write_part, write_tables, write_truth
from kneeoa.phantom.scan import make_anatomy, scan_image
from kneeoa.tables.cohort import TRUTH

SMALL = Phantom(subjects=8, parts=3, shape=(22, 52, 52), spacing=(5.0, 2.7, 2.7), both_knees=0.5)
KNEES = {knee.case_id: knee for knee in plan_cohort(SMALL, "demo")}
FAULTY = {knee.fault: knee for knee in KNEES.values() if knee.fault}


def write_all(root: Path) -> Path:
    write_tables(SMALL, "demo", root)
    for release in releases(SMALL):
        write_part(SMALL, "demo", release, root / "00m" / release, root / "masks" / release)
    write_truth(SMALL, "demo", root / "truth.parquet")
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("phantom"))


def digests(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}


def rows(path: Path, delimiter: str) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def contrast(root: Path, knee) -> float:
    """AUC of the image's intensity, cartilage against bone, at the mask's voxels, through the two
    headers.
    """
    image = read_volume(root / knee.image, knee.image_format)
    mask = SimpleITK.ReadImage(str(root / knee.mask))
    labels = SimpleITK.GetArrayFromImage(mask).T
    step = np.array(mask.GetDirection()).reshape(3, 3) * np.array(mask.GetSpacing())
    index = np.stack(np.nonzero(labels))
    world = np.diag([-1, -1, 1]) @ (step @ index + np.array(mask.GetOrigin())[:, None])
    back = np.linalg.inv(image.affine)
    values = map_coordinates(np.asarray(image.array, dtype=np.float32), back[:3, :3] @ world + back[:3, 3:], order=1, cval=0)
    voxel_labels = labels[tuple(index)]
    cartilage = np.isin(voxel_labels, [2, 4])
    bone = np.isin(voxel_labels, [1, 3])
    ranks = rankdata(np.concatenate([values[cartilage], values[bone]]))
    positives = cartilage.sum()
    return float((ranks[:positives].sum() - positives * (positives + 1) / 2) / (positives * bone.sum()))


def test_two_writes_are_the_same_bytes(root, tmp_path):
    again = write_all(tmp_path)
    assert digests(root) == digests(again)


def test_the_plan_names_every_file(root):
    for knee in KNEES.values():
        assert (root / knee.image).exists() == (knee.fault != "missing-folder"), knee.case_id
        assert (root / knee.mask).is_file() == (knee.fault != "missing-mask"), knee.case_id
    named = [root / knee.image for knee in KNEES.values()]
    files = [path for path in (root / "00m").rglob("*") if path.is_file()]
    assert all(any(path == name or name in path.parents for name in named) for path in files)
    assert not [path for path in root.rglob("*") if path.name.startswith(".")]


def test_a_release_that_is_not_planned_is_refused(tmp_path):
    with pytest.raises(KneeoaError, match=r"no release '0\.Z\.1'"):
        write_part(SMALL, "demo", "0.Z.1", tmp_path / "a", tmp_path / "b")


def test_dicom_headers_are_those_of_a_sagittal_series(root):
    knee = next(knee for knee in KNEES.values() if knee.image_format == "dicom" and not knee.fault)
    files = sorted((root / knee.image).iterdir())
    assert [path.name for path in files] == [f"{number:03d}" for number in range(1, 23)]
    headers = [pydicom.dcmread(path) for path in files]
    assert len({header.SOPInstanceUID for header in headers}) == 22
    assert len({header.SeriesInstanceUID for header in headers}) == 1
    first = headers[0]
    assert first.SeriesDescription == {"L": "SAG_3D_DESS_LEFT", "R": "SAG_3D_DESS_RIGHT"}[knee.side]
    assert "Laterality" not in first
    assert "ImageLaterality" not in first
    assert (str(first.PatientName), first.PatientBirthDate) == (PATIENT_NAME, BIRTH_DATE)
    assert first.pixel_array.dtype == np.uint16
    # Columns run to the back, rows down (LPS), within the tilt of the slices.
    direction = np.array(first.ImageOrientationPatient, dtype=float)
    assert direction[1] > 0.97
    assert direction[5] < -0.97
    steps = np.diff([np.array(header.ImagePositionPatient, dtype=float) for header in headers], axis=0)
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 5.0, atol=1e-3)
    np.testing.assert_allclose(steps @ np.cross(direction[:3], direction[3:]), steps[0] @ np.cross(direction[:3], direction[3:]), atol=1e-3)


def test_what_is_read_back_is_what_was_scanned(root):
    for knee in list(KNEES.values())[:6]:
        voxels, grid = scan_image(knee, make_anatomy(knee, SMALL), SMALL)
        image = read_volume(root / knee.image, knee.image_format)
        # A decoder may order slices as it likes: compare what lies at the same place.
        step = np.linalg.inv(grid.affine) @ image.affine
        order = np.argmax(np.abs(step[:3, :3]), axis=0)
        np.testing.assert_allclose(np.abs(step[:3, :3]), np.eye(3)[:, order], atol=1e-4)
        index = np.rint(step[:3, :3] @ np.stack(np.indices(image.array.shape)).reshape(3, -1) + step[:3, 3:]).astype(int)
        np.testing.assert_array_equal(voxels[tuple(index)], image.array.ravel())


def test_other_software_sees_the_same_geometry(root):
    knee = next(knee for knee in KNEES.values() if knee.image_format == "nifti" and not knee.fault)
    one, other = nibabel.load(root / knee.image), SimpleITK.ReadImage(str(root / knee.image))
    corner = nibabel.affines.apply_affine(one.affine, np.array(one.shape) - 1)
    np.testing.assert_allclose(
        corner * [-1, -1, 1], other.TransformIndexToPhysicalPoint([int(size) - 1 for size in other.GetSize()]), atol=1e-3
    )


def test_masks_lie_on_their_images_through_the_headers_alone(root):
    sound = [knee for knee in KNEES.values() if knee.expected is None or knee.expected.reason is None]
    assert {knee.mask_format for knee in sound} == {"nii.gz", "mha"}
    assert {knee.side for knee in sound} == {"L", "R"}
    for knee in sound:
        assert contrast(root, knee) > 0.8, knee.case_id


def test_misaligned_masks_do_not(root):
    assert contrast(root, FAULTY["foreign-mask"]) < 0.6
    assert contrast(root, FAULTY["flipped-mask"]) < 0.65


def test_masks_have_grids_of_their_own(root):
    for knee in list(KNEES.values())[:6]:
        image = read_volume(root / knee.image, knee.image_format)
        mask = SimpleITK.ReadImage(str(root / knee.mask))
        assert sorted(mask.GetSize()) != sorted(image.array.shape)
        assert set(np.unique(SimpleITK.GetArrayFromImage(mask))) <= set(range(7))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.stage == "volumes"], ids=lambda fault: fault.name)
def test_broken_images_are_unusable_for_the_planned_reason(root, fault):
    knee = FAULTY[fault.name]
    with pytest.raises(UnusableImage) as caught:
        read_volume(root / knee.image, knee.image_format)
    assert caught.value.reason == fault.reason


def test_mixed_and_shuffled_series_are_read_as_if_nothing_were_wrong(root):
    knee = FAULTY["mixed-series"]
    assert len(list((root / knee.image).iterdir())) == 24
    assert read_volume(root / knee.image, "dicom").array.shape == (22, 52, 52)
    numbers = [int(path.name) for path in sorted((root / knee.image).iterdir(), key=lambda path: pydicom.dcmread(path).SOPInstanceUID)]
    assert numbers != sorted(numbers)


def test_the_index_lists_every_series_once_and_others_besides(root):
    index = rows(root / "contents.csv", ",")
    assert list(index[0]) == ["Folder", "ParticipantID", "StudyDate", "Barcode", "StudyDescription", "SeriesDescription"]
    series = [row for row in index if row["SeriesDescription"].strip().startswith("SAG_3D_DESS_")]
    assert {row["Folder"] for row in series} == {knee.folder for knee in KNEES.values()}
    assert len(series) == len(KNEES) < len(index)
    assert any(row["SeriesDescription"].endswith(" ") for row in series)
    assert len({row["Folder"] for row in index}) == len(index)


def test_readings_are_those_of_the_plan(root):
    raw = (root / "kxr_sq_bu00.txt").read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") > len(KNEES)
    readings = rows(root / "kxr_sq_bu00.txt", "|")
    first = {(row["ID"], row["SIDE"]): row for row in readings if row["READPRJ"] == "15"}
    for knee in KNEES.values():
        row = first[knee.subject, {"R": "1: Right", "L": "2: Left"}[knee.side]]
        expected = ".: Missing Form/Incomplete Workbook" if knee.fault == "unread-grade" else str(knee.read_grade)
        assert row["V00XRKL"] == expected
    twice = [row["V00XRKL"] for row in readings if row["ID"] == FAULTY["disagreeing-readings"].subject]
    assert len(twice) == len(set(twice)) == 2


def test_the_truth_is_apart_and_complete(root):
    truth = TRUTH.read(root / "truth.parquet").set_index("case_id")
    assert set(truth.index) == set(KNEES)
    for case_id, knee in KNEES.items():
        assert truth.loc[case_id, "latent_severity"] == knee.severity
        assert truth.loc[case_id, "true_grade"] == knee.true_grade
    row = truth.loc[FAULTY["missing-slice"].case_id]
    assert (row["fault"], row["expected_stage"], row["expected_scope"], row["expected_reason"]) == (
        "missing-slice",
        "volumes",
        "case",
        "slice-gap",
    )
    assert truth["expected_reason"].isna().sum() == sum(knee.expected is None or knee.expected.reason is None for knee in KNEES.values())
    text = "".join((root / name).read_text() for name in ("contents.csv", "kxr_sq_bu00.txt", "enrollees.txt"))
    assert not any(f"{knee.severity:.4f}" in text for knee in KNEES.values())
