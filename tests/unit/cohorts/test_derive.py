"""Coarse levels follow from fine ones."""

import pytest

from kneeoa.cohorts.derive import parent_value, readings_of_levels
from kneeoa.cohorts.source import Reading
from kneeoa.config.hierarchy import Level, finest
from kneeoa.errors import KneeoaError

OA = Level(name="oa", kind="binary", classes=("no", "yes"))
KL = Level(name="kl", kind="ordinal", classes=("0", "1", "2", "3", "4"), parent="oa", parent_class=(0, 0, 1, 1, 1))
GROUPS = Level(name="groups", kind="multilabel", classes=("narrowing", "bone"), parent="oa", parent_class=(1, 1))
SIGNS = Level(name="signs", kind="multilabel", classes=("jsm", "jsl", "osteophyte"), parent="groups", parent_class=(0, 0, 1))


def test_each_grade_gives_its_parents_class_with_the_readings_behind_it() -> None:
    result = [readings_of_levels({"kl": Reading((grade,), 2, True)}, (OA, KL)) for grade in range(5)]
    assert [readings["oa"].value for readings in result] == [(0,), (0,), (1,), (1,), (1,)]
    assert result[0]["oa"].count == 2
    assert result[0]["oa"].disagreement


def test_what_the_source_offers_goes_before_what_could_be_derived() -> None:
    assert readings_of_levels({"oa": Reading((0,)), "kl": Reading((4,))}, (OA, KL))["oa"].value == (0,)
    assert readings_of_levels({}, (OA, KL)) == {}


def test_three_levels_of_findings() -> None:
    result = readings_of_levels({"signs": Reading((0, 1, 0))}, (OA, GROUPS, SIGNS))
    assert result["groups"].value == (1, 0)
    assert result["oa"].value == (1,)


@pytest.mark.parametrize(
    ("value", "groups", "oa"),
    [((0, 0, 0), (0, 0), (0,)), ((None, 0, 0), (None, 0), (None,)), ((None, 1, 0), (1, 0), (1,)), ((None, None, 1), (None, 1), (1,))],
)
def test_an_unread_finding_leaves_open_only_what_it_could_change(
    value: tuple[int | None, ...], groups: tuple[int | None, ...], oa: tuple[int | None, ...]
) -> None:
    assert parent_value(SIGNS, GROUPS, value) == groups
    assert parent_value(GROUPS, OA, groups) == oa


def test_the_finest_level_is_the_last_that_is_nobodys_parent() -> None:
    assert finest((OA, KL)).name == "kl"
    assert finest((OA,)).name == "oa"
    assert finest((OA, GROUPS, SIGNS)).name == "signs"


def test_a_class_that_the_level_does_not_have_is_refused() -> None:
    three = Level(name="kl", kind="ordinal", classes=("0", "1", "2"), parent="oa", parent_class=(0, 0, 1))
    with pytest.raises(KneeoaError, match="level 'kl' has the classes"):
        readings_of_levels({"kl": Reading((4,))}, (OA, three))
