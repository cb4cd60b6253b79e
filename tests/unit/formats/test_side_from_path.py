"""Names that tell a side, and names that only hold a word or a letter for one."""

from __future__ import annotations

import pytest

from kneeoa.formats.side_from_path import side_from_path


@pytest.mark.parametrize(
    ("path", "side"),
    [
        ("9001104R.png", "R"),
        ("9001104_R_V00.nii.gz", "R"),
        ("a/knee_left.nii.gz", "L"),
        ("LEFT/scan-3.nii", "L"),
        ("OAI/L/9000099.nii", "L"),
        ("Left Knees/12.png", "L"),
        ("9001104-left/sag/dess.nii.gz", "L"),
        ("9001104R/sag/dess.nii.gz", "R"),
        ("study_R/9001104_left.nii.gz", "L"),
        ("R01_baseline_left.nii.gz", "L"),
        ("reader-R_case-003_left-knee.nii.gz", "L"),
        ("KNEE-L-PD.nii.gz", "L"),
        ("knee_1R.nii.gz", "R"),
        ("LKnee_07.mha", "L"),
        ("scan_R.nii.gz", "R"),
        ("rt_knee.nii", "R"),
        ("RT_004.nrrd", "R"),
        ("LT 22.nii", "L"),
        ("subject.L.T2.nii", "L"),
        ("Knie_links.nii", "L"),
    ],
)
def test_a_side_is_told_by_the_files_own_name_or_by_a_folder_that_is_named_for_one(path: str, side: str) -> None:
    assert side_from_path(path) == side


@pytest.mark.parametrize(
    "path",
    [
        "left_out/p12.nii.gz",
        "right_hospital/p15.nii.gz",
        "hospital_right/p15.nii.gz",
        "cohort_R/p13.nii.gz",
        "Site L/p14.nii.gz",
        "right of way/p1.nii.gz",
        "patients R to Z/p1.nii.gz",
        "arm L/baseline/p1.nii.gz",
        "p16_series_12L.nii.gz",
        "p16_12L.nii.gz",
        "left_out_p12.nii.gz",
        "p12_right_hospital.nii.gz",
        "p12_left_arm.nii.gz",
        "p12_left-behind.nii.gz",
        "copy_right_p1.nii.gz",
        "cohort-L/sub-01/knee.nii.gz",
        "data_R/p1.nii.gz",
        "dr_right/p1.png",
        "Wright/p1.png",
        "visit_L.nii.gz",
        "p3_session-R.nii.gz",
        "sub-L03/anat/T2.nii.gz",
        "LR01.nii",
        "relevant.nii",
        "upright.nii",
        "plain/p17.nii.gz",
    ],
)
def test_a_word_that_belongs_to_something_else_is_no_side(path: str) -> None:
    assert side_from_path(path) is None


@pytest.mark.parametrize("path", ["L-R.nii", "right knee/left.nii", "R/left/1.nii.gz", "left/9001104R.nii.gz"])
def test_a_path_that_tells_both_tells_none(path: str) -> None:
    assert side_from_path(path) is None
