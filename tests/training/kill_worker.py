"""A worker that trains in children that the test kills, and shows on a board what they are at.

``python -m tests.training.kill_worker <study> <board>`` imports once, then forks a child for each
line of standard input, ``<out> <seed>``. It answers with the child's process id and, when the child
has ended, with its exit status (negative: a signal). The board is a small file, mapped into memory:
the number of the phase in :data:`PHASES`, and how many phases have begun. The library runs as it
is; its functions are merely wrapped, here, so that they say when they begin and end.
"""

from __future__ import annotations

import functools
import mmap
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch

from kneeoa.config.training import Augmentation
from kneeoa.errors import Unfinished
from kneeoa.job import UNFINISHED
from kneeoa.network.network import Network
from kneeoa.tables.schema import TableSchema
from kneeoa.training import checkpoint, epochs, run
from kneeoa.training.adamw import AdamW
from tests.training.killed import BOARD, OF_A_STATE, PHASES
from tests.unit.training import tiny_study

TRAINING = tiny_study.TRAINING.model_copy(
    update={"epochs": 2, "save_every": 0.06, "augmentation": Augmentation(shift=0.1, scale=0.1, noise=0.1)}
)
"""A state every few steps: some steps are done twice."""
_board: list[mmap.mmap] = []


def says(owner: Any, name: str, phase: str, within: Collection[str] = PHASES) -> None:
    """Let a function write its phase on the board while it runs, where it runs within certain other
    phases.
    """
    function: Callable[..., Any] = getattr(owner, name)
    number, outer = PHASES.index(phase), {PHASES.index(other) for other in within}

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        before, begun = BOARD.unpack(_board[0])
        if before not in outer:
            return function(*args, **kwargs)
        BOARD.pack_into(_board[0], 0, number, begun + 1)
        try:
            return function(*args, **kwargs)
        finally:
            BOARD.pack_into(_board[0], 0, before, BOARD.unpack(_board[0])[1])

    setattr(owner, name, wrapped)


def hook() -> None:
    """Wrap what each phase runs."""
    says(run, "_load", "reading data")
    says(run, "build", "building the network")
    says(checkpoint, "resume", "taking up a state")
    says(Network, "forward", "forward", within={"between"})
    says(torch.Tensor, "backward", "backward")
    says(AdamW, "step", "optimiser")
    says(epochs, "evaluate", "validation")
    says(checkpoint, "save", "gathering a state")
    says(checkpoint, "save_file", "writing a state")
    says(os, "fsync", "waiting for the disk", within=OF_A_STATE)
    says(os, "replace", "renaming a state", within=OF_A_STATE)
    says(run, "save", "writing results")
    says(run, "write_json", "writing results")
    says(TableSchema, "write", "writing results")


def main(study: Path, board: Path) -> None:
    """Fork a child for each line of standard input."""
    files = tiny_study.make(study)
    # Once here, so that no child spends its life importing what is imported late.
    run.train(**tiny_study.job(files, study / "warm", seed=1, training=TRAINING))
    hook()
    with open(board, "r+b") as stream:
        _board.append(mmap.mmap(stream.fileno(), BOARD.size))
    for line in sys.stdin:
        out, seed = line.split()
        BOARD.pack_into(_board[0], 0, 0, 0)
        child = os.fork()
        if child == 0:
            try:
                run.train(**tiny_study.job(files, Path(out), seed=int(seed), training=TRAINING))
            except Unfinished:
                os._exit(UNFINISHED)
            except BaseException:
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
