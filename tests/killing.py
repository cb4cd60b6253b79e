"""A worker whose children are killed at chosen moments: what the kill suites of ingestion and of
training share.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, Signals

ROOT = Path(__file__).parents[1]


class ForkingWorker:
    """A process that imports once and forks a child for each line that it is told; it answers with
    the child's id, then its exit status.

    Which phase a child is in stands on the board, a small file that the children map into memory.
    """

    def __init__(self, module: str, *arguments: Path, board: Path, board_bytes: int) -> None:
        board.write_bytes(bytes(board_bytes))
        self._board = board
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments), str(board)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "workflow/lib"), str(ROOT))), "OMP_NUM_THREADS": "1"},
        )

    def begin(self, *words: object) -> int:
        """Begin a job and return the child that does it."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """The exit status of the job, negative where a signal ended it."""
        return int(self._line())

    def undisturbed(self, *words: object) -> float:
        """A job that nobody disturbs; the seconds that it took."""
        start = time.monotonic()
        self.begin(*words)
        assert self.wait() == 0, f"{words} failed"
        return time.monotonic() - start

    def disturbed(self, *words: object, moment: Callable[[], bool], number: Signals = SIGKILL) -> tuple[int, int]:
        """Begin a job and send it a signal as soon as ``moment`` says so, or it has ended: the
        number of the phase on the board just before, and the job's exit status.
        """
        child = self.begin(*words)
        while not moment() and _runs(child):
            if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                raise AssertionError("the worker itself has ended")
        hit = self.shown()[0]  # a stopped clock would be better: the job may move on in the microseconds until the signal
        with suppress(ProcessLookupError):
            os.kill(child, number)
        status = self.wait()
        return (self.shown()[0] if number == SIGKILL else hit), status

    def shown(self) -> bytes:
        """The board, whose first byte is the number of the phase; it stays as it is when the job is
        dead.
        """
        return self._board.read_bytes()

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended"
        return line


def leftovers(folder: Path) -> list[str]:
    """Hidden files: temporaries of writers that were killed."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) if folder.exists() else []


def _runs(process: int) -> bool:
    """Whether there is such a process; the worker takes note of its children's ends at once."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
