"""The small study through a real SLURM: the same tables as a local run, byte for byte, with the resources that the rules asked for."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dag import copy_tree, snakemake
from tests.slurm.cluster import Cluster, Job
from tests.slurm.run import through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

SMALL = ("--configfile", "tests/small.yaml")
GPU_RULES = {"train_run", "predict", "saliency"}


@dataclass(frozen=True)
class Runs:
    """The two finished runs, and what SLURM and Snakemake said of the second."""

    local: Path
    cluster: Path
    jobs: list[Job]
    said: str


@pytest.fixture(scope="module")
def runs(slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("small-slurm")
    local, cluster = copy_tree(folder / "local"), copy_tree(folder / "cluster")
    before = {job.number for job in slurm_cluster.jobs()}
    done = through_slurm(slurm_cluster, cluster, *SMALL)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    jobs = [job for job in slurm_cluster.jobs() if job.number not in before]
    here = snakemake(local, "--cores", "2", *SMALL)
    assert here.returncode == 0, (here.stdout + here.stderr)[-6000:]
    return Runs(local, cluster, jobs, done.stdout + done.stderr)


def asked(said: str) -> Counter[tuple[str, int, int]]:
    """What the rules asked for, from Snakemake's own words: how many jobs of each (rule, threads, GPUs). Local rules never reach SLURM."""
    wanted: Counter[tuple[str, int, int]] = Counter()
    for block in re.split(r"\n(?=\[\w{3} \w{3} +\d+ )", said):
        rule = re.search(r"^rule (\w+):$", block, re.M)
        if rule:
            threads, gpus = re.search(r"^    threads: (\d+)$", block, re.M), re.search(r"\bgpu=(\d+)", block)
            wanted[rule[1], int(threads[1]) if threads else 1, int(gpus[1]) if gpus else 0] += 1
    return wanted


def rule_of(job: Job) -> str:
    """The rule that a job ran: the executor puts it into SLURM's comment."""
    return re.sub(r"_wildcards_.*", "", job.comment.removeprefix("rule_"))


def test_the_tables_equal_those_of_a_local_run_byte_for_byte(runs: Runs) -> None:
    tables = [sorted(path.name for path in (side / "results/small/tables").iterdir()) for side in (runs.local, runs.cluster)]
    assert tables[0] == tables[1]
    assert "contrasts.csv" in tables[0]
    different = [
        name
        for name in tables[0]
        if (runs.local / "results/small/tables" / name).read_bytes() != (runs.cluster / "results/small/tables" / name).read_bytes()
    ]
    assert different == []


def test_every_job_got_the_threads_and_gpus_that_its_rule_asked_for(runs: Runs) -> None:
    assert {job.state for job in runs.jobs} == {"COMPLETED"}
    assert Counter((rule_of(job), job.cpus, job.gpus) for job in runs.jobs) == asked(runs.said)


def test_gpu_jobs_land_on_the_gpu_partition_and_no_other_does(runs: Runs) -> None:
    on_gpus = {rule_of(job) for job in runs.jobs if job.partition == "gpu"}
    assert on_gpus == GPU_RULES
    assert all(job.partition == ("gpu" if job.gpus else "cpu") for job in runs.jobs)


def test_a_second_submission_has_nothing_to_do(slurm_cluster: Cluster, runs: Runs) -> None:
    again = through_slurm(slurm_cluster, runs.cluster, *SMALL, timeout=120)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr
