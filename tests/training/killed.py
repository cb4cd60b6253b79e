"""Kills training jobs at chosen moments and says what they were at."""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kneeoa.training import checkpoint

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
"""What the board shows: the number of the phase, and how many phases the job has begun so far. Progress is counted and not timed, since a
machine that others use too may be fast in one second and slow in the next."""
RESULTS = ("weights.safetensors", "history.parquet", "model.json")
ROOT = Path(__file__).parents[2]


class Worker:
    """The process of :mod:`tests.training.kill_worker`, and its children."""

    def __init__(self, study: Path, board: Path) -> None:
        board.write_bytes(bytes(BOARD.size))
        self._board = board
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.training.kill_worker", str(study), str(board)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "workflow/lib"), str(ROOT))), "OMP_NUM_THREADS": "1"},
        )

    def start(self, out: Path, seed: int) -> int:
        """Begin a job and return the child that does it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{out} {seed}\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """The exit status of the job, negative where a signal ended it."""
        return int(self._line())

    def run(self, out: Path, seed: int = 1) -> float:
        """A job that nobody disturbs; the seconds that it took."""
        start = time.monotonic()
        self.start(out, seed)
        assert self.wait() == 0, "training failed"
        return time.monotonic() - start

    def kill(self, out: Path, moment: Callable[[], bool], number: signal.Signals = signal.SIGKILL) -> tuple[str, int]:
        """Begin a job, send it a signal as soon as ``moment`` says so; the phase that it hit, and the job's exit status."""
        child = self.start(out, 1)
        while not moment() and _runs(child):
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                raise AssertionError("the worker itself has ended")
        hit = self.phase()  # a stopped clock would be better: the job may move on in the microseconds until the signal
        with suppress(ProcessLookupError):
            os.kill(child, number)
        status = self.wait()
        return (self.phase() if number == signal.SIGKILL else hit), status

    def phase(self) -> str:
        """What the board shows; it stays as it is when the job is dead."""
        return PHASES[BOARD.unpack(self._board.read_bytes())[0]]

    def begun(self) -> int:
        """How many phases the job has begun."""
        count: int = BOARD.unpack(self._board.read_bytes())[1]
        return count

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended"
        return line


def results(out: Path) -> dict[str, str]:
    """SHA-256 of what a run's results are, of those files that are there."""
    return {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in RESULTS if (out / name).exists()}


def has_state(out: Path) -> bool:
    """Whether the state of an unfinished run is there."""
    return (out / checkpoint.NAME).exists()


def leftovers(out: Path) -> list[str]:
    """Hidden files: temporaries of writers that were killed."""
    return sorted(path.name for path in out.iterdir() if path.name.startswith(".")) if out.exists() else []


def _runs(process: int) -> bool:
    """Whether there is such a process; the worker takes note of its children's ends at once."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
