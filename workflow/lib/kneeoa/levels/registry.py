"""Registry of the kinds of level, each a file of this folder that declares ``KIND``."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path

from kneeoa.levels.interface import LevelKind

BINARY = "binary"
"""The kind of one class against the rest, and of one finding."""
_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Every kind, by name, read off the folder so that a new one belongs to no other's code."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem not in {"__init__", "interface", "registry"}))


def code_modules(kinds: Iterable[str]) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to a study with levels of these kinds."""
    return tuple(f"kneeoa.levels.{kind}" for kind in sorted({*kinds, BINARY}))


def declaration(kind: str) -> LevelKind:
    """Return the declaration of a kind of level."""
    declared: LevelKind = importlib.import_module(f"kneeoa.levels.{kind}").KIND
    return declared
