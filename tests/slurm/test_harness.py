"""The profiles and the private cluster, with a workflow of four jobs: what a rule asks for is what
SLURM gives.
"""

import shutil
from pathlib import Path

import pytest

from tests.dag import ROOT
from tests.slurm.cluster import Cluster, Job
from tests.slurm.run import through_slurm

pytestmark = [pytest.mark.slurm, pytest.mark.slow]

SNAKEFILE = """
rule all:
    localrule: True
    input:
        "results/sum.txt",

rule train_run:
    output:
        "results/{seed}.txt",
    log:
        "results/{seed}.log",
    threads: 2
    resources:
        gpu=1,
        mem_mb=1300,
        runtime=10,
    script:
        "scripts/train_run.py"

rule contrasts:
    input:
        expand("results/{seed}.txt", seed=[1, 2, 3]),
    output:
        "results/sum.txt",
    log:
        "results/sum.log",
    threads: 3
    resources:
        mem_mb=1100,
        runtime=10,
    script:
        "scripts/contrasts.py"
"""
TRAIN = """
import os
from pathlib import Path

Path(snakemake.output[0]).write_text(f"{snakemake.wildcards.seed} {os.environ['CUDA_VISIBLE_DEVICES']}")
"""
CONTRASTS = """
import os
from pathlib import Path

assert "CUDA_VISIBLE_DEVICES" not in os.environ
Path(snakemake.output[0]).write_text(str(sum(int(Path(name).read_text().split()[0]) for name in snakemake.input)))
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder laid out like this project: its profiles, and a Snakefile whose rules have the names
    of real ones.
    """
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / "slurm").symlink_to((ROOT / "slurm").readlink())
    (tmp_path / "scripts").mkdir()
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "scripts" / "train_run.py").write_text(TRAIN)
    (tmp_path / "scripts" / "contrasts.py").write_text(CONTRASTS)
    return tmp_path


def run(cluster: Cluster, folder: Path, *arguments: str) -> tuple[list[Job], str]:
    """The jobs that one run submitted, and what it said; fails with its words where it fails."""
    before = {job.number for job in cluster.jobs()}
    status, output = through_slurm(cluster, folder, *arguments)
    assert status == 0, output[-4000:]
    return [job for job in cluster.jobs() if job.number not in before], output


def test_jobs_get_the_partition_cpus_memory_and_gpus_that_rules_ask_for(slurm_cluster: Cluster, toy: Path) -> None:
    jobs, output = run(slurm_cluster, toy)
    assert (toy / "results" / "sum.txt").read_text() == "6"
    given = sorted((job.comment.split("_wildcards")[0], job.partition, job.cpus, job.memory_mb, job.gpus, job.asked) for job in jobs)
    assert given == [
        ("rule_contrasts", "cpu", 3, 1100, 0, ""),
        *[("rule_train_run", "gpu", 2, 1300, 1, "TresPerJob=gres:gpu:1")] * 3,
    ]
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert "profiles/default" in output, "the default profile must be in force beside the slurm one"


def test_clusters_that_want_gres_are_asked_for_it_and_give_the_same_gpus(slurm_cluster: Cluster, toy: Path) -> None:
    jobs, _ = run(slurm_cluster, toy, "--profile", "profiles/slurm-gres")
    given = sorted((job.partition, job.cpus, job.gpus, job.asked) for job in jobs)
    assert given == [("cpu", 3, 0, ""), *[("gpu", 2, 1, "TresPerNode=gres:gpu:1")] * 3]


def test_a_job_that_needs_more_memory_gets_it_at_the_next_attempt(slurm_cluster: Cluster, toy: Path) -> None:
    (toy / "Snakefile").write_text(SNAKEFILE.replace("mem_mb=1100", "mem_mb=lambda wildcards, attempt: 600 * 2 ** (attempt - 1)"))
    # SLURM looks at a job's memory once a second; the first attempt waits for that.
    hungry = "\nblock = bytearray(900 * 2**20)\nimport time\nwhile snakemake.resources.mem_mb < 900:\n    time.sleep(0.1)\n"
    (toy / "scripts" / "contrasts.py").write_text(CONTRASTS + hungry)
    jobs, _ = run(slurm_cluster, toy)
    attempts = sorted((job.memory_mb, job.state) for job in jobs if job.partition == "cpu")
    assert attempts[-1] == (1200, "COMPLETED")
    assert attempts[0][0] == 600
    assert attempts[0][1] in {"FAILED", "OUT_OF_MEMORY"}


def test_the_site_speaks_by_environment_and_profile(slurm_cluster: Cluster, toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An account, a constraint-like word and a command before each job, none of them in a rule;
    jobs that a person can tell apart.
    """
    monkeypatch.setenv("SBATCH_ACCOUNT", "radiology")
    site = toy / "site.yaml"
    site.write_text('precommand: "export SITE=$TOY_SITE"\n')
    monkeypatch.setenv("TOY_SITE", "loaded")
    (toy / "scripts" / "contrasts.py").write_text(CONTRASTS + "\nassert os.environ['SITE'] == 'loaded'\n")
    jobs, _ = run(slurm_cluster, toy, "--profile", "site.yaml")
    assert {job.account for job in jobs} == {"radiology"}
    assert all(job.name.startswith("kneeoa_") for job in jobs)
    assert sorted(job.comment for job in jobs) == ["rule_contrasts", *[f"rule_train_run_wildcards_{seed}" for seed in (1, 2, 3)]]
