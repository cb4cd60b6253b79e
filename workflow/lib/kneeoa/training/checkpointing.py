"""Save the state of a run periodically, and exit before the job's time limit."""

from __future__ import annotations

import time
from pathlib import Path

from kneeoa.errors import Unfinished
from kneeoa.network.model import Network
from kneeoa.training import checkpoint
from kneeoa.training.adamw import AdamW
from kneeoa.training.checkpoint import Fingerprint, Progress
from kneeoa.training.cost import Meter
from kneeoa.training.time_limit import TimeLimit

FADING = 0.9
"""Factor by which the expected duration of a step decays towards the latest: a slow first step,
which compiles, soon stops counting.
"""


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
        optimiser: AdamW,
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
