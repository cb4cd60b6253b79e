"""Every benchmark that docs/benchmarks.md shows runs to its last line, with little to measure."""

import json
from pathlib import Path

import pytest

from tests.commands.running import clone, run
from tests.commands.table import BENCHMARKS, Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone(tmp_path_factory.mktemp("benchmarks") / "clone")


@pytest.mark.parametrize("each", BENCHMARKS, ids=lambda each: each.command)
def test_the_benchmark_ends_with_its_figures(fresh: Path, each: Run) -> None:
    last = run(fresh, each).splitlines()[-1]
    assert json.loads(last), last
