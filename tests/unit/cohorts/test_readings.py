"""Which of several readings counts, and what a row's cells say about a level."""

import pytest

from kneeoa.cohorts.label_cells import label
from kneeoa.cohorts.readings import Vote, preference, settle
from kneeoa.config.manifest import LabelColumns


def votes(*pairs: tuple[int | None, int | None]) -> list[Vote]:
    return [Vote((grade,), project) for project, grade in pairs]


@pytest.mark.parametrize(
    ("rule", "projects", "value"),
    [
        ("preferred", (), 3),
        ("preferred", (37,), 2),
        ("preferred", (99, 42), 4),
        ("first", (37,), 4),
        ("median", (), 3),
        ("unanimous", (), None),
    ],
)
def test_the_rule_chooses_and_the_rest_is_kept(rule: str, projects: tuple[int, ...], value: int | None) -> None:
    found = settle(votes((42, 4), (37, 2), (15, 3), (15, 0), (None, None)), rule, projects)
    assert found is not None
    assert found.value == ((2,) if rule == "median" else (value,))
    assert (found.count, found.disagreement) == (4, True)
    assert found.votes == ("42:4", "37:2", "15:3", "15:0")


def test_agreement_and_silence() -> None:
    for rule in ("preferred", "first", "median", "unanimous"):
        found = settle(votes((15, 2), (37, 2)), rule)
        assert found is not None
        assert (found.value, found.count, found.disagreement) == ((2,), 2, False)
        assert settle(votes((15, None)), rule) is None


def test_the_median_of_findings_is_taken_one_by_one() -> None:
    found = settle([Vote((1, 0, None)), Vote((1, 1, None)), Vote((0, 1, 1))], "median")
    assert found is not None
    assert found.value == (1, 1, 1)


def test_a_reading_without_a_project_comes_last() -> None:
    found = settle(votes((None, 4), (42, 1)), "preferred")
    assert found is not None
    assert found.value == (1,)
    assert [preference(given) for given in (None, 15, (15, 37))] == [(), (15,), (15, 37)]


def columns(**given: object) -> LabelColumns:
    return LabelColumns.model_validate(given)


def test_one_column_of_grades() -> None:
    short = LabelColumns.model_validate("XRKL")
    assert short.names == ("XRKL",)
    assert [label([cell], short) for cell in ("3", "3: Moderate", "3.0", ".", "")] == [(3,)] * 3 + [(None,)] * 2
    coded = columns(columns=["kl"], values={"doubtful": 1, "unsure": None}, missing=["9"])
    assert [label([cell], coded) for cell in ("doubtful", "unsure", "9", "2")] == [(1,), (None,), (None,), (2,)]
    with pytest.raises(ValueError, match="'mild' is not a number"):
        label(["mild"], coded)


def test_findings_from_several_columns() -> None:
    own = columns(columns=["JSM", ["OSFM", "OSTM"]], at_least=1)
    assert own.names == ("JSM", "OSFM", "OSTM")
    assert label(["0", "0", "2"], own) == (0, 1)
    assert label(["3", "0", "0"], own) == (1, 0)
    assert label([".", "", "1"], own) == (None, 1)
    assert label(["0", "", "0"], own) == (0, None), "half read is not absent"
    assert label(["2", "1", "2"], columns(columns=["a", ["b", "c"]])) == (2, 2)


def test_findings_listed_in_one_cell() -> None:
    own = columns(columns=["terms"], separator="|", values={"skull": 0, "ribs": 2, "pelvis": 1, "normal": None}, missing=["not done"])
    assert [label([cell], own) for cell in ("ribs | skull", "", "normal", "NA", "not done")] == [
        (1, 0, 1),
        (0, 0, 0),
        (0, 0, 0),
        (None,) * 3,
        (None,) * 3,
    ]
    with pytest.raises(ValueError, match="'tail' is not among the findings"):
        label(["skull|tail"], own)
    with pytest.raises(ValueError, match="'separator' needs one column"):
        columns(columns=["a", "b"], separator="|", values={"x": 0})
