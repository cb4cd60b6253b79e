"""Kills training jobs at chosen moments and says what they were at."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from signal import SIGKILL, Signals

from kneeoa.training import checkpoint
from tests.killing import ForkingWorker

PHASES = (
    "between",
    "reading data",
    "building the network",
    "taking up a state",
    "forward",
    "backward",
    "optimiser",
    "validation",
    "gathering a state",
    "writing a state",
    "waiting for the disk",
    "renaming a state",
    "writing results",
)
OF_A_STATE = frozenset(PHASES[PHASES.index("gathering a state") : PHASES.index("writing results")])
WRITES = OF_A_STATE - {"gathering a state"}
"""While these last a temporary file lies beside the state."""
BOARD = struct.Struct("<BQ")
"""What the board shows: the number of the phase, and how many phases the job has begun so far.
Progress is counted and not timed, since a machine that others use too may be fast in one second and
slow in the next.
"""
RESULTS = ("weights.safetensors", "history.parquet", "model.json")


class Worker(ForkingWorker):
    """The process of :mod:`tests.training.kill_worker`, and its children."""

    def __init__(self, study: Path, board: Path) -> None:
        super().__init__("tests.training.kill_worker", study, board=board, board_bytes=BOARD.size)

    def run(self, out: Path, seed: int = 1) -> float:
        """A job that nobody disturbs; the seconds that it took."""
        return self.undisturbed(out, seed)

    def kill(self, out: Path, moment: Callable[[], bool], number: Signals = SIGKILL) -> tuple[str, int]:
        """Begin a job, send it a signal as soon as ``moment`` says so; the phase that it hit, and
        the job's exit status.
        """
        hit, status = self.disturbed(out, 1, moment=moment, number=number)
        return PHASES[hit], status

    def phase(self) -> str:
        """What the board shows."""
        return PHASES[self.shown()[0]]

    def begun(self) -> int:
        """How many phases the job has begun."""
        count: int = BOARD.unpack(self.shown())[1]
        return count


def results(out: Path) -> dict[str, str]:
    """SHA-256 of what a run's results are, of those files that are there."""
    return {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in RESULTS if (out / name).exists()}


def has_state(out: Path) -> bool:
    """Whether the state of an unfinished run is there."""
    return (out / checkpoint.NAME).exists()
