"""`make accept`: a refactoring that changes no result costs nothing, and an edit that changes one
is refused with its name.

On a study of predictions made elsewhere: no network is trained, and every rule from the predictions
to the report runs.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.dag import copy_tree, planned, snakemake
from tests.suites import LAST_RESORT

STUDY = ["--configfile", "tests/rerun/imports.yaml"]
LIBRARY = "workflow/lib/kneeoa/statistics"
REFACTORED = (
    "run_influences.py",
    "    reference = share.value * (1 - share.value)\n",
    "    mean = share.value\n    reference = mean * (1 - mean)\n",
)
CHANGED = ("metrics.py", "(probabilities[:, 1] - truth) ** 2", "(1.001 * (probabilities[:, 1] - truth) ** 2)")
pytestmark = pytest.mark.slow


def git(clone: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=clone, check=True, capture_output=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Make the folder of the study's tables: eighty cases and two arms."""
    folder = tmp_path_factory.mktemp("raw")
    (folder / "tables").mkdir()
    generator = np.random.default_rng(1)
    label = np.arange(80) % 2
    for arm in ("single", "dual"):
        p = np.clip(0.35 + 0.3 * label + generator.normal(0, 0.15, 80), 0.01, 0.99)
        grades = {f"q{grade}": p / 3 if grade > 1 else (1 - p) / 2 for grade in range(5)}
        columns = {"id": [f"c{i}" for i in range(80)], "label": label, "grade": label * 2 + np.arange(80) // 2 % 2, "p": p, **grades}
        pd.DataFrame(columns).to_csv(folder / "tables" / f"{arm}.csv", index=False)
    return {"KNEEOA_RERUN": str(folder)}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A repository in which the study is finished."""
    clone = copy_tree(tmp_path_factory.mktemp("before") / "clone")
    git(clone, "init", "-q")
    git(clone, "add", "-A")
    git(clone, "commit", "-qm", "before")
    run = snakemake(clone, "--cores", "1", *STUDY, environment=environment)
    assert run.returncode == 0, (run.stdout + run.stderr)[-4000:]
    return clone


@pytest.fixture
def edited(before: Path, tmp_path: Path) -> Path:
    """A copy of it with its results, to edit."""
    return shutil.copytree(before, tmp_path / "edited", symlinks=True)


def edit(clone: Path, module: str, old: str, new: str) -> None:
    path = clone / LIBRARY / module
    text = path.read_text()
    assert old in text, f"{module} no longer holds {old!r}"
    path.write_text(text.replace(old, new))


def accept(clone: Path, before: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command that a person types, but for the study that proves it and where it is
    finished already.
    """
    command = [sys.executable, "workflow/accept.py", "--cores", "1", *STUDY, "--finished", str(before)]
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(command, cwd=clone, env={**variables, **environment}, capture_output=True, text=True, timeout=LAST_RESORT)


def test_a_refactoring_is_accepted_and_then_nothing_runs(edited: Path, before: Path, environment: dict[str, str]) -> None:
    edit(edited, *REFACTORED)
    assert {rule for rule, _ in planned(edited, *STUDY, environment=environment)} >= {"metrics", "contrasts"}
    done = accept(edited, before, environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    record = json.loads((edited / "workflow" / "accepted.json").read_text())
    assert {"metrics", "contrasts"} <= set(record)
    assert "all equal" in done.stdout
    assert planned(edited, *STUDY, environment=environment) == []


def test_an_edit_that_changes_a_result_is_refused_with_the_file(edited: Path, before: Path, environment: dict[str, str]) -> None:
    edit(edited, *CHANGED)
    done = accept(edited, before, environment)
    assert done.returncode == 1
    assert "results/elsewhere/statistics/metrics.parquet" in done.stderr
    assert not (edited / "workflow" / "accepted.json").exists()
