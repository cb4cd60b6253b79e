"""Kinds of level: each declares what it is, and no code compares their names."""

import re
import subprocess
import sys

import pytest

from kneeoa.config.hierarchy import Level
from kneeoa.heads.losses import registry as criteria
from kneeoa.levels import registry
from tests.dag import ROOT

DECLARED = re.compile(r"^(KINDS|DEFAULT_LOSSES|BINARY) = ")
"""The line in which a loss or a mode says of which kinds it is."""


def test_no_code_compares_names_of_kinds() -> None:
    name = re.compile(rf"""["']({"|".join(registry.names())})["']""")
    places = [path for folder in ("workflow", "scripts") for suffix in ("py", "smk") for path in (ROOT / folder).rglob(f"*.{suffix}")]
    lines = [(path.name, line) for path in places for line in path.read_text().splitlines()]
    declared = [(file, line) for file, line in lines if name.search(line) and DECLARED.match(line)]
    assert ("single.py", 'DEFAULT_LOSSES = {"binary": "bce"}') in declared
    assert [(file, line) for file, line in lines if name.search(line) and not DECLARED.match(line)] == []


@pytest.mark.parametrize("kind", registry.names())
def test_what_trains_a_kind_is_a_loss_and_its_default_comes_first(kind: str) -> None:
    losses = registry.declaration(kind).losses
    assert set(losses) <= set(criteria.suitable(kind)) <= set(criteria.names())
    assert criteria.suitable(kind)[0] == losses[0]


@pytest.mark.parametrize("kind", registry.names())
def test_a_label_is_one_class_or_yes_or_no_of_each_finding(kind: str) -> None:
    level = Level(name="level", kind=kind, classes=("a", "b") if registry.declaration(kind).binary else ("a", "b", "c", "d"))
    assert (level.label_size, level.label_top) == ((1, len(level.classes) - 1) if level.exclusive else (len(level.classes), 1))


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="'binary', 'multiclass', 'multilabel' or 'ordinal'"):
        Level(name="level", kind="nominal", classes=("a", "b"))


def test_all_declarations_are_read_without_numpy_or_torch() -> None:
    """They are read at each start of Snakemake."""
    script = (
        "import sys\nfrom kneeoa.levels.registry import declaration, names\n"
        "assert [declaration(name) for name in names()]\nprint(sorted({'numpy', 'torch', 'pandas', 'scipy'} & sys.modules.keys()))"
    )
    lines = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT / "workflow" / "lib")
    assert lines.stdout.strip() == "[]"
