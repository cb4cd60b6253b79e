"""Kills a worker at chosen moments and looks at what it left."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kneeoa.config.volumes import View

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
ROOT = Path(__file__).parents[2]


class Worker:
    """The process of :mod:`tests.ingestion.kill_worker`, and its children."""

    def __init__(self, raw: Path, tables: Path, board: Path) -> None:
        board.write_bytes(bytes(3))
        self._board = board
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.ingestion.kill_worker", str(raw), str(tables), str(board)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "workflow/lib"), str(ROOT))), "OMP_NUM_THREADS": "1"},
        )

    def start(self, stage: str, out: Path) -> int:
        """Begin a job and return the child that does it."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{stage} {out}\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """The exit status of the job, negative where a signal ended it."""
        return int(self._line())

    def run(self, stage: str, out: Path) -> float:
        """A job that nobody disturbs; the seconds that it took."""
        start = time.monotonic()
        self.start(stage, out)
        assert self.wait() == 0, f"{stage} failed"
        return time.monotonic() - start

    def kill(self, stage: str, out: Path, moment: Callable[[], bool]) -> str | None:
        """Begin a job, kill it as soon as ``moment`` says so, and tell the phase that the kill hit; None where it was too late."""
        child = self.start(stage, out)
        while not moment():
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                raise AssertionError("the worker itself has ended")
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        return PHASES[self.phase()] if self.wait() == -signal.SIGKILL else None

    def phase(self) -> int:
        """What the board shows."""
        return self._board.read_bytes()[0]

    def trap(self, phase: str | None, time: int = 1) -> None:
        """Let the next job wait at the door of a phase, the first time or a later one; None: nowhere."""
        with open(self._board, "r+b") as stream:
            stream.seek(1)
            stream.write(bytes([PHASES.index(phase), time] if phase else [0, 0]))

    def trapped(self) -> bool:
        """Whether a job waits."""
        return self._board.read_bytes()[1:] in {bytes([number, 0]) for number in range(1, len(PHASES))}

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended"
        return line


def finished(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a final name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if not path.name.startswith(".")}


def leftovers(folder: Path) -> list[str]:
    """Hidden files: temporaries of writers that were killed."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
