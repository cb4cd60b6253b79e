"""Snakemake, asking SLURM every POLL_SECONDS how jobs are doing: `python fast_snakemake.py
ARGUMENTS`. For tests alone.

The executor waits ten seconds longer after each look that saw no job end, up to three minutes, and
no option turns that off. That is right on a shared cluster and would make a test of short jobs wait
for nothing.
"""

import os
import sys
from typing import Any

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

SECONDS = float(os.environ.get("POLL_SECONDS", "1"))


def poll_often() -> None:
    """Make every remote executor wait the same short time between looks, whatever it would like."""

    def waiting(_executor: Any) -> float:
        return SECONDS

    def ignored(_executor: Any, _seconds: float) -> None:
        return None

    RemoteExecutor.next_seconds_between_status_checks = property(waiting, ignored)


if __name__ == "__main__":
    poll_often()
    sys.argv[0] = "snakemake"
    main()
