"""A private SLURM for as long as it is needed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, missing


def need_slurm() -> None:
    """Skip, with the reason, where SLURM is not installed."""
    if absent := missing():
        pytest.skip(f"SLURM is not installed here: no {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge)")


@contextmanager
def started() -> Iterator[Cluster]:
    """A running cluster; skips, with the reason, where SLURM is not installed."""
    need_slurm()
    # Not pytest's own folder: a socket's path may hold about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)
