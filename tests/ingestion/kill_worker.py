"""A worker that does the real work of ingestion in children that the test kills, and shows on a
board which phase they are in.

``python -m tests.ingestion.kill_worker <raw> <tables> <board>`` imports once, then forks a child
for each line of standard input, ``<stage> <out>``. It answers with the child's process id and, when
the child has ended, with its exit status (negative: a signal). The board is a file of three bytes,
mapped into memory: the number of the phase in :data:`PHASES`, then a phase at whose door the child
waits to be killed (0: none) and at which of its times. The library runs as it is; its functions are
merely wrapped, here, so that they say when they begin and end.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import mmap
import os
import pkgutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.dataset
import pyarrow.parquet

import kneeoa.images
from kneeoa.images.array_writer import RowWriter
from kneeoa.tables.schema import TableSchema
from tests.ingestion import stages
from tests.ingestion.killed import PHASES, VIEW

_MODULES = {
    "kneeoa.images.readers": "reading a raw file",
    "kneeoa.images.canonical": "resampling",
    "kneeoa.images.intensity": "scaling intensities",
    "kneeoa.images.alignment": "resampling a mask",
    "kneeoa.images.cartilage": "checking a mask",
    "kneeoa.images.quality": "checking a mask",
}
_board: list[mmap.mmap] = []


def says(phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which writes its phase on the board while it runs."""
    number = PHASES.index(phase)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        before = _board[0][0]
        _board[0][0] = number
        if _board[0][1] == number:
            _board[0][2] -= 1
            if _board[0][2] == 0:
                time.sleep(60)
        try:
            return function(*args, **kwargs)
        finally:
            _board[0][0] = before

    return wrapped


def hook() -> None:
    """Wrap what each phase runs, wherever it was imported to."""
    for found in pkgutil.iter_modules(kneeoa.images.__path__, "kneeoa.images."):
        importlib.import_module(found.name)  # readers are imported late: once here, not in every child
    swap: dict[int, Callable[..., Any]] = {}
    for name, phase in _MODULES.items():
        module = importlib.import_module(name)
        for function in vars(module).values():
            if inspect.isfunction(function) and function.__module__ == name and not inspect.isgeneratorfunction(inspect.unwrap(function)):
                swap[id(function)] = says(phase, function)
    for module in [module for name, module in sys.modules.items() if name.startswith("kneeoa.")]:
        for attribute, value in list(vars(module).items()):
            if id(value) in swap and isinstance(module, ModuleType):
                setattr(module, attribute, swap[id(value)])
    for owner, attribute, phase in (
        (TableSchema, "read", "reading tables"),
        (RowWriter, "append", "writing a row"),
        (RowWriter, "finish", "writing the header"),
        (pyarrow.parquet, "write_table", "writing an index"),
        (os, "fsync", "waiting for the disk"),
        (os, "replace", "renaming"),
    ):
        setattr(owner, attribute, says(phase, getattr(owner, attribute)))


def work(stage: str, raw: Path, tables: Path, out: Path) -> None:
    """One job, as a rule of the workflow runs it: a stage of shard 0 with its files below
    ``out``.
    """
    for name in ("cases", "images"):
        link = out / f"{name}.parquet"
        if not link.exists():
            link.symlink_to(tables / link.name)
    if stage == "volumes":
        stages.run_volumes(raw, out, VIEW, 0)
    else:
        stages.run_masks(raw, out, 0)


def main(raw: Path, tables: Path, board: Path) -> None:
    """Fork a child for each line of standard input."""
    hook()
    with open(board, "r+b") as stream:
        _board.append(mmap.mmap(stream.fileno(), 3))
    for line in sys.stdin:
        stage, out = line.split()
        _board[0][0] = 0
        child = os.fork()
        if child == 0:
            work(stage, raw, tables, Path(out))
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
