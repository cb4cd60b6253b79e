"""The small study, run once in a clone by the commands that the README shows; tests read its
results and dry-run edits in that clone.

Its jobs note which functions of the library they call (test_code_reached.py).
"""

import shutil
from pathlib import Path

import pytest

from tests.commands.running import clone, run_all
from tests.commands.table import ROAD
from tests.dag import ROOT

SMALL = ["--configfile", "tests/small.yaml"]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the small study has run to its end: it stands in the place of `config.yaml`,
    and is made part by part and then whole (`make demo`), as the README shows it.
    """
    folder = clone(tmp_path_factory.mktemp("small") / "clone")
    shutil.copy(folder / "tests" / "small.yaml", folder / "config.yaml")
    calls = folder / "called"
    calls.mkdir()
    run_all(folder, ROAD, {"KNEEOA_CALLED": str(calls), "PYTHONPATH": str(ROOT / "tests" / "rerun" / "traced")})
    return folder
