"""The small study, run once in a copy of the tree; tests read its results and dry-run edits in that
copy.

But in the long suite it has one seed of its two: every rule all the same, in little more than half
the jobs.
"""

from pathlib import Path

import pytest

from tests.dag import copy_tree, snakemake
from tests.suites import LONG

SMALL = ["--configfile", "tests/small.yaml"]
SEEDS = [1, 2] if LONG else [1]


def trimmed(folder: Path) -> Path:
    """Give the small study of a copied tree ``SEEDS``."""
    file = folder / SMALL[1]
    text = file.read_text()
    assert "\nseeds: [1, 2]\n" in text, f"{SMALL[1]} no longer has two seeds"
    file.write_text(text.replace("\nseeds: [1, 2]\n", f"\nseeds: {SEEDS}\n"))
    return folder


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree in which the small study has run to its end."""
    folder = trimmed(copy_tree(tmp_path_factory.mktemp("small") / "clone"))
    run = snakemake(folder, "--cores", "2", *SMALL)
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    return folder
