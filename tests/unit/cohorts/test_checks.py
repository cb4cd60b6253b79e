"""One file that two cases claim, and classes that the hierarchy does not have."""

import pytest

from kneeoa.cohorts.checks import check_labelled, refuse_impossible_classes, refuse_shared_files
from kneeoa.cohorts.source import File, Reading, Reason, Source
from kneeoa.config.cohorts import Cohort
from kneeoa.config.hierarchy import Level
from kneeoa.errors import KneeoaError

KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"))


def claimed(*claims: tuple[str, str | None, str, File]) -> Source:
    source = Source()
    for subject, side, visit, file in claims:
        source.knee(subject, side, visit).files.append(file)
    return source


def refused(source: Source) -> dict[str, list[tuple[str, str]]]:
    refuse_shared_files(source)
    return {case: [(reason.reason, reason.scope) for reason in knee.reasons] for case, knee in source.knees.items() if knee.reasons}


def test_a_film_of_both_knees_belongs_to_the_two_sides_of_one_person() -> None:
    film = File("pa", "image", "film.dcm", "dicom-file", "both")
    both = claimed(("1", "L", "00m", film), ("1", "R", "00m", film))
    assert refused(both) == {}
    assert all(knee.files == [film] for knee in both.knees.values())


@pytest.mark.parametrize(
    "claims",
    [
        (("1", "L", "00m", "both"), ("2", "R", "00m", "both")),
        (("1", "L", "00m", "both"), ("1", "R", "24m", "both")),
        (("1", "L", "00m", "knee"), ("1", "R", "00m", "knee")),
        (("1", "L", "00m", "both"), ("1", "R", "00m", "knee")),
        (("1", "L", "00m", "both"), ("1", "R", "00m", "both"), ("1", "R", "24m", "both")),
    ],
)
def test_any_other_shared_image_is_taken_from_all(claims: tuple[tuple[str, str, str, str], ...]) -> None:
    source = claimed(*((*claim[:3], File("pa", "image", "film.dcm", "dicom-file", claim[3])) for claim in claims))
    assert refused(source) == {f"{subject}-{side}-{visit}": [("shared-file", "case")] for subject, side, visit, _ in claims}
    assert all(knee.files == [] for knee in source.knees.values())


def test_a_shared_mask_costs_the_mask_and_an_image_as_its_own_mask_costs_both() -> None:
    mask = File("sag_dess", "mask", "m.nii", "nifti")
    assert refused(claimed(("1", "L", "00m", mask), ("2", "L", "00m", mask))) == {
        "1-L-00m": [("shared-file", "mask")],
        "2-L-00m": [("shared-file", "mask")],
    }
    image = File("sag_dess", "image", "m.nii", "nifti")
    assert refused(claimed(("1", "L", "00m", mask), ("1", "L", "00m", image))) == {
        "1-L-00m": [("shared-file", "mask"), ("shared-file", "case")]
    }


def graded(**grades: int) -> Source:
    source = Source()
    for subject, grade in grades.items():
        source.knee(subject, "R", "00m").readings["kl"] = Reading((grade,))
    return source


def test_a_code_that_is_no_class_is_no_label() -> None:
    source = graded(a=4, b=9)
    refuse_impossible_classes(source, (KL,))
    assert source.knees["a-R-00m"].readings["kl"].value == (4,)
    bad = source.knees["b-R-00m"]
    assert bad.readings == {}
    assert [(reason.reason, reason.level) for reason in bad.reasons] == [("invalid-label", "kl")]
    assert "[9] is none of the 5 classes" in bad.reasons[0].detail


def test_a_level_that_fits_no_knee_is_declared_wrongly() -> None:
    with pytest.raises(KneeoaError, match="declare the level with the source's own classes"):
        refuse_impossible_classes(graded(a=9, b=7), (KL,))


OA = Level(name="oa", kind="binary", classes=("no", "yes"))


@pytest.mark.parametrize(("level", "grades"), [("kl", (1, 2, 3, 4, 5)), ("kl", (5, 4, 3, 3, 2, 1, None, 9)), ("oa", (1, 2, 2))])
def test_labels_that_count_from_one_are_not_taken_for_others(level: str, grades: tuple[int | None, ...]) -> None:
    with pytest.raises(KneeoaError, match=f"'{level}' run from 1 to .* count from 0"):
        refuse_impossible_classes(with_labels(*grades, level=level), (KL, OA))


@pytest.mark.parametrize(("level", "grades"), [("kl", (0, 1, 2, 3, 4, 5)), ("kl", (1, 2, 4, 5)), ("kl", (1, 2, 3, 4)), ("oa", (0, 1, 2))])
def test_one_label_beyond_the_last_is_no_label(level: str, grades: tuple[int, ...]) -> None:
    source = with_labels(*grades, level=level)
    refuse_impossible_classes(source, (KL, OA))
    assert sum(len(knee.reasons) for knee in source.knees.values()) == (max(grades) > (1 if level == "oa" else 4))


FINE = KL.model_copy(update={"parent": "oa", "parent_class": (0, 0, 1, 1, 1)})
COHORT = Cohort(reader="oai", root="somewhere")
UNLABELLED = Cohort(reader="oai", root="somewhere", unlabelled=True)


def with_labels(*grades: int | None, level: str = "kl") -> Source:
    source = Source()
    for number, grade in enumerate(grades):
        knee = source.knee(str(number), "R", "00m")
        knee.readings[level] = Reading((grade,))
        knee.files.append(File("pa", "image", f"{number}.png", "png"))
    return source


def test_a_cohort_without_a_single_label_is_named_as_unlabelled_or_refused() -> None:
    for source in (with_labels(None, None), with_labels(0, 1, level="oa"), claimed(("1", "R", "00m", File("pa", "image", "a.png", "png")))):
        with pytest.raises(KneeoaError, match=r"none of the \d knees of cohort 'clinic' has a label of 'kl'.*unlabelled: true"):
            check_labelled(source, COHORT, "clinic", (OA, FINE))
        check_labelled(source, UNLABELLED, "clinic", (OA, FINE))
    check_labelled(with_labels(None, 3), COHORT, "clinic", (OA, FINE))
    check_labelled(Source(), COHORT, "clinic", (OA, FINE))
    with pytest.raises(KneeoaError, match="'unlabelled', but 1 of its knees have a label of 'kl'"):
        check_labelled(with_labels(None, 3), UNLABELLED, "clinic", (OA, FINE))


def test_a_refused_label_is_the_example_of_why_there_is_none() -> None:
    source = with_labels(None)
    source.knees["0-R-00m"].reasons.append(Reason("invalid-label", "t.csv, line 2: 'x' is not a number.", level="kl"))
    with pytest.raises(KneeoaError, match=r"\(e\.g\. t\.csv, line 2: 'x' is not a number\)"):
        check_labelled(source, COHORT, "clinic", (OA, FINE))
