"""Kills a worker at chosen moments and looks at what it left."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL

from kneeoa.config.volumes import View
from tests.killing import ForkingWorker

VIEW = View(shape=(64, 160, 128), spacing=(1.75, 0.9, 1.1))
"""A fine grid: writing a row takes milliseconds, so that a kill can fall into it."""
PHASES = (
    "between",
    "reading tables",
    "reading a raw file",
    "resampling",
    "scaling intensities",
    "resampling a mask",
    "checking a mask",
    "writing a row",
    "writing the header",
    "writing an index",
    "waiting for the disk",
    "renaming",
)
WRITES = frozenset(PHASES[PHASES.index("writing a row") :])


class Worker(ForkingWorker):
    """The process of :mod:`tests.ingestion.kill_worker`, and its children."""

    def __init__(self, raw: Path, tables: Path, board: Path) -> None:
        super().__init__("tests.ingestion.kill_worker", raw, tables, board=board, board_bytes=3)

    def run(self, stage: str, out: Path) -> float:
        """A job that nobody disturbs; the seconds that it took."""
        return self.undisturbed(stage, out)

    def kill(self, stage: str, out: Path, moment: Callable[[], bool]) -> str | None:
        """Begin a job, kill it as soon as ``moment`` says so, and tell the phase that the kill hit;
        None where it was too late.
        """
        hit, status = self.disturbed(stage, out, moment=moment)
        return PHASES[hit] if status == -SIGKILL else None

    def phase(self) -> int:
        """What the board shows."""
        return self.shown()[0]

    def trap(self, phase: str | None, time: int = 1) -> None:
        """Let the next job wait at the door of a phase, the first time or a later one; None:
        nowhere.
        """
        with open(self._board, "r+b") as stream:
            stream.seek(1)
            stream.write(bytes([PHASES.index(phase), time] if phase else [0, 0]))

    def trapped(self) -> bool:
        """Whether a job waits."""
        return self.shown()[1:] in {bytes([number, 0]) for number in range(1, len(PHASES))}


def finished(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a final name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if not path.name.startswith(".")}
