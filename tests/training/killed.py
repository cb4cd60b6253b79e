"""Kills training jobs at chosen moments and says what they were at."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kneeoa.training import checkpoint
from tests.killing import ForkingWorker

PHASES = (
    "between",
    "reading data",
    "building the network",
    "taking up a state",
    "forward",
    "backward",
    "optimiser",
    "validation",
    "gathering a state",
    "writing a state",
    "waiting for the disk",
    "renaming a state",
    "writing results",
)
OF_A_STATE = frozenset(PHASES[PHASES.index("gathering a state") : PHASES.index("writing results")])
WRITES = OF_A_STATE - {"gathering a state"}
"""While these last a temporary file lies beside the state."""
SAVE_EVERY = 2
"""Steps from state to state: where a run is killed between two, a step is done twice."""
RESULTS = ("weights.safetensors", "history.parquet", "model.json")


class Worker(ForkingWorker):
    """The process of :mod:`tests.training.kill_worker`, and its children: a job is a folder and a
    seed.
    """

    def __init__(self, study: Path, board: Path) -> None:
        super().__init__("tests.training.kill_worker", study, board=board, phases=PHASES)


def results(out: Path) -> dict[str, str]:
    """SHA-256 of what a run's results are, of those files that are there."""
    return {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in RESULTS if (out / name).exists()}


def has_state(out: Path) -> bool:
    """Whether the state of an unfinished run is there."""
    return (out / checkpoint.NAME).exists()
