"""A study declares whether two cohorts have people in common."""

from typing import Any

import pytest

from kneeoa.config.people import cohorts_with_same_people, overlap_message, undeclared_cohorts
from kneeoa.config.study import load
from kneeoa.errors import KneeoaError
from kneeoa.layout import Layout
from tests.unit.config.small_cohorts import FLAT, clinic, study

NAMES = ("a", "b", "c")


def three(**more: Any) -> dict[str, Any]:
    return study({"a": clinic(), "b": clinic(role="external"), "c": clinic(role="external")}, **more)


def test_one_group_needs_no_brackets_of_its_own() -> None:
    assert load(three(same_people=["a", "b"])).same_people == (("a", "b"),)
    assert load(three(same_people=[["a", "b"], ["a", "c"]])).same_people == (("a", "b"), ("a", "c"))
    assert load(three()).same_people == load(three(same_people=[])).same_people == ()


def test_the_same_people_by_way_of_a_third_cohort() -> None:
    groups = (("a", "b"), ("b", "c"))
    assert [sorted(cohorts_with_same_people(name, groups)) for name in NAMES] == [["b", "c"], ["a", "c"], ["a", "b"]]
    assert cohorts_with_same_people("d", groups) == set()


def test_what_is_not_stated_is_asked() -> None:
    assert undeclared_cohorts("a", NAMES, (), ()) == ["b", "c"]
    assert undeclared_cohorts("a", NAMES, (("a", "b"),), ()) == ["c"]
    assert undeclared_cohorts("a", NAMES, (("a", "b"), ("b", "c")), ()) == []
    assert undeclared_cohorts("a", NAMES, (), (("a", "b", "c"),)) == []
    assert undeclared_cohorts("a", NAMES, (), (("b", "c"),)) == ["b", "c"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"same_people": ["a", "x"]}, "'same_people' names 'x'; the cohorts are a, b, c"),
        ({"distinct_people": ["a"]}, "'distinct_people' holds ['a']; it takes two different cohorts"),
        ({"same_people": ["a", "a"]}, "it takes two different cohorts"),
        ({"same_people": ["a", "b"], "distinct_people": ["b", "a"]}, "'a' and 'b' cannot have both"),
        ({"same_people": [["a", "b"], ["b", "c"]], "distinct_people": ["a", "c"]}, "'a' and 'c' cannot have both"),
        ({"same_people": [1, 2]}, "same_people"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(more: dict[str, Any], words: str) -> None:
    with pytest.raises(KneeoaError) as caught:
        load(three(**more))
    assert words in str(caught.value)


def test_only_cohorts_that_an_arm_may_see_together_are_held_against_each_other() -> None:
    config = three(same_people=["a", "b"])
    config["views"]["lateral"] = FLAT
    config["cohorts"]["c"]["views"] = ["lateral"]
    layout = Layout(load(config))
    assert layout.cohorts_sharing_views("a") == layout.cohorts_sharing_views("b") == ["a", "b"]
    assert layout.cohorts_sharing_views("c") == ["c"]
    assert layout.undeclared_cohorts("a") == layout.undeclared_cohorts("c") == []
    del config["same_people"]
    assert Layout(load(config)).undeclared_cohorts("a") == ["b"]


def test_the_sentence_names_both_ways_out() -> None:
    sentence = overlap_message("a", "b", {f"p{number}" for number in range(24)})
    for word in ("24 ids", "p0, p1, p10, ...", "same_people: [a, b]", "distinct_people: [a, b]"):
        assert word in sentence


def test_training_reads_the_splits_as_they_were_dealt_and_all_else_those_without_leaks() -> None:
    layout = Layout(load(three()))
    arm = layout.study.arms_table()[0].name
    assert layout.splits(arm) == [f"results/case/splits/{name}.parquet" for name in NAMES]
    assert (
        layout.evaluation_splits(arm) == layout.evaluation_splits() == [f"results/case/splits/{name}.evaluated.parquet" for name in NAMES]
    )
