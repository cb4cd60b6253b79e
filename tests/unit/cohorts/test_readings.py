"""The reading that counts among several, and what a row's cells say about a level."""

import pytest

from kneeoa.cohorts.label_cells import parse_label
from kneeoa.cohorts.readings import Vote, project_order, rows_differ, settle_readings, union_of_rows
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
    reading = settle_readings(votes((42, 4), (37, 2), (15, 3), (15, 0), (None, None)), rule, projects)
    assert reading is not None
    assert reading.value == ((2,) if rule == "median" else (value,))
    assert (reading.count, reading.disagreement) == (4, True)
    assert reading.votes == ("42:4", "37:2", "15:3", "15:0")


def test_agreement_and_silence() -> None:
    for rule in ("preferred", "first", "median", "unanimous"):
        reading = settle_readings(votes((15, 2), (37, 2)), rule)
        assert reading is not None
        assert (reading.value, reading.count, reading.disagreement) == ((2,), 2, False)
        assert settle_readings(votes((15, None)), rule) is None


def test_the_median_of_findings_is_taken_one_by_one() -> None:
    reading = settle_readings([Vote((1, 0, None)), Vote((1, 1, None)), Vote((0, 1, 1))], "median")
    assert reading is not None
    assert reading.value == (1, 1, 1)


def test_a_reading_without_a_project_comes_last() -> None:
    reading = settle_readings(votes((None, 4), (42, 1)), "preferred")
    assert reading is not None
    assert reading.value == (1,)
    assert [project_order(given) for given in (None, 15, "63A", (15, "63A"))] == [(), (15,), ("63A",), (15, "63A")]


def test_projects_with_letters_follow_by_number_and_then_by_letter() -> None:
    rows = [Vote((0,), "pilot"), Vote((1,), "63B"), Vote((2,), "63A"), Vote((3,), 42)]
    for projects, value in (((), 3), (("63B", 42), 1), ((99,), 3), (("pilot",), 0), ((63,), 3)):
        chosen = settle_readings(rows, "preferred", projects)
        assert chosen is not None
        assert chosen.value == (value,)
    chosen = settle_readings(rows[:3], "preferred")
    assert chosen is not None
    assert (chosen.value, chosen.votes) == ((2,), ("pilot:0", "63B:1", "63A:2"))


def test_the_union_of_rows_is_taken_in_each_project() -> None:
    rows = [Vote((1, 0, None), 15), Vote((0, 1, None), 15), Vote((0, 0, 1), 37), Vote((None, None, None), 15)]
    assert union_of_rows(rows) == [Vote((1, 1, None), 15), Vote((0, 0, 1), 37)]
    assert rows_differ(rows)
    assert not rows_differ([*rows[1:3], Vote((None, None, None), 15)])


def columns(**given: object) -> LabelColumns:
    return LabelColumns.model_validate(given)


@pytest.mark.parametrize("cell", ["KL2", "kl 2", "K-L 2", "K/L 2", "KLG 2", "KL grade II", "Grade 2", "KL2.0", "2", "2,0"])
def test_a_cell_that_says_that_it_is_a_grade_is_its_number(cell: str) -> None:
    assert parse_label([cell], columns(columns=["kl"])) == (2,)


