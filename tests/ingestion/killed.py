"""Kills a worker at chosen moments and looks at what it left."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kneeoa.config.volumes import View
from tests.killing import ForkingWorker

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


class Worker(ForkingWorker):
    """The process of :mod:`tests.ingestion.kill_worker`, and its children: a job is a stage and the
    folder that its files lie below.
    """

    def __init__(self, raw: Path, tables: Path, board: Path) -> None:
        super().__init__("tests.ingestion.kill_worker", raw, tables, board=board, phases=PHASES)


def finished(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under a final name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if not path.name.startswith(".")}
