"""A source that cannot give what is asked of it stops the study before any job: one sentence that
names key and value.
"""

import copy
from typing import Any

import pytest

from kneeoa.cohorts.registry import offer, readers
from kneeoa.config.cohorts import Cohort
from kneeoa.config.study import load
from kneeoa.errors import KneeoaError
from tests.unit.config.small_cohorts import FLAT, LEVELS, clinic, study

STATUS = [{"name": "status", "kind": "binary", "classes": ["normal", "abnormal"]}]
SIGNED = [{"name": "signs", "kind": "multilabel", "classes": ["narrowing", "osteophytes", "cysts"]}, *LEVELS]
SIGNS = [*LEVELS, {"name": "signs", "kind": "multilabel", "classes": ["narrowing", "osteophytes", "cysts"]}]
GRADES = {"reader": "grades_folder", "root": "somewhere", "views": ["pa"]}
OAI = {"reader": "oai", "root": "somewhere", "views": ["pa"]}
CM = {"reader": "oaizib_cm", "root": "somewhere", "views": ["pa"]}
ZIB = {"reader": "oai_zib", "root": "somewhere", "views": ["pa"]}
TWO_VIEWS = {"views": {"pa": FLAT, "lateral": FLAT}}


def refusal(config: dict[str, Any]) -> str:
    with pytest.raises(KneeoaError) as caught:
        load(config)
    return str(caught.value)


def columns(**changes: Any) -> dict[str, Any]:
    """The cohort's manifest with other columns; None leaves one out."""
    manifest = {"table": "t.csv", "subject": "id", "side": "side", "path": "file"} | changes
    return {key: value for key, value in manifest.items() if value is not None}


SOUND: dict[str, dict[str, Any]] = {
    "a manifest": study({"c": clinic()}),
    "two columns of which the higher counts": study({"c": clinic(labels={"kl": [["kl_medial", "kl_lateral"]]})}),
    "a coarse level of its own column beside the finest": study({"c": clinic(labels={"kl": "kl", "oa": "status"})}),
    "a binary level by a threshold": study({"c": clinic(labels={"status": {"columns": ["kl"], "at_least": 2}})}, STATUS),
    "a binary level by a diagnosis in a list": study(
        {"c": clinic(labels={"status": {"columns": ["icd"], "separator": ";", "values": {"M17": 0, "M16": None}}})}, STATUS
    ),
    "findings, a column each": study({"c": clinic(labels={"kl": "kl", "signs": ["a", "b", ["c", "d"]]})}, SIGNS),
    "columns by side": study({"c": clinic(labels={"kl": "kl_{side}"}, manifest=columns(side=None, sides={"R": "r", "L": "l"}))}),
    "files by view": study(
        {"c": clinic(views=["pa", "lateral"], manifest=columns(path="{view}_file", views={"pa": "pa", "lateral": "lat"}))}, **TWO_VIEWS
    ),
    "a given split with its column": study({"c": clinic(split={"method": "given"}, manifest=columns(split="fold"))}),
    "a folder of grades": study({"c": GRADES | {"split": {"method": "given"}}}),
    "OAI's radiographs": study({"c": OAI | {"visits": ["00m", "24m"]}}),
    "OAI's grades, mapped to three": study(
        {"c": OAI | {"labels": {"kl": {"columns": ["XRKL"], "values": {"0": 0, "1": 0, "2": 1, "3": 2, "4": 2}}}}},
        [{"name": "kl", "kind": "ordinal", "classes": ["none", "mild", "severe"]}],
    ),
    "OAI's radiographs by another name": study({"c": OAI | {"views": ["pa"], "series": {"pa": "KNEE"}}}),
    "OAI's release with masks": study(
        {"c": CM | {"tissues": {"femur": [1], "cartilage": [2, 4]}, "split": {"method": "given"}}}, solid=True
    ),
    "OAI-ZIB": study({"c": ZIB}, solid=True),
    "an external cohort of the coarse level alone": study({"c": clinic(), "hospital": clinic(role="external", labels={"oa": "status"})}),
    "an external cohort of another level than the first": study(
        {"c": clinic(labels={"kl": "kl"}), "hospital": GRADES | {"role": "external"}}
    ),
    "published results of an external cohort": study(
        {"c": clinic(), "away": clinic(role="external", published=[{"source": "A 2024", "level": "kl", "accuracy": 0.7}])}
    ),
    "an unlabelled second cohort": study({"c": clinic(), "ext": clinic(role="external", labels=None, unlabelled=True)}),
    "no validation where the last epoch counts": study({"c": clinic(split={"val": 0})}, training={"checkpoint": "last"}),
    "subgroups that the column map has": study(
        {"c": clinic(manifest=columns(sex="sex", age="years"))}, statistics={"subgroups": {"sex": "all", "side": "all"}}
    ),
}