@pytest.mark.parametrize("cell", ["II", "KL", "KL-2", "KL 2-3", "KL9", "KL 23", "KL2b", "grades 2", "L2", "KLII IV", "klv"])
def test_a_cell_that_is_nearly_a_grade_is_none(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        parse_label([cell], columns(columns=["kl"]))


def test_one_column_of_grades() -> None:
    short = LabelColumns.model_validate("XRKL")
    assert short.names == ("XRKL",)
    assert [parse_label([cell], short) for cell in ("3", "3: Moderate", "3.0", ".", "")] == [(3,)] * 3 + [(None,)] * 2
    coded = columns(columns=["kl"], values={"doubtful": 1, "unsure": None}, missing=["9"])
    assert [parse_label([cell], coded) for cell in ("doubtful", "Doubtful", "unsure", "9", "9.0", "")] == [(1,), (1,), *[(None,)] * 4]
    for outside in ("mild", "2", "1.0"):
        with pytest.raises(ValueError, match=f"'{outside}' is none of the cells that 'values' gives"):
            parse_label([outside], coded)


@pytest.mark.parametrize("written", ["{}", "{}.0", "{}.00", "0{}", "+{}", "{}e0", "{}: abnormal", "{}.0: abnormal"])
@pytest.mark.parametrize("key", ["{}", "{}.0", "{}: abnormal"])
def test_codes_are_compared_as_numbers(written: str, key: str) -> None:
    coded = columns(columns=["status"], values={key.format(code): code - 1 for code in (1, 2, 3)}, missing=["8"])
    assert [parse_label([written.format(code)], coded) for code in (1, 2, 3, 8)] == [(0,), (1,), (2,), (None,)]
    for code in ("0", "4", "9"):
        with pytest.raises(ValueError, match="is none of the cells"):
            parse_label([written.format(code)], coded)


def test_codes_with_another_word_or_two_meanings_are_no_label() -> None:
    coded = columns(columns=["status"], values={"1: normal": 0, "1: odd": 1, "2": 1, "2.00": 2, "A": 0, "a": 1})
    assert [parse_label([cell], coded) for cell in ("1: normal", "1.0: Odd", "2", "2.00", "A", "a")] == [(0,), (1,), (1,), (2,), (0,), (1,)]
    for cell in ("1", "1: other", "2.0"):
        with pytest.raises(ValueError, match="is none of the cells"):
            parse_label([cell], coded)


def test_a_grade_between_two_leaves_the_whole_numbers_alone() -> None:
    most = columns(columns=["kl"], values={"1.9": 1, "7": None}, missing=["8", "P"])
    cells = ("0", "1.0", "1.9", "1.90", "4", "7.0", "8.0", "P")
    assert [parse_label([cell], most) for cell in cells] == [(0,), (1,), (1,), (1,), (4,), (None,), (None,), (None,)]
    with pytest.raises(ValueError, match=r"'2\.9' is not a whole number"):
        parse_label(["2.9"], most)


def test_class_names_may_stand_in_the_cells() -> None:
    plain = columns(columns=["status"])
    named = plain.of_level(("normal", "KL 2", "none"))
    assert [parse_label([cell], named) for cell in ("normal", "NORMAL", "kl  2", "2", "1.0", "NA", "None")] == [
        (0,), (0,), (1,), (2,), (1,), (None,), (2,),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="'arthroplasty' is not a number"):
        parse_label(["arthroplasty"], named)
    with pytest.raises(ValueError, match="'normal' is not a number"):
        parse_label(["normal"], plain)
    assert parse_label(["1"], plain.of_level(("1", "2", "3"))) == (1,), "a number is a class's place, whatever the classes are called"
    assert plain.of_level(("a", "b")).model_dump() == plain.model_dump()


def test_findings_from_several_columns() -> None:
    mapped = columns(columns=["JSM", ["OSFM", "OSTM"]], at_least=1)
    assert mapped.names == ("JSM", "OSFM", "OSTM")
    assert parse_label(["0", "0", "2"], mapped) == (0, 1)
    assert parse_label(["3", "0", "0"], mapped) == (1, 0)
    assert parse_label([".", "", "1"], mapped) == (None, 1)
    assert parse_label(["0", "", "0"], mapped) == (0, None), "half read is not absent"
    assert parse_label(["2", "1", "2"], columns(columns=["a", ["b", "c"]])) == (2, 2)


def test_findings_listed_in_one_cell() -> None:
    mapped = columns(columns=["terms"], separator="|", values={"skull": 0, "ribs": 2, "pelvis": 1, "normal": None}, missing=["not done"])
    assert [parse_label([cell], mapped) for cell in ("ribs | skull", "", "normal", "NA", "not done")] == [
        (1, 0, 1),
        (0, 0, 0),
        (0, 0, 0),
        (None,) * 3,
        (None,) * 3,
    ]
    numbered = columns(columns=["codes"], separator=";", values={"1": 0, "2": 1, "9": None}, missing=["99"])
    assert [parse_label([cell], numbered) for cell in ("1.0; 2.0", "9.0", "99.0")] == [(1, 1), (0, 0), (None, None)]
    with pytest.raises(ValueError, match="'tail' is not among the findings"):
        parse_label(["skull|tail"], mapped)
    with pytest.raises(ValueError, match="'separator' needs one column"):
        columns(columns=["a", "b"], separator="|", values={"x": 0})
