"""A worker that does the real work of ingestion in children that the test kills, and shows on a
board which phase they are in.

``python -m tests.ingestion.kill_worker <raw> <tables> <board>`` serves lines ``<stage> <out>``
(:mod:`tests.killing`). The library runs as it is; its functions are merely wrapped, here, so that
they say when they begin and end.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow.dataset
import pyarrow.parquet

import kneeoa.formats
from kneeoa.ingestion.array_writer import RowWriter
from kneeoa.tables.schema import TableSchema
from tests.ingestion import stages
from tests.ingestion.killed import PHASES, VIEW
from tests.killing import Board, serve

_MODULES = {
    "kneeoa.formats.read_volume": "reading a raw file",
    "kneeoa.volumes.canonical": "resampling",
    "kneeoa.volumes.intensity": "scaling intensities",
    "kneeoa.masks.tissue_labels": "resampling a mask",
    "kneeoa.masks.cartilage": "checking a mask",
    "kneeoa.masks.mask_acceptance": "checking a mask",
}


def says(board: Board, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which writes its phase on the board while it runs."""
    number = PHASES.index(phase)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        before = board.enter(number)
        try:
            return function(*args, **kwargs)
        finally:
            board.leave(before)

    return wrapped


def hook(board: Board) -> None:
    """Wrap what each phase runs, wherever it was imported to."""
    for module_info in pkgutil.walk_packages(kneeoa.formats.__path__, "kneeoa.formats."):
        importlib.import_module(module_info.name)  # decoders and cohort readers are imported late: once here, not in every child
    swap: dict[int, Callable[..., Any]] = {}
    for name, phase in _MODULES.items():
        module = importlib.import_module(name)
        for function in vars(module).values():
            if inspect.isfunction(function) and function.__module__ == name and not inspect.isgeneratorfunction(inspect.unwrap(function)):
                swap[id(function)] = says(board, phase, function)
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
        setattr(owner, attribute, says(board, phase, getattr(owner, attribute)))


def work(stage: str, raw: Path, tables: Path, out: Path) -> int:
    """One job, as a rule of the workflow runs it: a stage of shard 0 with its files below ``out``;
    its exit status.
    """
    for name in ("cases", "images"):
        link = out / f"{name}.parquet"
        if not link.exists():
            link.symlink_to(tables / link.name)
    if stage == "volumes":
        stages.run_volumes(raw, out, VIEW, 0)
    else:
        stages.run_masks(raw, out, 0)
    return 0


def main(raw: Path, tables: Path, file: Path) -> None:
    """Serve jobs, whose phases stand on the board."""
    board = Board(file, PHASES)
    hook(board)
    serve(board, lambda stage, out: work(stage, raw, tables, Path(out)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
