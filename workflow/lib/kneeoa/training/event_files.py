"""Write learning curves for TensorBoard, which is optional: a folder of event files beside the
run's other files.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

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
