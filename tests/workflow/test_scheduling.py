"""Snakemake's scheduler looks for work once a job, not hundreds of times a second."""

from pathlib import Path

from tests.dag import ROOT, snakemake

JOBS = 24
SNAKEFILE = f"""
include: "{ROOT}/workflow/inputs/start.smk"

onstart:
    lift_start_limit()

rule all:
    input:
        expand("{{number}}.txt", number=range({JOBS})),

rule one:
    output:
        "{{number}}.txt",
    shell:
        "sleep 0.5; touch {{output}}"
"""


def looks(folder: Path, *arguments: str) -> int:
    """Count how often a run of 24 jobs of half a second, two at a time, asked which of them may
    start.
    """
    (folder / "Snakefile").write_text(SNAKEFILE)
    done = snakemake(folder, "--cores", "2", "--verbose", *arguments)
    assert done.returncode == 0, done.stderr[-4000:]
    return (done.stdout + done.stderr).count("Ready jobs: ")


def test_the_scheduler_looks_when_a_job_ends_and_keeps_to_a_limit_that_somebody_sets(tmp_path: Path) -> None:
    for name in ("default", "limited"):
        (tmp_path / name).mkdir()
    assert looks(tmp_path / "default") <= JOBS + 2
    assert looks(tmp_path / "limited", "--max-jobs-per-timespan", "50/1s") > 1.5 * JOBS
