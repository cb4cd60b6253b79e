"""Faults of a cluster, done on purpose to the private one."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.slurm.cluster import ENDED, Cluster, Job


def running(cluster: Cluster) -> list[Job]:
    """The jobs that run now."""
    return [job for job in cluster.jobs() if job.state == "RUNNING"]


def queued(cluster: Cluster) -> list[Job]:
    """The jobs that SLURM has not done with."""
    return [job for job in cluster.jobs() if job.state not in ENDED]


def lose(cluster: Cluster, node: str) -> None:
    """Lose a node: its daemon and all that runs on it die at once, and the controller comes to know
    it.
    """
    log = cluster.folder / "log" / f"slurmd.{node}.log"
    for number in _with_descendants({int(process.name) for process in _processes() if _has_open(process, log)}):
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    cluster.client("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=lost")


def bring_back(cluster: Cluster, node: str) -> None:
    """The node is there again, with nothing on it.

    It registers by itself, and comes into use by itself (ReturnToService=2): to ask the controller
    for it too would fail where the controller was quicker.
    """
    cluster.daemon("slurmd", "-N", node)
    cluster.wait(lambda: not _down(cluster, node), f"node {node}")


def _down(cluster: Cluster, node: str) -> bool:
    return "down" in cluster.client("sinfo", "--noheader", f"--nodes={node}", "--format=%T")


def kill_controller(cluster: Cluster) -> None:
    """The controller dies; jobs go on, and nobody answers."""
    number = int((cluster.folder / "run" / "slurmctld.pid").read_text())
    os.kill(number, signal.SIGKILL)
    cluster.wait(lambda: not Path(f"/proc/{number}").exists(), "the controller's death")


def _processes() -> list[Path]:
    return [folder for folder in Path("/proc").iterdir() if folder.name.isdigit()]


def _has_open(process: Path, file: Path) -> bool:
    with suppress(OSError):
        return any(os.path.realpath(link) == str(file) for link in (process / "fd").iterdir())
    return False


def _with_descendants(roots: set[int]) -> set[int]:
    parents = {}
    for process in _processes():
        with suppress(OSError):
            # After the name, which may hold anything but ends with a parenthesis: state, parent.
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    processes = set(roots)
    while more := {child for child, parent in parents.items() if parent in processes} - processes:
        processes |= more
    return processes
