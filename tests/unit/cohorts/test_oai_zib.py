"""The original OAI-ZIB release: a mask makes a knee, its image is OAI's or a converted volume, and
some have no grade.
"""

from pathlib import Path

import pytest

from kneeoa.cohorts.oai_zib import read
from kneeoa.cohorts.oai_zib_paths import role_of, series_lines, subject_of
from kneeoa.config.cohorts import Cohort
from kneeoa.errors import KneeoaError
from tests.unit.cohorts.oai_tree import KXR, image, series

COHORT = Cohort(reader="oai_zib", root="somewhere", tissues={"femoral_cartilage": (2,)})


def release(root: Path, *subjects: str, grades: tuple[str, ...] = ()) -> None:
    masks = root / "segmentation/segmentation_masks"
    masks.mkdir(parents=True)
    for subject in subjects:
        for suffix in (".mhd", ".raw"):
            (masks / f"{subject}.segmentation_masks{suffix}").write_bytes(b"m")
    (root / "kxr_sq_bu00.txt").write_text("\n".join([KXR, *grades]) + "\n")


def test_a_mask_makes_a_knee_and_three_ways_lead_to_its_image(tmp_path: Path) -> None:
    release(tmp_path, "9000001", "9000002", "9000003", "9000004", grades=("9000001|1|15|0|b|3", "9000009|1|15|0|b|1", "9000001|2|15|0|b|2"))
    (tmp_path / "segmentation/doc").mkdir()
    (tmp_path / "segmentation/doc/oai_mri_paths.txt").write_text("9000001: 0.C.2/9000001/20040101/10000000\n")
    image(tmp_path, "9000001")
    (tmp_path / "contents.csv").write_text(
        "Folder,ParticipantID,StudyDate,Barcode,StudyDescription,SeriesDescription\n"
        + "\n".join([series("9000002", "RIGHT"), series("9000002", "LEFT", "20000000"), series("9000007", "RIGHT")])
    )
    image(tmp_path, "9000002")
    (tmp_path / "volumes").mkdir()
    (tmp_path / "volumes/9000003.nii.gz").write_bytes(b"v")
    knees = read(COHORT, tmp_path).knees
    assert sorted(knees) == [f"900000{number}-R-00m" for number in (1, 2, 3, 4)]
    images = {case: [(file.path, file.format) for file in knee.files if file.role == "image"] for case, knee in knees.items()}
    assert images == {
        "9000001-R-00m": [("00m/0.C.2/9000001/20040101/10000000", "dicom")],
        "9000002-R-00m": [("00m/0.C.2/9000002/20040101/10000000", "dicom")],
        "9000003-R-00m": [("volumes/9000003.nii.gz", "nifti")],
        "9000004-R-00m": [],
    }
    masks = [file for file in knees["9000004-R-00m"].files if file.role == "mask"]
    assert [(file.path, file.format) for file in masks] == [("segmentation/segmentation_masks/9000004.segmentation_masks.mhd", "meta")]
    assert {case: knee.readings["kl"].value for case, knee in knees.items() if knee.readings} == {"9000001-R-00m": (3,)}


def test_without_masks_or_grades_it_is_not_the_release(tmp_path: Path) -> None:
    with pytest.raises(KneeoaError, match="has no mask such as"):
        read(COHORT, tmp_path)
    release(tmp_path, "9000001")
    (tmp_path / "kxr_sq_bu00.txt").unlink()
    with pytest.raises(KneeoaError, match="has no kxr_sq_bu00"):
        read(COHORT, tmp_path)
    with pytest.raises(KneeoaError, match="offers one view at visit 00m"):
        read(COHORT.model_copy(update={"visits": ("24m",)}), tmp_path)


def test_two_masks_of_one_knee_are_refused(tmp_path: Path) -> None:
    release(tmp_path, "9000001")
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks/9000001.mha").write_bytes(b"m")
    (tmp_path / "9000001.mha").write_bytes(b"v")
    knee = read(COHORT, tmp_path).knees["9000001-R-00m"]
    assert [(reason.reason, reason.scope) for reason in knee.reasons] == [("duplicate-mask", "mask")]
    assert [(file.role, file.path) for file in knee.files] == [("image", "9000001.mha")]


def test_names(tmp_path: Path) -> None:
    assert role_of("segmentation_masks/9001104.segmentation_masks.mhd") == "mask"
    assert role_of("segmentation_masks/9001104.segmentation_masks.raw") is None
    assert role_of("labels/9001104.nii.gz") == "mask"
    assert role_of("images/9001104_dess.nii.gz") == "image"
    assert role_of("images/oaizib_001.nii.gz") is None
    assert [subject_of(name) for name in ("9001104", "9001104.segmentation_masks.raw", "90011045", "doc")] == [
        "9001104",
        "9001104",
        None,
        None,
    ]
    (tmp_path / "oai_mri_paths.txt").write_text("# list\n9001104: 0.C.2/9001104/20040101/1/\n9001105, 0.E.1/9001105/2/3\n\n")
    assert list(series_lines(tmp_path)) == [("9001104", "0.C.2/9001104/20040101/1"), ("9001105", "0.E.1/9001105/2/3")]
