"""Ids that are absent, and ids that look like the knees or visits of one person."""

from itertools import combinations

import pytest

from kneeoa.subject_ids import group_by_person, listed_rows, missing_rows, subject_id_warning

ONE_PERSON = [
    ("0001R", "0001L"),
    ("0001r", "0001l"),
    ("R0001", "L0001"),
    ("0001_left", "0001_right"),
    ("0001-RIGHT", "0001-LEFT"),
    ("0001Right", "0001Left"),
    ("0001.R", "0001.L"),
    ("12 (R)", "12 (L)"),
    ("RK0003", "LK0003"),
    ("0001rt", "0001lt"),
    ("P01_kneeR", "P01_kneeL"),
    ("KneeRight_12", "KneeLeft_12"),
    ("right_knee_001", "left_knee_001"),
    ("anna-left", "anna-right"),
    ("0001_R_V00", "0001_L_V00"),
    ("0001-R-00m", "0001-L-00m"),
    ("0001-V00", "0001-V01"),
    ("9001-12m", "9001-24m"),
    ("0001_visit 2", "0001_visit 1"),
    ("oai.9.baseline", "oai.9.V04"),
    ("sub-01_ses-01", "sub-01_ses-02"),
    ("9000099_1", "9000099_2"),
    ("0001R", "0001R-V01"),
]
OTHER_PEOPLE = [
    ("0001", "0002"),
    ("R1", "R2"),
    ("L", "R"),
    ("left", "right"),
    ("a", "b"),
    ("M012", "M013"),
    ("V01", "V02"),
    ("s1", "s2", "s3"),
    ("1-2", "1-3"),
    ("case_1", "case_2", "case_3"),
    ("paul", "raul"),
    ("7-1", "7-3", "8-1"),
]


@pytest.mark.parametrize("ids", ONE_PERSON, ids=str)
def test_knees_and_visits_of_one_person_are_recognised(ids: tuple[str, str]) -> None:
    assert list(group_by_person(ids).values()) == [set(ids)]
    assert "2 ids of subjects look like knees or visits of one person" in subject_id_warning(ids)


@pytest.mark.parametrize("ids", OTHER_PEOPLE, ids=str)
def test_people_are_not_taken_for_one(ids: tuple[str, ...]) -> None:
    assert subject_id_warning(ids) == ""


def test_several_people_are_counted_and_none_is_named() -> None:
    ids = [f"{person:04d}{side}" for person in range(40) for side in "RL"] + ["0099R"]
    assert subject_id_warning(ids).startswith("80 ids of subjects look like knees or visits of 40 people")
    assert not any(each in subject_id_warning(ids) for each in ids)


def test_one_spelling_within_another_is_no_other_person() -> None:
    ids = ["0007R", "0007-L", "0007_left_V01"]
    assert all(subject_id_warning(pair) for pair in combinations(ids, 2))


def test_absent_ids_and_their_rows() -> None:
    assert missing_rows(["a", None, "", " ", float("nan"), "NaN", "None", "n/a", "0", "Nanna", 7]) == [2, 3, 4, 5, 6, 7, 8]
    assert listed_rows([4]) == "row 4"
    assert listed_rows([2, 5, 9]) == "rows 2, 5 and 9"
    assert listed_rows(list(range(1, 31))) == "rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ... (30 in all)"