HALF_WRONG: dict[str, tuple[dict[str, Any], list[str]]] = {
    "labels of no level": (study({"c": clinic(labels={"klg": "kl"})}), ["'cohorts.c.labels' names 'klg'", "oa, kl"]),
    "labels of no level beside a right one": (study({"c": clinic(labels={"kl": "kl", "ao": "oa"})}), ["names 'ao'"]),
    "no labels": (study({"c": clinic(labels=None)}), ["labels of no level", "'kl'", "cohorts.c.labels", "unlabelled: true"]),
    "labels of the coarse level alone, to train on": (
        study({"c": clinic(), "hospital": clinic(labels={"oa": "status"})}),
        ["'cohorts.hospital' has labels of oa alone", "'kl'"],
    ),
    "external labels of a level that no arm predicts": (
        study({"c": clinic(), "hospital": clinic(role="external", labels={"signs": ["a", "b", "c"]})}, SIGNED),
        ["'cohorts.hospital' has labels of signs alone", "no arm predicts", "oa, kl"],
    ),
    "a folder of grades for another level": (study({"c": GRADES}, STATUS), ["'cohorts.c' has labels of kl alone", "'status'"]),
    "OAI's default for another level": (study({"c": OAI}, STATUS), ["labels of kl alone", "'status'", "cohorts.c.labels"]),
    "a folder of grades with labels": (study({"c": GRADES | {"labels": {"kl": "KLG"}}}), ["would not be looked at", "grades_folder"]),
    "the release with labels": (study({"c": CM | {"labels": {"kl": "KLG"}}}, solid=True), ["would not be looked at", "oaizib_cm"]),
    "published results of a cohort that is trained on": (
        study({"c": clinic(published=[{"source": "A 2024", "level": "kl", "accuracy": 0.7}])}),
        ["'cohorts.c.published'", "role is 'develop'"],
    ),
    "published results of no level": (
        study({"c": clinic(), "away": clinic(role="external", published=[{"source": "A 2024", "level": "grade", "accuracy": 0.7}])}),
        ["'cohorts.away.published[0].level' is 'grade'", "oa, kl"],
    ),
    "published results of too few classes": (
        study(
            {"c": clinic(), "away": clinic(role="external", published=[{"source": "A", "level": "kl", "accuracy_by_class": [0.7, 0.8]}])}
        ),
        ["'cohorts.away.published[0].accuracy_by_class' has 2 numbers", "5 classes"],
    ),
    "published results without a number": (
        study({"c": clinic(), "away": clinic(role="external", published=[{"source": "A 2024", "level": "kl"}])}),
        ["'cohorts.away.published[0]' has neither 'accuracy_by_class' nor 'accuracy'"],
    ),
    "two columns for an ordinal level": (
        study({"c": clinic(labels={"kl": ["kl", "kl2"]})}),
        ["'cohorts.c.labels.kl' has 2 columns", "ordinal and takes 1", "[[first, second]]"],
    ),
    "two columns for a binary level": (study({"c": clinic(labels={"status": ["a", "b"]})}, STATUS), ["binary and takes 1"]),
    "too few columns for findings": (
        study({"c": clinic(labels={"kl": "kl", "signs": ["a", "b"]})}, SIGNS),
        ["has 2 columns", "takes 3, one for each of its 3 findings"],
    ),
    "a threshold on an ordinal level": (
        study({"c": clinic(labels={"kl": {"columns": ["kl"], "at_least": 2}})}),
        ["'cohorts.c.labels.kl.at_least'", "ordinal"],
    ),
    "a class that is not there": (
        study({"c": clinic(labels={"kl": {"columns": ["kl"], "values": {"severe": 7}}})}),
        ["gives 'severe' the class 7", "0 to 4"],
    ),
    "a negative class": (study({"c": clinic(labels={"kl": {"columns": ["kl"], "values": {"x": -1}}})}), ["the class -1"]),
    "a list of findings for an ordinal level": (
        study({"c": clinic(labels={"kl": {"columns": ["kl"], "separator": ";", "values": {"a": 0}}})}),
        ["separator", "ordinal"],
    ),
    "a list that lacks a finding": (
        study({"c": clinic(labels={"kl": "kl", "signs": {"columns": ["t"], "separator": ";", "values": {"a": 0, "b": 1}}})}, SIGNS),
        ["classes 0 to 1", "0 to 2"],
    ),
    "no images": (study({"c": clinic(manifest=columns(path=None))}), ["'cohorts.c.views' asks for pa", "manifest.path"]),
    "masks without a column": (study({"c": clinic(tissues={"femur": [1]})}), ["'cohorts.c.tissues'", "manifest.mask"]),
    "masks of a folder of grades": (study({"c": GRADES | {"tissues": {"femur": [1]}}}), ["'cohorts.c.tissues'", "grades_folder"]),
    "a tissue of label 0": (study({"c": clinic(tissues={"air": [0]}, manifest=columns(mask="m"))}), ["tissues.air", "label 0"]),
    "one label of two tissues": (
        study({"c": clinic(tissues={"femur": [1], "tibia": [2, 1]}, manifest=columns(mask="m"))}),
        ["gives label 1 to both 'femur' and 'tibia'"],
    ),
    "a given split without a column": (
        study({"c": clinic(split={"method": "given"})}),
        ["'cohorts.c.split.method' is 'given'", "'manifest.split'"],
    ),
    "a given split of OAI": (study({"c": OAI | {"split": {"method": "given"}}}), ["split.method", "reader 'oai' has none"]),
    "a given split of OAI-ZIB": (study({"c": ZIB | {"split": {"method": "given"}}}, solid=True), ["reader 'oai_zib' has none"]),
    "two views of a folder of grades": (
        study({"c": GRADES | {"views": ["pa", "lateral"]}}, **TWO_VIEWS),
        ["'cohorts.c.views' is ['pa', 'lateral']", "one alone"],
    ),
    "two visits of a folder of grades": (study({"c": GRADES | {"visits": ["00m", "12m"]}}), ["'cohorts.c.visits'", "one alone"]),
    "two visits of the release": (study({"c": CM | {"visits": ["00m", "12m"]}}, solid=True), ["'cohorts.c.visits'", "one alone"]),
    "another visit of OAI-ZIB": (study({"c": ZIB | {"visits": ["12m"]}}, solid=True), ["names '12m'", "offers 00m"]),
    "a visit that OAI does not have": (study({"c": OAI | {"visits": ["13m"]}}), ["'cohorts.c.visits' names '13m'", "00m, 12m"]),
    "a view that OAI does not have": (
        study({"c": OAI | {"views": ["ap"]}}, views={"ap": FLAT}, arms=[{"backbone": "net", "mode": "one"}]),
        ["'cohorts.c.views' names 'ap'", "sag_dess", "'series'"],
    ),
    "volumes of a folder of grades": (study({"c": GRADES}, solid=True), ["'views.pa' has 3", "grades_folder", "2"]),
    "radiographs of the release": (study({"c": CM}), ["'views.pa' has 2", "oaizib_cm", "3"]),
    "radiographs of OAI-ZIB": (study({"c": ZIB}), ["'views.pa' has 2", "oai_zib"]),
    "OAI's radiographs as volumes": (study({"c": OAI}, solid=True), ["'views.pa' has 3", "'oai'", "2"]),
    "pictures of both knees without a side": (
        study({"c": clinic(manifest=columns(side=None, shows="both"))}),
        ["'cohorts.c.manifest.shows' is 'both'", "'side'", "'sides'"],
    ),
    "sides without a placeholder": (
        study({"c": clinic(manifest=columns(side=None, sides={"R": "r", "L": "l"}))}),
        ["'manifest.sides'", "'{side}'"],
    ),
    "visits without a placeholder": (
        study({"c": clinic(visits=["00m", "12m"], manifest=columns(visits={"00m": "V0", "12m": "V1"}))}),
        ["'manifest.visits'", "'{visit}'"],
    ),
    "views without a placeholder": (
        study({"c": clinic(views=["pa", "lateral"], manifest=columns(views={"pa": "p", "lateral": "l"}))}, **TWO_VIEWS),
        ["'manifest.views'", "'{view}'"],
    ),
    "no validation case to choose by": (study({"c": clinic(split={"val": 0})}), ["'split.val' is 0", "checkpoint"]),
    "subgroups of the sex that nobody tells": (
        study({"c": clinic()}, statistics={"subgroups": {"sex": "all"}}),
        ["'statistics.subgroups.sex'", "no cohort"],
    ),
    "subgroups of the side of right knees": (
        study({"c": ZIB}, solid=True, statistics={"subgroups": {"side": "all"}}),
        ["'statistics.subgroups.side'"],
    ),
    "subgroups of the age of a folder of grades": (
        study({"c": GRADES}, statistics={"subgroups": {"age": {"bands": [40, 60]}}}),
        ["'statistics.subgroups.age'"],
    ),
    "nobody with a label to train on": (study({"c": clinic(labels=None, unlabelled=True)}), ["'unlabelled'", "nothing could be trained"]),
    "fewer classes than OAI has grades": (
        study({"c": OAI}, [{"name": "kl", "kind": "ordinal", "classes": ["none", "mild", "severe"]}]),
        ["level 'kl' has 3 classes (ordinal)", "'cohorts.c' has 5 grades", "parent_class"],
    ),
    "more classes than the release has grades": (
        study({"c": CM}, [{"name": "kl", "kind": "multiclass", "classes": list("abcdef")}], solid=True),
        ["level 'kl' has 6 classes (multiclass)", "5 grades"],
    ),
    "a root that is empty": (study({"c": clinic(root="")}), ["'root' is empty"]),
    "two classes of one name": (
        study({"c": clinic()}, [LEVELS[0], LEVELS[1] | {"classes": ["a", "a", "b", "c", "d"]}]),
        ["level 'kl'", "two classes called 'a'"],
    ),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_study_passes(name: str) -> None:
    assert load(SOUND[name]).cohorts


@pytest.mark.parametrize("name", HALF_WRONG)
def test_half_of_what_is_asked_stops_the_study(name: str) -> None:
    config, words = HALF_WRONG[name]
    sentence = refusal(config)
    assert sentence.count("\n") == 1, "one mistake, one line"
    for word in words:
        assert word in sentence


QUOTES: list[tuple[list[str | int], Any, list[str]]] = [
    (["levels", 0, "classes"], [False, True], ["'levels[0].classes[0]' is False", "yes or no", "quotes"]),
    (["levels", 1, "classes"], [0, 1, 2, 3, 4], ["'levels[1].classes[0]' is 0", "a number", "quotes"]),
    (["levels", 1, "classes", 0], None, ["'levels[1].classes[0]' is None", "nothing", "quotes"]),
    (["cohorts", "c", "visits"], [0, 24], ["'cohorts.c.visits[0]' is 0", "a number", "quotes"]),
    (["cohorts", "c", "labels", "kl"], {"columns": ["kl"], "missing": [8, 9.5]}, ["'cohorts.c.labels.kl.missing[0]' is 8", "quotes"]),
    (["cohorts", "c", "labels", "kl"], {"columns": ["kl"], "values": {1: 0}}, ["a key of 'cohorts.c.labels.kl.values' is 1", "quotes"]),
    (
        ["cohorts", "c", "labels", "kl"],
        {"columns": ["kl"], "values": {True: 1}},
        ["a key of 'cohorts.c.labels.kl.values' is True", "yes or no"],
    ),
    (["cohorts", "c", "manifest", "values"], {"side": {1: "R"}}, ["a key of 'cohorts.c.manifest.values.side' is 1", "a number"]),
    (["cohorts", "c", "manifest", "values"], {"side": {"a": True}}, ["'cohorts.c.manifest.values.side.a' is True", "quotes"]),
    (["study"], 2026, ["'study' is 2026", "a number", "quotes"]),
    (["cohorts", "c", "manifest", "subject"], False, ["'cohorts.c.manifest.subject' is False", "quotes"]),
]


@pytest.mark.parametrize(("path", "value", "words"), QUOTES, ids=[str(path) for path, _, _ in QUOTES])
def test_a_name_that_yaml_made_something_else_of_wants_quotes(path: list[str | int], value: Any, words: list[str]) -> None:
    config = copy.deepcopy(study({"c": clinic()}))
    section: Any = config
    for part in path[:-1]:
        section = section[part]
    section[path[-1]] = value
    sentence = refusal(config)
    for word in words:
        assert word in sentence


@pytest.mark.parametrize("key", ["visits", "views"])
def test_a_word_where_a_list_belongs(key: str) -> None:
    assert f"'cohorts.c.{key}' is 'pa'; write a list: [pa]" in refusal(study({"c": clinic(**{key: "pa"})}))


def test_every_reader_says_what_it_gives() -> None:
    manifest = {"table": "t.csv", "subject": "id"}
    for reader in readers():
        section = {"reader": reader, "root": "somewhere"} | ({"manifest": manifest} if reader == "manifest" else {})
        assert offer(Cohort.model_validate(section)) is not None


def test_an_unlabelled_cohort_is_a_part_of_its_section_and_any_other_is_as_it_was() -> None:
    section = clinic(labels=None)
    assert "unlabelled" not in Cohort.model_validate(section).model_dump(mode="json")
    assert Cohort.model_validate(section | {"unlabelled": True}).model_dump(mode="json")["unlabelled"] is True
