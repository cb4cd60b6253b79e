"""Save the state of a run periodically, and exit before the job's time limit.

The time limit is what counts: schedulers kill a job's processes seconds after signalling them, and
the processes between the scheduler and this one may not pass the signal on. Signals are used where
they arrive.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from kneeoa.errors import Unfinished
from kneeoa.network.model import Network
from kneeoa.training import checkpoint
from kneeoa.training.checkpoint import Fingerprint, Progress
from kneeoa.training.cost import Meter
from kneeoa.training.optimizer import Optimiser

FADING = 0.9
"""Factor by which the expected duration of a step decays towards the latest: a slow first step,
which compiles, soon stops counting.
"""

logger = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
"""Environment variables of jobs of SLURM, PBS, LSF and Grid Engine: where none is set, a rule's
``runtime`` is not enforced.
"""
RESERVE = 60.0
"""Most seconds reserved for what is not measured: the launcher's start before this process, and its
end.
"""
SHARE = 0.05
"""The reserve of short jobs, as a share of their time."""


def end_of_job(minutes: float | None, now: float, environment: Mapping[str, str] = os.environ) -> float | None:
    """Time at which the scheduler will end this job, in seconds since 1970: the earliest that is
    known, None without a limit.

    Args:
        minutes: the time that the job requested, from ``now``; ignored outside a scheduler's job.
        now: seconds since 1970.
        environment: newer SLURM sets ``SLURM_JOB_END_TIME`` (seconds since 1970).
    """
    ends = []
    end_time = environment.get("SLURM_JOB_END_TIME", "")
    if end_time.isdigit():
        ends.append(float(end_time))
    if minutes is not None and any(name in environment for name in SCHEDULERS):
        ends.append(now + 60.0 * minutes)
    return min(ends, default=None)


class TimeLimit:
    """Decides when to exit. As a context it also handles signals, which otherwise would end the
    process at once.

    Only the first signal is handled: a second one ends the process as usual.
    """

    def __init__(self, minutes: float | None = None) -> None:
        """``minutes``: the time that this job requested, as in :func:`end_of_job`."""
        begun = time.time()
        self._end = end_of_job(minutes, begun)
        self._reserve = 0.0 if self._end is None else min(RESERVE, SHARE * max(0.0, self._end - begun))
        self._signal: signal.Signals | None = None
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    @property
    def limited(self) -> bool:
        """Whether an end of the job is known."""
        return self._end is not None

    def exit_reason(self, ahead: float) -> str | None:
        """Reason to exit now rather than work ``ahead`` seconds more, as words that follow
        'stopped'; None: go on.
        """
        if self._signal is not None:
            return f"at the signal {self._signal.name}"
        if self._end is not None and time.time() + ahead + self._reserve >= self._end:
            return "before the time limit"
        return None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # only there may handlers be set
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._receive) or signal.SIG_DFL
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self._signal = signal.Signals(number)
        for heard, handler in self._before.items():
            signal.signal(heard, handler)


class CheckpointManager:
    """Saves the state of one run.

    A job with a known end exits when the next piece of work and two writes might no longer fit,
    judged by the time that earlier ones took. Such a job saves its first state after its first
    step, so that the time of a write is known.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: Fingerprint,
        progress: Progress,
        network: Network,
        optimiser: Optimiser,
        meter: Meter,
        every: float,
        stopping: TimeLimit,
    ) -> None:
        """Save the state of ``progress``, ``network`` and ``optimiser`` in ``folder``, at least
        every ``every`` seconds.
        """
        self._folder, self._fingerprint, self._progress = folder, fingerprint, progress
        self._network, self._optimiser, self._meter = network, optimiser, meter
        self._every, self._stopping = every, stopping
        self._begun = self._written = time.monotonic()
        self._unsaved = False
        self._moved = False
        self._writing: float | None = None
        self._step = 0.0

    def save_or_exit(self, ahead: float = 0.0) -> None:
        """Save or exit where it is time to; call it before each piece of work that cannot be
        interrupted.

        Args:
            ahead: seconds that the piece may take where it is longer than a step.

        Raises:
            Unfinished: the job has to exit; the state is saved.
        """
        reason = self._stopping.exit_reason(max(self._step, ahead) + 2 * (self._writing or 0.0))
        if reason is not None:
            self._leave(reason)
        unmeasured = self._stopping.limited and self._writing is None
        if self._unsaved and (unmeasured or time.monotonic() - self._written >= self._every):
            self._write()
        self._begun = time.monotonic()

    def after_step(self) -> None:
        """Record the time of a step, and that the state has changed; call it after each step."""
        seconds = time.monotonic() - self._begun
        self._progress.cost.training += seconds
        self._step = max(seconds, FADING * self._step)
        self._unsaved = self._moved = True

    def after_epoch(self) -> None:
        """Record that the state has changed; call it after each epoch."""
        self._unsaved = self._moved = True

    def save_now(self) -> None:
        """Save the state of the last good step, unless it is saved already: where a run cannot go
        on, or ends and may be run again.
        """
        if self._unsaved:
            self._write()

    def _write(self) -> None:
        begun = time.monotonic()
        self._meter.read(self._progress.cost)
        if checkpoint.save(self._folder, self._fingerprint, self._progress, self._network, self._optimiser):
            self._unsaved = False
        self._written = time.monotonic()
        self._writing = max(self._writing or 0.0, self._written - begun)

    def _leave(self, reason: str) -> None:
        if self._unsaved:
            self._write()
        place = f"stopped after epoch {self._progress.epoch} step {self._progress.tally.step} {reason}"
        if self._moved:
            raise Unfinished(f"{place}; run again to go on.")
        raise Unfinished(f"{place}, which left no time for a single step; give the job more time ('resources.train.minutes').")
