"""The small study, run once in a clone by the commands that the README shows; tests read its
results and dry-run edits in that clone.

But in the long suite it has one seed of its two: every rule all the same, in little more than half
the jobs. Its jobs note which functions of the library they call (test_code_reached.py).
"""

import shutil
from pathlib import Path

import pytest

from tests.commands.running import clone, run_all
from tests.commands.table import ROAD
from tests.dag import ROOT
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
    """A clone in which the small study has run to its end: it stands in the place of `config.yaml`,
    and is made part by part and then whole (`make demo`), as the README shows it.
    """
    folder = trimmed(clone(tmp_path_factory.mktemp("small") / "clone"))
    shutil.copy(folder / "tests" / "small.yaml", folder / "config.yaml")
    calls = folder / "called"
    calls.mkdir()
    run_all(folder, ROAD, {"KNEEOA_CALLED": str(calls), "PYTHONPATH": str(ROOT / "tests" / "rerun" / "traced")})
    return folder
