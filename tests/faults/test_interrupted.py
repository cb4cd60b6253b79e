"""Snakemake twice in one folder, Snakemake killed, and files damaged between two invocations: what
a person types ends the work.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dag import snakemake
from tests.faults.test_damaged_files import cut, overwritten
from tests.slurm.one_run import CONFIGURATION, LOG, RUN, TARGET, WEIGHTS, Disturbed, Undisturbed, disturbed, undisturbed

pytestmark = pytest.mark.slow

SHARD = "results/one_run/volumes/phantom/sag_dess/shard-0.npy"
SPLITS = "results/one_run/splits/phantom.parquet"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return undisturbed(tmp_path_factory.mktemp("undisturbed") / "tree")


@pytest.fixture
def run(expected: Undisturbed, tmp_path: Path) -> Disturbed:
    return disturbed(expected, tmp_path / "tree")


def typed(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command that a person types; returns its status and output."""
    done = snakemake(folder, *arguments, "--cores", "1", "--configfile", CONFIGURATION)
    return done.returncode, done.stdout + done.stderr


def background(folder: Path) -> subprocess.Popen[bytes]:
    """Snakemake and its jobs as a group of processes of their own."""
    command = [sys.executable, "-m", "snakemake", *TARGET, "--cores", "1"]
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SNAKEMAKE_PROFILE"}}
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def test_a_second_snakemake_stops_and_a_killed_one_is_unlocked_and_goes_on(run: Disturbed) -> None:
    run.hold()  # or it may end while the second one is still starting, and leave nothing to go on from
    first = background(run.folder)
    try:
        while not run.in_the_middle():
            assert first.poll() is None, "training ended before its middle"
            time.sleep(0.1)
        status, output = typed(run.folder, WEIGHTS)
        assert status != 0
        assert "cannot be locked" in output
        assert "--unlock" in output
        assert first.poll() is None, "the first one is left alone"
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    run.let_go()
    status, output = typed(run.folder, WEIGHTS)
    assert status != 0
    assert "--unlock" in output, "the lock of a killed Snakemake stays until a person takes it away"
    assert typed(run.folder, "--unlock")[0] == 0
    status, output = typed(run.folder, WEIGHTS)
    assert status == 0, output[-4000:]
    assert run.resumptions() == 1
    assert run.ends_in_the_same_bytes()


@pytest.mark.parametrize(("damaged", "damage"), [(SHARD, cut), (SPLITS, overwritten)], ids=["shard", "table"])
def test_what_the_sentence_says_mends_a_damaged_file(run: Disturbed, damaged: str, damage: Callable[[Path], None]) -> None:
    before = (run.folder / damaged).read_bytes()
    damage(run.folder / damaged)
    status, _ = typed(run.folder, WEIGHTS)
    assert status != 0
    match = re.search(r"--force (\S+)'", (run.folder / LOG).read_text())
    assert match, (run.folder / LOG).read_text()
    assert match[1] == damaged
    assert not (run.folder / RUN / "weights.safetensors").exists()
    status, output = typed(run.folder, "--force", match[1])
    assert status == 0, output[-4000:]
    assert (run.folder / damaged).read_bytes() == before
    status, output = typed(run.folder, WEIGHTS)
    assert status == 0, output[-4000:]
    assert run.ends_in_the_same_bytes()
