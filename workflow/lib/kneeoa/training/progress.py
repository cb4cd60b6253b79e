"""Show the progress of a run: a bar on a terminal, lines in the log, and curves for TensorBoard.

TensorBoard is optional; its event files lie in a folder beside the run's other files.
"""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from kneeoa.training.checkpoint import Progress
from kneeoa.training.loop import TOTAL, Evaluation

logger = logging.getLogger(__name__)

LINE_SECONDS = 60.0
"""Least time between two lines of the log within an epoch; the end of each epoch is always
logged.
"""
DRAW_SECONDS = 0.2
"""Least time between two drawings of the bar."""
WIDTH = 24
"""Characters of the bar."""
_CLEAR = "\r\x1b[K"

FOLDER = "tensorboard"


class EventFiles:
    """Event files of one run: one value for each measure and epoch."""

    def __init__(self, folder: Path, epochs_done: int) -> None:
        """Write below ``folder``; what a killed job wrote of epochs after ``epochs_done`` is
        removed.
        """
        from torch.utils.tensorboard import SummaryWriter

        target = folder / FOLDER
        if not epochs_done:
            shutil.rmtree(target, ignore_errors=True)
        self._writer: Any = SummaryWriter(log_dir=str(target), purge_step=epochs_done + 1 if epochs_done else None)  # type: ignore[no-untyped-call]

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows of the HISTORY table (without arm and seed)."""
        for row in rows:
            self._writer.add_scalar(f"{row['level']}/{row['measure']}/{row['split']}", row["value"], row["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Close the files."""
        self._writer.close()


class ProgressDisplay:
    """Progress display of one run."""

    def __init__(self, name: str, epochs: int, stream: TextIO | None = None) -> None:
        """``name``: the run's, for the bar; ``stream``: where the bar is drawn if it is a terminal,
        by default standard error.
        """
        self._name, self._epochs = name, epochs
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._drawn = self._logged = time.monotonic()

    def after_step(self, progress: Progress, steps: int) -> None:
        """Show that a step of an epoch of ``steps`` is done."""
        now = time.monotonic()
        due = now - self._logged >= LINE_SECONDS and progress.tally.step < steps
        if not due and not (self._terminal and now - self._drawn >= DRAW_SECONDS):
            return
        done = progress.epoch + progress.tally.step / steps
        words = (
            f"epoch {progress.epoch + 1}/{self._epochs} step {progress.tally.step}/{steps} "
            f"train {progress.tally.means().get(TOTAL, float('nan')):.4f}, {self._time_left(progress, done)} left"
        )
        if due:
            self._log_line(words)
        if self._terminal:
            self._draw(done, words)

    def after_epoch(self, progress: Progress, losses: Mapping[str, float], evaluation: Evaluation | None) -> None:
        """Show that an epoch is done: its losses, and its validation."""
        parts = [f"epoch {progress.epoch}/{self._epochs}", f"train {losses[TOTAL]:.4f}"]
        if evaluation is not None:
            parts.append(f"val {evaluation.losses[TOTAL]:.4f}")
            parts += [f"{level} {name} {value:.3f}" for level, (name, value) in evaluation.measures.items()]
        words = " ".join(parts) + f", {self._time_left(progress, progress.epoch)} left"
        self._log_line(words)
        if self._terminal:
            self._draw(progress.epoch, words)

    def close(self) -> None:
        """Remove the bar."""
        if self._terminal:
            self._write(_CLEAR)

    def _time_left(self, progress: Progress, done: float) -> str:
        spent = progress.cost.training + progress.cost.validation
        return duration(spent / done * (self._epochs - done))

    def _log_line(self, words: str) -> None:
        if self._terminal:
            self._write(_CLEAR)  # a warning beside it would begin in the middle of the bar
        logger.info("%s", words)
        self._logged = time.monotonic()

    def _draw(self, done: float, words: str) -> None:
        full = round(WIDTH * done / self._epochs)
        self._write(f"{_CLEAR}{self._name} [{'#' * full}{'.' * (WIDTH - full)}] {words}")
        self._drawn = time.monotonic()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def duration(seconds: float) -> str:
    """Format seconds in at most two units: 45 s, 12 min, 3 h 20 min, 2 d 5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
