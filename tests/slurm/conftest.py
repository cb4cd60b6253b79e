"""The private SLURM, started once for the tests of this folder or, where a test kills one of its
daemons, for that test alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.one_run import Disturbed, Undisturbed, disturbed, undisturbed
from tests.slurm.private import need_slurm, started


@pytest.fixture(scope="session")
def slurm_cluster() -> Iterator[Cluster]:
    with started() as cluster:
        yield cluster


@pytest.fixture
def idle_cluster(slurm_cluster: Cluster) -> Iterator[Cluster]:
    """The shared cluster, whose jobs are this test's alone."""
    slurm_cluster.forget_jobs()
    yield slurm_cluster
    slurm_cluster.forget_jobs()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster whose daemons a test may kill."""
    with started() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def undisturbed_run(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    need_slurm()
    return undisturbed(tmp_path_factory.mktemp("one-run") / "tree")


@pytest.fixture
def run(undisturbed_run: Undisturbed, tmp_path: Path) -> Disturbed:
    return disturbed(undisturbed_run, tmp_path / "tree")
