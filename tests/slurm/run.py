"""`snakemake --profile slurm` against the private cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.slurm.cluster import Cluster

FAST = Path(__file__).with_name("fast_snakemake.py")
# The private cluster keeps no accounts, so the queue is asked instead of sacct; its one file system shows files at once; its nodes
# claim more CPUs than the machine has, so few jobs run at a time.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5", "--jobs", "4")


def through_slurm(cluster: Cluster, folder: Path, *arguments: str, timeout: float = 2400) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in ``folder`` with the profile that a person would name, and this cluster's answers to what sites differ in."""
    variables = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SNAKEMAKE_PROFILE"}}
    return subprocess.run(
        [sys.executable, str(FAST), "--profile", "slurm", *HERE, *arguments],
        cwd=folder,
        env=variables | cluster.environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
