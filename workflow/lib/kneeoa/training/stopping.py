"""When a job has to leave: some time before its scheduler ends it, or when a signal says so.

The time limit is the rule: schedulers kill a job's processes seconds after telling them, and
between the scheduler and this process stand others that may not pass the word on. Signals are a
bonus where they arrive.
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
"""Environment variables of jobs of SLURM, PBS, LSF and Grid Engine: where none is set, nobody
enforces a rule's ``runtime``.
"""
RESERVE = 60.0
"""Most seconds kept for what nobody measures: the launcher's start before this process, and its
end.
"""
SHARE = 0.05
"""The reserve of short jobs, as a share of their time."""


def end_of_job(minutes: float | None, now: float, environment: Mapping[str, str] = os.environ) -> float | None:
    """When the scheduler will end this job, in seconds since 1970, None where nobody will: the
    earlier of what is known.

    Args:
        minutes: what the job asked for, counted from ``now``; counts only in a job of a scheduler.
        now: seconds since 1970.
        environment: ``SLURM_JOB_END_TIME`` (seconds since 1970) is what newer SLURM tells.
    """
    ends = []
    told = environment.get("SLURM_JOB_END_TIME", "")
    if told.isdigit():
        ends.append(float(told))
    if minutes is not None and any(name in environment for name in SCHEDULERS):
        ends.append(now + 60.0 * minutes)
    return min(ends, default=None)


class Stopping:
    """Says when to leave. As a context it also listens to signals, which otherwise would end the
    process at once.

    A signal is heard once: a second one ends the process as it always does.
    """

    def __init__(self, minutes: float | None = None) -> None:
        """``minutes``: what this job asked of the scheduler, as in :func:`end_of_job`."""
        begun = time.time()
        self._end = end_of_job(minutes, begun)
        self._reserve = 0.0 if self._end is None else min(RESERVE, SHARE * max(0.0, self._end - begun))
        self._heard: signal.Signals | None = None
        self._before: dict[signal.Signals, signal._HANDLER] = {}

    @property
    def limited(self) -> bool:
        """Whether an end of the job is known."""
        return self._end is not None

    def reason(self, ahead: float) -> str | None:
        """Why to leave now and not do what takes ``ahead`` seconds more, in words that follow
        'stopped'; None: go on.
        """
        if self._heard is not None:
            return f"at the signal {self._heard.name}"
        if self._end is not None and time.time() + ahead + self._reserve >= self._end:
            return "before the time limit"
        return None

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():  # only there may handlers be set
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._hear) or signal.SIG_DFL
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._heard = signal.Signals(number)
        for heard, handler in self._before.items():
            signal.signal(heard, handler)
