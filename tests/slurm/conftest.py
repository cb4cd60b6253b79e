"""The private SLURM, started once for the tests of this folder and stopped after them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, missing


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Cluster]:
    """A running cluster; skips, with the reason, where SLURM is not installed."""
    if absent := missing():
        pytest.skip(f"SLURM is not installed here: no {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge)")
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
