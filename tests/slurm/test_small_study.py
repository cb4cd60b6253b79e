"""The small study through a real SLURM: the same tables as a local run, byte for byte, with the
resources that the rules asked for.
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
from tests.slurm.cluster import Cluster, Job
from tests.slurm.run import through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

GPU_RULES = {"train_run", "predict", "embed_untrained", "saliency", "deletion"}
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
    said: str


@pytest.fixture(scope="module")
def runs(slurm_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("small-slurm")
    local, cluster = copy_tree(folder / "local"), copy_tree(folder / "cluster")
    for copy in (local, cluster):
        (copy / CONFIGURATION).write_text(yaml.safe_dump(configuration(), sort_keys=False))
    before = {job.number for job in slurm_cluster.jobs()}
    status, said = through_slurm(slurm_cluster, cluster, "--configfile", CONFIGURATION)
    assert status == 0, said[-6000:]
    jobs = [job for job in slurm_cluster.jobs() if job.number not in before]
    here = snakemake(local, "--cores", "2", "--configfile", CONFIGURATION)
    assert here.returncode == 0, (here.stdout + here.stderr)[-6000:]
    return Runs(local, cluster, jobs, said)


def asked(said: str) -> Counter[tuple[str, int, int]]:
    """How many jobs of each (rule, threads, GPUs) the rules asked for: Snakemake's own count of
    jobs, and the configuration.

    A rule names the kind of work whose ask it makes, `STUDY.resources.<kind>`; a local rule never
    reaches SLURM.
    """
    resources = load(configuration()).resources
    counts = dict(re.findall(r"^(\w+) +(\d+)$", said.split("Job stats:")[1].split("\ntotal ")[0], re.M))
    wanted: Counter[tuple[str, int, int]] = Counter()
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        for block in re.split(r"^(?=rule )", file.read_text(), flags=re.M):
            name = block.split(":")[0].removeprefix("rule ")
            threads = re.search(r"^    threads: STUDY\.resources\.(\w+)\.threads$", block, re.M)
            gpus = re.search(r"^ +gpu=STUDY\.resources\.(\w+)\.gpus,$", block, re.M)
            if name in counts and threads and "localrule: True" not in block:
                ask = getattr(resources, threads[1]).threads, getattr(resources, gpus[1]).gpus if gpus else 0
                wanted[name, *ask] = int(counts[name])
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
    status, said = through_slurm(slurm_cluster, runs.cluster, "--configfile", CONFIGURATION, timeout=120)
    assert status == 0, said[-4000:]
    assert "Nothing to be done" in said
