"""A clone in which a shown command runs as a user would run it: `.venv/` in its place, its
programs on the path.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.commands.table import Run
from tests.dag import copy_tree

_OURS = {"PYTHONPATH", "SNAKEMAKE_PROFILE", "KNEEOA_COPIED", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "VARIANT", "CORES"}
"""Variables that the tests' environment may hold and a user's does not."""
_STAMPS = ("made-cpu", "made-cuda", "made-test")
"""Say to `make` that nothing has to be installed (see the Makefile)."""


def clone(folder: Path) -> Path:
    """A copy of the tree, a repository as a clone is one, whose `.venv/` is the environment that
    runs the tests, seen through links; nothing in it is ever installed or removed.
    """
    copy_tree(folder)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    links = folder / ".venv"
    links.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name not in _STAMPS:
            (links / entry.name).symlink_to(entry)
    for stamp in _STAMPS:
        (links / stamp).touch()
    return folder


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a user who has typed `. .venv/bin/activate` in the clone."""
    variables = {key: value for key, value in os.environ.items() if key not in _OURS}
    path = os.pathsep.join((str(folder / ".venv" / "bin"), variables.get("PATH", "")))
    return {**variables, "PATH": path, "VIRTUAL_ENV": str(folder / ".venv"), "OMP_NUM_THREADS": "1", **(more or {})}


def run(folder: Path, each: Run, more: Mapping[str, str] | None = None, timeout: float = 1800) -> str:
    """Run a shown command in a clone and return what it printed.

    Raises:
        AssertionError: it fails, a file that it should make was there before or is not there after,
            or its output lacks what it should hold.
    """
    early = [name for name in each.makes if (folder / name).exists()]
    for name in early:
        (folder / name).unlink()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", each.script],
        cwd=folder,
        env=environment(folder, more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, f"'{each.script}' ends with {done.returncode}:\n{done.stdout[-6000:]}"
    missing = [name for name in each.makes if not (folder / name).is_file()]
    assert not missing, f"'{each.script}' does not make {missing}:\n{done.stdout[-6000:]}"
    assert each.says in done.stdout, f"'{each.script}' does not say {each.says!r}:\n{done.stdout[-6000:]}"
    return done.stdout


def run_all(folder: Path, runs: Iterable[Run], more: Mapping[str, str] | None = None) -> None:
    """Run shown commands one after the other, with more variables in their environment."""
    for each in runs:
        run(folder, each, more)
