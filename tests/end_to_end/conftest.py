"""The small study, run once in a copy of the tree; tests read its results and dry-run edits in that
copy.

Its jobs note which functions of the library they call (test_code_reached.py).
"""

from pathlib import Path

import pytest

from tests.dag import ROOT, copy_tree, snakemake

SMALL = ["--configfile", "tests/small.yaml"]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which the small study has run to its end."""
    folder = copy_tree(tmp_path_factory.mktemp("small") / "clone")
    calls = folder / "called"
    calls.mkdir()
    traced = {"KNEEOA_CALLED": str(calls), "PYTHONPATH": str(ROOT / "tests" / "rerun" / "traced")}
    run = snakemake(folder, "--cores", "2", *SMALL, environment=traced)
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    return folder
