"""Writes the state of a run in time, and leaves in time: what happens between two steps."""

from __future__ import annotations

import time
from pathlib import Path

from kneeoa.errors import Unfinished
from kneeoa.network.model import Network
from kneeoa.training import checkpoint
from kneeoa.training.adamw import AdamW
from kneeoa.training.checkpoint import Fingerprint, Progress
from kneeoa.training.cost import Meter
from kneeoa.training.stopping import Stopping

FADING = 0.9
"""How much of an older, longer step is still expected of the next: a first step that compiles is
soon forgotten.
"""


class Keeper:
    """Keeps one run's state on the disk.

    A job with a known end leaves when the next piece of work and two writes might no longer fit, by
    what pieces and writes have taken so far. So that a write's time is known, such a job writes its
    first state after its first step.
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
        stopping: Stopping,
    ) -> None:
        """Keep the state of ``progress``, ``network`` and ``optimiser`` in ``folder``, at least
        each ``every`` seconds.
        """
        self._folder, self._fingerprint, self._progress = folder, fingerprint, progress
        self._network, self._optimiser, self._meter = network, optimiser, meter
        self._every, self._stopping = every, stopping
        self._begun = self._written = time.monotonic()
        self._unsaved = False
        self._moved = False
        self._writing: float | None = None
        self._step = 0.0

    def before(self, ahead: float = 0.0) -> None:
        """To be called before each piece of work that cannot be interrupted: write and leave where
        it is time to.

        Args:
            ahead: seconds that the piece may take where it is longer than a step.

        Raises:
            Unfinished: the job has to leave; the state is written.
        """
        reason = self._stopping.reason(max(self._step, ahead) + 2 * (self._writing or 0.0))
        if reason is not None:
            self._leave(reason)
        unmeasured = self._stopping.limited and self._writing is None
        if self._unsaved and (unmeasured or time.monotonic() - self._written >= self._every):
            self._write()
        self._begun = time.monotonic()

    def after_step(self) -> None:
        """To be called after each step: its time, and that there is something to write."""
        seconds = time.monotonic() - self._begun
        self._progress.cost.training += seconds
        self._step = max(seconds, FADING * self._step)
        self._unsaved = self._moved = True

    def after_epoch(self) -> None:
        """To be called after each epoch: there is something to write."""
        self._unsaved = self._moved = True

    def write_now(self) -> None:
        """Write the state of the last good step, unless it is written: where a run cannot go on, or
        ends and may be asked again.
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
