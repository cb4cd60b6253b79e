"""The small study whole through a real SLURM: the same tables as a local run, byte for byte, with
the resources that the rules asked for.

Some of its jobs go that way in every run of CI: tests/end_to_end/test_through_slurm.py.
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from kneeoa.config.study import load
from tests.dag import ROOT, copy_tree, snakemake
from tests.slurm.asks import asks, gpu_rules
from tests.slurm.cluster import Cluster, Job
from tests.slurm.run import through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.long]

CONFIGURATION = "small-slurm.yaml"


def configuration() -> dict[str, Any]:
    """The small study with one seed of its two: every rule all the same, in little more than half
    the jobs.

    Training has other threads than the rest: what SLURM gives must not be right by chance.
    """
    study: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "small.yaml").read_text())
    study["seeds"] = study["seeds"][:1]
    study["resources"]["train"]["threads"] = 2
    return study


@dataclass(frozen=True)
class Runs:
    """The two finished runs, and what SLURM and Snakemake said of the second."""

    local: Path
    cluster: Path
    jobs: list[Job]
    output: str


@pytest.fixture(scope="module")
def runs(slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("small-slurm")
    local, cluster = copy_tree(folder / "local"), copy_tree(folder / "cluster")
    for copy in (local, cluster):
        (copy / CONFIGURATION).write_text(yaml.safe_dump(configuration(), sort_keys=False))
    before = {job.number for job in slurm_cluster.jobs()}
    status, output = through_slurm(slurm_cluster, cluster, "--configfile", CONFIGURATION)
    assert status == 0, output[-6000:]
    jobs = [job for job in slurm_cluster.jobs() if job.number not in before]
    here = snakemake(local, "--cores", "2", "--configfile", CONFIGURATION)
    assert here.returncode == 0, (here.stdout + here.stderr)[-6000:]
    return Runs(local, cluster, jobs, output)


def asked(output: str) -> Counter[tuple[str, int, int]]:
    """Count the jobs of each (rule, threads, GPUs) that the rules asked for: Snakemake's own count
    of jobs, and the configuration.
    """
    resources = load(configuration()).resources
    counts = dict(re.findall(r"^(\w+) +(\d+)$", output.split("Job stats:")[1].split("\ntotal ")[0], re.M))
    wanted: Counter[tuple[str, int, int]] = Counter()
    for rule, ask in asks().items():
        if rule in counts:
            gpus = getattr(resources, ask.gpus).gpus if ask.gpus else 0
            wanted[rule, getattr(resources, ask.threads).threads, gpus] = int(counts[rule])
    return wanted


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
    assert Counter((job.rule, job.cpus, job.gpus) for job in runs.jobs) == asked(runs.output)


def test_gpu_jobs_land_on_the_gpu_partition_and_no_other_does(runs: Runs) -> None:
    assert {job.rule for job in runs.jobs if job.partition == "gpu"} == gpu_rules()
    assert all(job.partition == ("gpu" if job.gpus else "cpu") for job in runs.jobs)


def test_a_second_submission_has_nothing_to_do(slurm_cluster: Cluster, runs: Runs) -> None:
    status, output = through_slurm(slurm_cluster, runs.cluster, "--configfile", CONFIGURATION)
    assert status == 0, output[-4000:]
    assert "Nothing to be done" in output
