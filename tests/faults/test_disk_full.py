"""No room while something is written: a sentence, nothing that looks finished, and the same bytes
when there is room again.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from kneeoa.atomic_io import atomic_path, write_json
from kneeoa.errors import KneeoaError
from kneeoa.ingestion.array_writer import row_writer
from kneeoa.network.model import build, save
from kneeoa.tables.cohort import SPLITS
from kneeoa.training import run
from tests.dag import ROOT
from tests.killing import leftovers
from tests.suites import LAST_RESORT
from tests.training.killed import results
from tests.unit.training import tiny_study

LIMIT = 100_000
"""Bytes that a file may have: less than the tiny network's weights, more than all else."""
SENTENCE = "make room and give the same command again"


def job(study: Path, out: Path, log: Path, limit: int = resource.RLIM_INFINITY) -> subprocess.CompletedProcess[str]:
    """The job in a process of its own, which the system lets write no file above ``limit``."""
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.training_job", str(study), str(out), str(log)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "workflow/lib"), str(ROOT)))},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)),
        capture_output=True,
        text=True,
        timeout=LAST_RESORT,
    )


def test_a_job_without_room_says_so_and_the_next_one_ends_in_the_same_bytes(tmp_path: Path) -> None:
    out, log = tmp_path / "run", tmp_path / "train.log"
    files = tiny_study.make(tmp_path / "study")
    failed = job(tmp_path / "study", out, log, LIMIT)
    assert failed.returncode == 1
    last = log.read_text().splitlines()[-1]
    assert "weights.safetensors: cannot be written" in last
    assert SENTENCE in last
    assert "Traceback" not in log.read_text() + failed.stderr
    assert results(out) == {}
    assert leftovers(out) == []
    run.train(**tiny_study.job(files, tmp_path / "undisturbed"))
    run.train(**tiny_study.job(files, out))
    assert results(out) == results(tmp_path / "undisturbed")


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of 32 kB; skips where none can be mounted."""
    folder = tmp_path_factory.mktemp("disk")
    mount = shutil.which("mount")
    done = subprocess.run([mount or "mount", "-t", "tmpfs", "-o", "size=32k", "none", str(folder)], capture_output=True) if mount else None
    if done is None or done.returncode:
        pytest.skip("no file system can be mounted here, which a full disk needs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def array(path: Path) -> None:
    with row_writer(path, (64, 64), np.float16) as writer:
        for _ in range(16):
            writer.append(np.zeros((64, 64)))


def maps(path: Path) -> None:
    with atomic_path(path) as temporary:
        np.save(temporary, np.zeros(100_000))


def table(path: Path) -> None:
    # Names that do not compress.
    names = [str(number) for number in np.random.default_rng(1).integers(10**17, 10**18, 10_000)]
    identity = {"cohort": "phantom", "side": "R", "visit": "00m", "split": "train"}
    SPLITS.write(path, [{**identity, "case_id": name, "subject": name} for name in names])


def weights(path: Path) -> None:
    torch.manual_seed(0)
    spec = tiny_study.spec(tiny_study.DUAL)
    save(build(spec), spec, path.parent)


def record(path: Path) -> None:
    write_json(path, list(range(50_000)))


@pytest.mark.parametrize("write", [array, maps, table, weights, record], ids=lambda function: function.__name__)
def test_every_kind_of_file_on_a_full_disk_is_refused_by_a_sentence(small_disk: Path, write: Callable[[Path], None]) -> None:
    suffix = {"array": ".npy", "maps": ".npy", "table": ".parquet", "record": ".json", "weights": ".safetensors"}[write.__name__]
    with pytest.raises(KneeoaError, match=SENTENCE):
        write(small_disk / f"file{suffix}")
    assert list(small_disk.iterdir()) == []
