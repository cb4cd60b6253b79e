"""Some jobs of the finished small study through a real SLURM, one or two of each kind of work: the
same bytes as this machine made alone, with the resources that the rules asked for.

The whole study goes that way in the long suite: tests/slurm/test_small_study.py.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from kneeoa.config.study import load
from kneeoa.reruns.compare_results import differing_outputs
from tests.dag import snakemake
from tests.end_to_end.conftest import SMALL
from tests.rerun import plan
from tests.slurm.asks import asks
from tests.slurm.cluster import Cluster, Job
from tests.slurm.private import need_slurm, started
from tests.slurm.run import through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

LOST = (
    "runs/resnet3d-single-oa/seed-1/weights.safetensors",
    "predictions/resnet3d-single-kl/seed-1.parquet",
    "saliency/resnet3d-dual/seed-1",
    "masks/phantom/sag_dess/shard-0.npy",
    "geometry/m3t-dual/seed-1.axis.parquet",
    "figures/learning.pdf",
)
"""An output of each job that is done again."""
ELSEWHERE = {"phantom"}
"""Kinds of work whose jobs would have the whole study made again."""


@dataclass(frozen=True)
class Again:
    """Jobs that were done a second time, through SLURM."""

    local: Path
    """The folder in which all had been done on this machine alone."""
    folder: Path
    lost: list[plan.Job]
    """The jobs whose outputs were lost."""
    planned: list[plan.Job]
    """They, and those that follow from them."""
    jobs: list[Job]
    """The jobs as SLURM recorded them."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with started() as running:
        yield running


@pytest.fixture(scope="module")
def again(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Again:
    need_slurm()  # before the study is made
    local: Path = request.getfixturevalue("finished")
    cluster: Cluster = request.getfixturevalue("cluster")
    folder = tmp_path_factory.mktemp("through-slurm") / "tree"
    shutil.copytree(local, folder, symlinks=True)
    every = _dry_run(folder, "--forceall")
    lost = [next(job for job in every if any(f"/small/{output}" in made for made in job.outputs)) for output in LOST]
    outputs = [output for job in lost for output in job.outputs]
    for output in outputs:
        path = folder / output
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    planned = _dry_run(folder, *outputs)
    status, log = through_slurm(cluster, folder, *outputs, *SMALL)
    assert status == 0, log[-6000:]
    return Again(local, folder, lost, planned, cluster.jobs())


def _dry_run(folder: Path, *arguments: str) -> list[plan.Job]:
    done = snakemake(folder, "-n", *arguments, "--cores", "1", *SMALL)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return plan.jobs_of(done.stdout + done.stderr)


def _rule(job: plan.Job) -> str:
    """The rule of a planned job, whose name may go on with what it makes: `figure roc`."""
    return job.rule.split()[0]


def test_every_kind_of_work_is_among_them(again: Again) -> None:
    lost = [asks()[_rule(job)] for job in again.lost]
    assert {ask.threads for ask in lost} == {ask.threads for ask in asks().values()} - ELSEWHERE
    assert {bool(ask.gpus) for ask in lost} == {True, False}


def test_they_end_in_the_bytes_that_this_machine_made_alone(again: Again) -> None:
    outputs = [output for job in again.planned for output in job.outputs]
    assert len(outputs) >= len(LOST)
    assert differing_outputs(again.local, again.folder, outputs) == []


def test_each_got_the_partition_threads_and_gpus_that_its_rule_asked_for(again: Again) -> None:
    resources = load(yaml.safe_load((again.folder / SMALL[1]).read_text())).resources
    wanted: Counter[tuple[str, str, int, int]] = Counter()
    for job in again.planned:
        if ask := asks().get(_rule(job)):
            gpus = getattr(resources, ask.gpus).gpus if ask.gpus else 0
            wanted[_rule(job), "gpu" if gpus else "cpu", getattr(resources, ask.threads).threads, gpus] += 1
    assert {job.state for job in again.jobs} == {"COMPLETED"}
    assert Counter((job.rule, job.partition, job.cpus, job.gpus) for job in again.jobs) == wanted


def test_what_was_made_through_slurm_is_up_to_date_here(again: Again) -> None:
    outputs = [output for job in again.planned for output in job.outputs]
    assert _dry_run(again.folder, *outputs) == []
