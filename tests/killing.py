"""A worker whose children are killed at chosen steps: what the kill suites of ingestion and of
training share.

Where a kill falls is decided by what the job does and never by a clock: a child waits at the door
of a chosen step, and the test, which sees it wait, kills it there or lets it in and kills it a
moment later. A machine that others use too moves the moment, and no more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, Signals

import numpy as np

from tests.suites import LAST_RESORT

ROOT = Path(__file__).parents[1]
NOWHERE = -1


class Board:
    """The phase of a job, and where it is to wait: a small file that the job and the test map into
    memory.
    """

    def __init__(self, file: Path, phases: tuple[str, ...]) -> None:
        """Open the board; make it where there is none."""
        self.phases = phases
        self._cells = np.memmap(file, np.int64, "r+" if file.exists() else "w+", shape=(4 + len(phases),))
        self._begun = self._cells[4:]

    def clear(self) -> None:
        """Nothing has begun; the door stays as it is."""
        self._cells[0] = self._cells[3] = 0
        self._begun[:] = 0

    def enter(self, phase: int) -> int:
        """Called by the job as it begins a phase, and returns the phase that it was in; waits at
        the door.
        """
        before = int(self._cells[0])
        self._cells[0] = phase
        self._begun[phase] += 1
        end = time.monotonic() + LAST_RESORT
        while self._cells[1] == phase and self._cells[2] == self._begun[phase]:
            self._cells[3] = 1
            time.sleep(0.0005)
            assert time.monotonic() < end, "nobody opens the door"
        return before

    def leave(self, before: int) -> None:
        """Called by the job as it ends a phase, and is in the one before again."""
        self._cells[0] = before

    def phase(self) -> str:
        """The phase that the job is in, or was in when it died."""
        return self.phases[int(self._cells[0])]

    def begun(self) -> Counter[str]:
        """Counts of the phases that the job has begun."""
        return Counter({name: int(count) for name, count in zip(self.phases, self._begun, strict=True) if count})

    def close_door(self, phase: str, occurrence: int) -> None:
        """Let jobs wait where they begin a phase for the first, second, ... time."""
        self._cells[1:3] = self.phases.index(phase), occurrence

    def open_door(self) -> None:
        """Let the job in that waits, and all others pass."""
        self._cells[1] = NOWHERE

    def waits(self) -> bool:
        """Whether the job waits at the door."""
        return bool(self._cells[3])


@dataclass(frozen=True)
class Moment:
    """The time of a kill: a phase that a job begins for the first, second, ... time, and the
    seconds that it then goes on (None: it is killed at the door).
    """

    phase: str
    occurrence: int
    delay: float | None


def moments(begun: Counter[str], writes: Collection[str], kills: int, rng: np.random.Generator) -> Iterator[Moment]:
    """So many moments of a job that begins each phase so often: the phases in turn, in the last
    third those that write, at random which time; every other one at the door.
    """
    for number in range(kills):
        phases = [phase for phase in sorted(begun) if phase in writes or 3 * number < 2 * kills]
        turn, place = divmod(number, len(phases))
        phase = phases[place]
        delay = float(rng.exponential(0.001))
        yield Moment(phase, int(rng.integers(begun[phase])) + 1, delay if (turn + place) % 2 else None)


class ForkingWorker:
    """A process that imports once and forks a child for each line that it is sent; it answers with
    the child's id, then its exit status.
    """

    def __init__(self, module: str, *arguments: Path, board: Path, phases: tuple[str, ...]) -> None:
        self.board = Board(board, phases)
        self.board.open_door()
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments), str(board)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "workflow/lib"), str(ROOT))), "OMP_NUM_THREADS": "1"},
        )

    def run(self, *words: object) -> Counter[str]:
        """A job that nobody disturbs: how often it began each phase."""
        self._begin(*words)
        assert self._wait() == 0, f"{words} failed"
        return self.board.begun()

    def disturb(self, *words: object, at: Moment, number: Signals = SIGKILL) -> tuple[str, int]:
        """Begin a job and send it a signal at a chosen moment: the phase that the signal hit, and
        the job's exit status (0 where it ended before). After a signal that does not kill, the door
        opens.
        """
        self.board.close_door(at.phase, at.occurrence)
        try:
            child = self._begin(*words)
            while not self.board.waits() and _runs(child):
                if os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    raise AssertionError("the worker itself has ended")
                time.sleep(0.0005)
            if at.delay is not None:
                self.board.open_door()
                time.sleep(at.delay)
            hit = self.board.phase()
            with suppress(ProcessLookupError):
                os.kill(child, number)
        finally:
            if number != SIGKILL:
                self.board.open_door()
        status = self._wait()
        self.board.open_door()
        return (self.board.phase() if number == SIGKILL else hit), status

    def close(self) -> None:
        """End the process."""
        self.board.open_door()
        self._process.communicate(timeout=LAST_RESORT)

    def _begin(self, *words: object) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def _wait(self) -> int:
        """The exit status of the job, negative where a signal ended it."""
        return int(self._line())

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended"
        return line


def serve(board: Board, job: Callable[..., int]) -> None:
    """Be the worker: fork a child for each line of standard input, whose words are the arguments of
    ``job``, which returns the exit status.
    """
    for line in sys.stdin:
        board.clear()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = job(*line.split())
            finally:
                os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


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
