import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from kneeoa.config.phantom import Phantom
from kneeoa.phantom.faults import FAULTS
from kneeoa.phantom.plan import plan_cohort, releases
from tests.unit.counted_calls import calls


def test_more_subjects_leave_the_others_as_they_are():
    few = plan_cohort(Phantom(subjects=40), "demo")
    many = plan_cohort(Phantom(subjects=90), "demo")
    assert set(few) <= set(many)
    assert len(many) > len(few)


def test_faults_and_two_kneed_people_leave_the_others_as_they_are():
    broken = plan_cohort(Phantom(subjects=30), "demo")
    sound = plan_cohort(Phantom(subjects=30, faults=False), "demo")
    assert [knee for knee in broken if knee.fault is None] == list(sound)
    single = plan_cohort(Phantom(subjects=30, faults=False, both_knees=0.0), "demo")
    alone = [subject for subject, count in Counter(knee.subject for knee in sound).items() if count == 1]
    assert [knee for knee in single if knee.subject in alone] == [knee for knee in sound if knee.subject in alone]


def test_another_seed_makes_other_people():
    first, second = (plan_cohort(Phantom(subjects=20, seed=seed), "demo") for seed in (1, 2))
    assert {knee.severity for knee in first}.isdisjoint(knee.severity for knee in second)


def test_identifiers_and_paths_are_unique_and_obviously_synthetic():
    knees = plan_cohort(Phantom(subjects=2000, both_knees=0.5), "demo")
    assert len({knee.case_id for knee in knees}) == len({knee.image for knee in knees}) == len({knee.mask for knee in knees}) == len(knees)
    assert all(len(knee.subject) == 7 and knee.subject.startswith("99") for knee in knees)
    assert all(knee.case_id == f"{knee.subject}-{knee.side}-00m" for knee in knees)
    assert {knee.release for knee in knees} == set(releases(Phantom()))
    assert all(knee.image.startswith(f"00m/{knee.release}/") and knee.mask.startswith(f"masks/{knee.release}/") for knee in knees)


def test_a_person_is_one_person():
    knees = plan_cohort(Phantom(subjects=300, both_knees=1.0, faults=False), "demo")
    assert [(a.subject, a.sex, a.age, a.size, a.date, a.release) for a in knees[::2]] == [
        (b.subject, b.sex, b.age, b.size, b.date, b.release) for b in knees[1::2]
    ]
    correlation = np.corrcoef([knee.severity for knee in knees[::2]], [knee.severity for knee in knees[1::2]])[0, 1]
    assert 0.4 < correlation < 0.75


def test_half_of_the_knees_are_diseased_and_every_grade_occurs():
    knees = plan_cohort(Phantom(subjects=1500), "demo")
    grades = Counter(knee.read_grade for knee in knees)
    assert set(grades) == {0, 1, 2, 3, 4}
    assert min(grades.values()) > 0.1 * len(knees)
    assert 0.45 < np.mean([knee.read_grade >= 2 for knee in knees]) < 0.56
    assert 0.45 < np.mean([knee.side == "R" for knee in knees]) < 0.55
    assert 0.15 < np.mean([knee.true_grade != knee.read_grade for knee in knees]) < 0.30


def test_severity_is_not_told_by_identifier_or_scanner():
    knees = plan_cohort(Phantom(subjects=1500, faults=False), "demo")
    severity = np.array([knee.severity for knee in knees])
    assert abs(np.corrcoef(severity, [int(knee.subject) for knee in knees])[0, 1]) < 0.08
    means = [severity[[knee.scanner == number for knee in knees]].mean() for number in range(3)]
    assert max(means) - min(means) < 0.08


def test_every_fault_has_a_subject_of_its_own():
    knees = plan_cohort(Phantom(subjects=12), "demo")
    broken = [knee for knee in knees if knee.fault]
    assert [knee.fault for knee in broken] == [fault.name for fault in FAULTS]
    assert Counter(knee.subject for knee in knees)[broken[0].subject] == 1
    assert len({knee.subject for knee in broken}) == len(broken)
    assert all(knee.expected.image_format in (None, knee.image_format) for knee in broken)
    disagreeing = next(knee for knee in broken if knee.fault == "disagreeing-readings")
    assert disagreeing.second_grade is not None
    assert disagreeing.second_grade != disagreeing.read_grade
    assert all(knee.second_grade in (None, knee.read_grade) for knee in knees if knee is not disagreeing)


def test_formats_and_grids_vary():
    knees = plan_cohort(Phantom(subjects=200, faults=False), "demo")
    assert {knee.image_format for knee in knees} == {"dicom", "nifti"}
    assert {knee.mask_format for knee in knees} == {"nii.gz", "mha"}
    assert len({knee.mask_grid.axes for knee in knees}) >= 5
    scales = np.array([knee.mask_grid.scale for knee in knees])
    assert np.all((np.abs(scales - 1) >= 0.1 - 1e-9) & (np.abs(scales - 1) <= 0.3 + 1e-9))
    assert all(a.image_format == b.image_format for a, b in pairwise(knees) if a.subject == b.subject)


@pytest.mark.parametrize(("share", "formats"), [(0.0, {"dicom"}), (1.0, {"nifti"})])
def test_the_share_of_nifti_is_kept(share, formats):
    assert {knee.image_format for knee in plan_cohort(Phantom(subjects=30, nifti=share, faults=False), "demo")} == formats


def test_planning_is_cheap():
    plan_cohort.cache_clear()
    assert calls(lambda: plan_cohort(Phantom(subjects=500), "demo")) <= 10 * calls(lambda: plan_cohort(Phantom(subjects=50), "demo"))
    heavy = "{'pandas', 'scipy', 'torch', 'pydicom', 'nibabel', 'SimpleITK', 'pyarrow'}"
    code = f"import sys, kneeoa.phantom.plan; sys.exit(str(sorted({heavy} & set(sys.modules))) if {heavy} & set(sys.modules) else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}, check=False)
    assert done.returncode == 0, done.stderr
