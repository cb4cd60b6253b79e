"""A worker that trains in children that the test kills, and shows on a board what they are at.

``python -m tests.training.kill_worker <study> <board>`` serves lines ``<out> <seed>``
(:mod:`tests.killing`). The library runs as it is; its functions are merely wrapped, here, so that
they say when they begin and end, and the clock by which states become due counts steps.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from kneeoa.config.training import Augmentation
from kneeoa.errors import Unfinished
from kneeoa.job_logging import UNFINISHED
from kneeoa.network.network import Network
from kneeoa.tables.schema import TableSchema
from kneeoa.training import checkpoint, checkpointing, epochs, run
from kneeoa.training.optimizer import AdamW
from tests.killing import Board, serve
from tests.training.killed import OF_A_STATE, PHASES, SAVE_EVERY
from tests.unit.training import tiny_study

TRAINING = tiny_study.TRAINING.model_copy(
    update={"epochs": 2, "save_every": SAVE_EVERY, "augmentation": Augmentation(shift=0.1, scale=0.1, noise=0.1)}
)


def says(board: Board, owner: Any, name: str, phase: str, within: Collection[str] = PHASES) -> None:
    """Let a function write its phase on the board while it runs, where it runs within certain other
    phases.
    """
    function: Callable[..., Any] = getattr(owner, name)
    number = PHASES.index(phase)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if board.phase() not in within:
            return function(*args, **kwargs)
        before = board.enter(number)
        try:
            return function(*args, **kwargs)
        finally:
            board.leave(before)

    setattr(owner, name, wrapped)


def hook(board: Board) -> None:
    """Wrap what each phase runs."""
    says(board, run, "_load_data", "reading data")
    says(board, run, "build", "building the network")
    says(board, checkpoint, "resume", "taking up a state")
    says(board, Network, "forward", "forward", within={"between"})
    says(board, torch.Tensor, "backward", "backward")
    says(board, AdamW, "step", "optimiser")
    says(board, epochs, "evaluate", "validation")
    says(board, checkpoint, "save", "gathering a state")
    says(board, checkpoint, "save_file", "writing a state")
    says(board, os, "fsync", "waiting for the disk", within=OF_A_STATE)
    says(board, os, "replace", "renaming a state", within=OF_A_STATE)
    says(board, run, "save", "writing results")
    says(board, run, "write_json", "writing results")
    says(board, TableSchema, "write", "writing results")
    # A state is due after so many steps, on every machine.
    steps = SimpleNamespace(time=time.time, monotonic=lambda: float(board.begun()["optimiser"]))
    checkpointing.time = steps  # type: ignore[assignment]


def work(files: tiny_study.Files, out: Path, seed: int) -> int:
    """One run; its exit status, as the workflow's script gives it."""
    try:
        run.train(**tiny_study.job(files, out, seed=seed, training=TRAINING))
    except Unfinished:
        return UNFINISHED
    return 0


def main(study: Path, file: Path) -> None:
    """Serve jobs, whose phases stand on the board."""
    files = tiny_study.make(study)
    # Once here, so that no child spends its life importing what is imported late.
    run.train(**tiny_study.job(files, study / "warm", seed=1, training=TRAINING))
    board = Board(file, PHASES)
    hook(board)
    serve(board, lambda out, seed: work(files, Path(out), int(seed)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
