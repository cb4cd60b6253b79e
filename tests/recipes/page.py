"""The recipes of docs/extending.md as the page has them: the files, the entries and the pieces of
configuration of each, written into a copy of the tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.dag import ROOT

PAGE = "docs/extending.md"
_RECIPE = re.compile(r"^\*\*(?:An? )?([^*]+)\*\*", re.M)
_BLOCK = re.compile(r"^```(\w+)\n# ([^\n,]+)(?:, (in|before) (\w+))?\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: a whole file, an entry ``in`` a table of a file, or lines ``before`` a
    name of it.
    """

    language: str
    file: str
    place: str
    name: str
    text: str


def recipes() -> dict[str, list[Block]]:
    """The blocks of each recipe, by what it adds."""
    _, *parts = _RECIPE.split((ROOT / PAGE).read_text(encoding="utf-8"))
    return {name: [Block(*groups) for groups in _BLOCK.findall(text)] for name, text in zip(parts[::2], parts[1::2], strict=True)}


def code(name: str) -> list[Block]:
    """The files and entries of a recipe."""
    return [block for block in recipes()[name] if block.file != "config.yaml"]


def configuration(name: str, study: dict[str, Any]) -> dict[str, Any]:
    """A study with a recipe's pieces of configuration: new keys are added, lists are lengthened,
    and an entry of a name that the list has takes its place.
    """
    pieces = [yaml.safe_load(block.text) for block in recipes()[name] if block.file == "config.yaml"]
    for piece in pieces:
        study = _joined(study, piece)
    return study


def _joined(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        return {**first, **{key: _joined(first[key], value) if key in first else value for key, value in second.items()}}
    if isinstance(first, list) and isinstance(second, list):
        names = [entry.get("name") for entry in second if "name" in entry]
        return [entry for entry in first if "name" not in entry or entry["name"] not in names] + second
    return second


def write(tree: Path, block: Block) -> None:
    """Write a block into a copy of the tree: a file that was not there, or lines of one that
    was.
    """
    path = tree / block.file
    assert path.exists() == bool(block.place), f"{PAGE}: {block.file} {'is there' if path.exists() else 'is not there'}"
    path.write_text(_with(path.read_text(), block) if block.place else block.text)


@contextmanager
def carried_out(name: str, tree: Path) -> Iterator[None]:
    """The recipe's files and entries in a copy of the tree, until the end."""
    kept: dict[Path, tuple[bytes, os.stat_result] | None] = {}
    try:
        for block in code(name):
            path = tree / block.file
            if path not in kept:
                kept[path] = (path.read_bytes(), path.stat()) if path.exists() else None
            write(tree, block)
        yield
    finally:
        for path, before in kept.items():
            if before is None:
                path.unlink()
            else:
                path.write_bytes(before[0])
                os.utime(path, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))


def _with(text: str, block: Block) -> str:
    """A file's text with a block at its place."""
    start = re.search(rf"^{block.name}\b.*$", text, re.M)
    assert start, f"{PAGE}: {block.file} has no {block.name}"
    if block.place == "before":
        return text[: start.start()] + block.text + text[start.start() :]
    end = re.compile(r"^[)\]}]", re.M).search(text, start.end())
    assert end, f"{PAGE}: {block.name} of {block.file} does not end"
    return text[: end.start()] + block.text + text[end.start() :]
