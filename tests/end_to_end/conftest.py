"""The small study, run once in a copy of the tree; tests read its results and dry-run edits in that
copy.
"""

from pathlib import Path

import pytest

from tests.dag import copy_tree, snakemake

SMALL = ["--configfile", "tests/small.yaml"]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which the small study has run to its end."""
    folder = copy_tree(tmp_path_factory.mktemp("small") / "clone")
    run = snakemake(folder, "--cores", "2", *SMALL)
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    return folder
