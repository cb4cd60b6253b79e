"""A key or a factor by its earlier name is refused where the configuration is read, and the message
has the new name.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.config.phantom import Phantom
from kneeoa.config.renamed_keys import RENAMED, renamed_key_messages
from kneeoa.config.study import load
from kneeoa.errors import KneeoaError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def noisy() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "workflow/studies/noisy_raters.yaml").read_text())


def put(config: Any, place: list[Any], value: Any) -> None:
    """Set a value; dictionaries above it are made."""
    for part in place[:-1]:
        config = config.setdefault(part, {}) if isinstance(config, dict) else config[part]
    config[place[-1]] = value


EARLIER = [
    (["readers"], {"r10": {"adjacent": 0.1}}, "the key 'readers' is called 'raters' since 0.3.0: rename it"),
    (["cohorts", "phantom", "phantom", "reader"], {}, "the key 'cohorts.phantom.phantom.reader' is called 'rater' since 0.3.0: rename it"),
    (["arms", 0, "reader"], "r10", "the key 'arms[0].reader' is called 'rater' since 0.3.0: rename it"),
    (["arms", 0, "name"], "{mode}-{reader}", "'arms[0].name' names '{reader}', which is called '{rater}' since 0.3.0: rename it"),
    (["imports", "arms", "a", "factors", "reader"], 1, "the key 'imports.arms.a.factors.reader' is called 'rater' since 0.3.0: rename it"),
    (
        ["statistics", "contrasts", 1, "factor"],
        "reader",
        "'statistics.contrasts[1].factor' names 'reader', which is called 'rater' since 0.3.0: rename it",
    ),
    (
        ["statistics", "contrasts", 0, "follows"],
        ["grid", "reader"],
        "'statistics.contrasts[0].follows[1]' names 'reader', which is called 'rater' since 0.3.0: rename it",
    ),
    (
        ["statistics", "primary"],
        {"contrast": "oa-dual-single", "metric": "auc", "where": {"reader": "r10"}},
        "the key 'statistics.primary.where.reader' is called 'rater' since 0.3.0: rename it",
    ),
]


@pytest.mark.parametrize(("place", "value", "message"), EARLIER, ids=[message.split("'")[1] for _, _, message in EARLIER])
def test_an_earlier_name_is_refused_and_the_new_one_named(noisy: dict[str, Any], place: list[Any], value: Any, message: str) -> None:
    load(noisy)
    put(noisy, place, value)
    with pytest.raises(KneeoaError) as error:
        load(noisy)
    assert str(error.value).splitlines()[1:] == [f"  - {message}"]


def test_every_earlier_name_of_a_configuration_is_named_at_once(noisy: dict[str, Any]) -> None:
    noisy["readers"] = noisy.pop("raters")
    for row in noisy["arms"]:
        row["reader"] = row.pop("rater")
        row["name"] = row["name"].replace("rater", "reader")
    keys = [message.split("'")[1] for message in renamed_key_messages(noisy)]
    assert sorted(keys) == ["arms[0].name", "arms[0].reader", "readers"]
    with pytest.raises(KneeoaError) as error:
        load(noisy)
    assert len(str(error.value).splitlines()) == 1 + 3


def test_the_same_word_in_another_place_is_left_alone(noisy: dict[str, Any]) -> None:
    """A cohort has a reader, and a word within a title or a value is no key."""
    noisy["title"] = "What a {reader} and a reader see"
    assert noisy["cohorts"]["phantom"]["reader"] == "oai"
    assert renamed_key_messages(noisy) == []
    load(noisy)


def test_jobs_of_a_phantom_take_its_rater_by_the_name_that_finished_studies_recorded() -> None:
    phantom = Phantom.model_validate({"rater": {"cuts": [0.1, 0.2, 0.3, 0.4]}})
    recorded = phantom.model_dump(mode="json", by_alias=True)
    assert recorded["reader"]["cuts"] == [0.1, 0.2, 0.3, 0.4]
    assert "rater" not in recorded
    assert Phantom.model_validate(recorded) == phantom


def test_each_row_of_the_table_is_tested_and_its_version_is_in_the_changelog() -> None:
    for one in RENAMED:
        assert re.fullmatch(r"\d+\.\d+\.\d+", one.since)
        assert f"\n## {one.since} - " in (ROOT / "CHANGELOG.md").read_text(), one
    assert len({one.place for one in RENAMED}) == len(RENAMED) == len(EARLIER)
