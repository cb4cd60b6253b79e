"""`snakemake --profile slurm` against the private cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.slurm.cluster import Cluster
from tests.suites import LAST_RESORT

FAST = Path(__file__).with_name("fast_snakemake.py")
# The private cluster keeps no accounts, so the queue is asked instead of sacct; its one file system
# shows files at once; its nodes claim more CPUs than the machine has, so few jobs run at a time.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5", "--jobs", "4")


class Invocation:
    """One run of Snakemake in ``folder``, with the profile that a person would name and this
    cluster's answers to what sites differ in.

    It goes on beside the test; as a context it is killed in the end where it still runs.
    """

    def __init__(self, cluster: Cluster, folder: Path, *arguments: str, poll: float = 1.0) -> None:
        """``poll``: seconds between looks at the queue."""
        variables = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "SNAKEMAKE_PROFILE"}}
        self._words = folder / "output.txt"
        with self._words.open("w") as words:
            self._process = subprocess.Popen(
                [sys.executable, str(FAST), "--profile", "slurm", *HERE, *arguments],
                cwd=folder,
                env=variables | cluster.environment | {"POLL_SECONDS": str(poll)},
                stdout=words,
                stderr=subprocess.STDOUT,
                preexec_fn=_hear_interrupts,
            )

    @property
    def output(self) -> str:
        """Its output so far."""
        return self._words.read_text()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Return as soon as ``condition`` holds; fails with Snakemake's words where it ends first,
        or where it takes too long.
        """
        end = time.monotonic() + LAST_RESORT
        while not condition():
            assert self._process.poll() is None, f"ended before {what}\n{self.output[-6000:]}"
            assert time.monotonic() < end, f"no {what} in {LAST_RESORT} s\n{self.output[-6000:]}"
            time.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Wait for its end; its exit status."""
        try:
            return self._process.wait(LAST_RESORT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there after {LAST_RESORT} s\n{self.output[-6000:]}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def through_slurm(cluster: Cluster, folder: Path, *arguments: str) -> tuple[int, str]:
    """Run Snakemake to its end: its exit status and what it said."""
    with Invocation(cluster, folder, *arguments) as invocation:
        status = invocation.end()
        return status, invocation.output


def _hear_interrupts() -> None:
    """A shell that put the tests into the background has them ignore SIGINT, and children inherit
    that.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
