"""Code that nothing reaches has no place in statistics/: each definition there is reached by a
script of a rule, or by a command.
"""

import ast
from pathlib import Path

import pytest

from kneeoa import figures_and_tables
from kneeoa.figures import registry as figures
from kneeoa.paper_tables import registry as tables
from kneeoa.reruns.code_digest import Library
from tests.dag import ROOT

LIBRARY = ROOT / "workflow" / "lib" / "kneeoa"
LAZY = [
    *(f"{figures.code_module(name)}:draw" for name in figures_and_tables.figures()),
    *(each for name in figures_and_tables.tables() for each in tables.definitions(name, (*tables.IN_FILES, *tables.IN_REPORT))),
]
"""Members of registries, which scripts call by name."""
COMMANDS = [LIBRARY / "apply.py", ROOT / "workflow" / "accept.py", *sorted((ROOT / "benchmarks").glob("*.py"))]
"""Benchmarks hold DeLong's test and the bootstrap of plain arrays against other packages'."""


@pytest.fixture(scope="module")
def reached() -> set[str]:
    library = Library()
    files = [*sorted((ROOT / "scripts").glob("*.py")), *COMMANDS]
    return {name for file in files for name in library.reach(file, LAZY if file.stem in ("figure", "table", "report") else ()).parts}


def definitions(path: Path) -> list[str]:
    """The functions and classes of a module."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)]


@pytest.mark.parametrize("path", sorted((LIBRARY / "statistics").glob("*.py")), ids=lambda path: path.stem)
def test_every_definition_is_reached_by_a_script_or_a_command(path: Path, reached: set[str]) -> None:
    """Wire it in where a user would want it, or delete it with its tests."""
    lost = [name for name in definitions(path) if f"kneeoa.statistics.{path.stem}:{name}" not in reached]
    assert lost == []


def test_what_no_script_names_is_not_reached(reached: set[str]) -> None:
    """Else the test above would pass whatever there is."""
    assert "kneeoa.statistics.multiplicity:max_t" in reached
    assert "kneeoa.probabilities:mean_class" not in reached
