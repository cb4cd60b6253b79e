"""A key that a configuration file holds twice is refused, wherever it stands."""

from pathlib import Path

import pytest

from kneeoa.config.yaml_keys import check_keys
from kneeoa.errors import KneeoaError

ROOT = Path(__file__).parents[3]

TWICE = {
    "at the top": ("seeds: [1]\nstudy: a\nseeds: [2]\n", ["'seeds'", "line 1", "line 3"]),
    "below": ("cohorts:\n  a: {root: x}\n  b: {root: y}\n  a: {root: z}\n", ["'cohorts.a'", "line 2", "line 4"]),
    "in a list": ("arms:\n- {mode: a, view: b}\n- {mode: a, mode: b}\n", ["'arms[1].mode'", "line 3"]),
    "in a flow": ("values: {yes: 1, no: 0, yes: 2}\n", ["'values.yes'"]),
    "quoted once": ("a:\n  'kl': 1\n  kl: 2\n", ["'a.kl'"]),
    "several": ("a: 1\na: 2\nb: 1\nb: 2\n", ["'a'", "'b'"]),
}
ONCE = {
    "the same name in two places": "a: {root: 1}\nb: {root: 2}\n",
    "an alias": "base: &base {a: 1}\nx: *base\ny: *base\n",
    "a key merged and given": "base: &base {a: 1}\nx:\n  <<: *base\n  a: 2\n",
    "a number and its text": "values: {1: a, '1': b}\n",
    "nothing": "",
    "no YAML": "a: [1\nb: {",
}


@pytest.mark.parametrize("name", TWICE)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, name: str) -> None:
    text, words = TWICE[name]
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(KneeoaError) as caught:
        check_keys(tmp_path / "study.yaml")
    for word in (*words, "study.yaml"):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ONCE)
def test_what_stands_once_passes(tmp_path: Path, name: str) -> None:
    (tmp_path / "study.yaml").write_text(ONCE[name])
    check_keys(tmp_path / "study.yaml")


def test_no_shipped_configuration_holds_a_key_twice() -> None:
    files = [ROOT / "config.yaml", *ROOT.glob("workflow/studies/*.yaml"), *ROOT.glob("tests/**/*.yaml")]
    assert len(files) > 5
    for file in files:
        check_keys(file)
