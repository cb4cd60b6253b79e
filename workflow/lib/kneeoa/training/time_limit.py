"""Decide when a job has to exit: some time before its scheduler's time limit, or on a signal.

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
from types import FrameType, TracebackType
from typing import Self

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
