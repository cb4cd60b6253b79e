"""The private SLURM, started once for the tests of this folder or, where a test breaks it, for that
test alone.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, missing
from tests.slurm.one_run import Disturbed, Undisturbed, disturbed, undisturbed


@contextmanager
def started() -> Iterator[Cluster]:
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


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Cluster]:
    with started() as cluster:
        yield cluster


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster that a test may break."""
    with started() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def undisturbed_run(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    if absent := missing():
        pytest.skip(f"SLURM is not installed here: no {', '.join(absent)} (Debian: slurmctld slurmd slurm-client munge)")
    return undisturbed(tmp_path_factory.mktemp("one-run") / "tree")


@pytest.fixture
def run(undisturbed_run: Undisturbed, tmp_path: Path) -> Disturbed:
    return disturbed(undisturbed_run, tmp_path / "tree")
