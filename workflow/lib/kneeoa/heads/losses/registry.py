"""Registry of losses. Each is a file of this folder that declares ``KINDS``, the kinds of level
that it suits, and is imported on demand.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.declarations import members
from kneeoa.levels.registry import declaration

if TYPE_CHECKING:
    from kneeoa.heads.losses.interface import Criterion

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Names of all losses, read from the folder so that a new one belongs to no other's code."""
    return tuple(members(_FOLDER, "KINDS"))


def suitable(kind: str) -> tuple[str, ...]:
    """The losses that suit a kind of level, as the kind or the loss has it; the default first."""
    default, *others = declaration(kind).losses
    suiting = {name for name, kinds in members(_FOLDER, "KINDS").items() if kind in kinds}
    return (default, *sorted({*suiting, *others} - {default}))


def code_modules(losses: Iterable[str]) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to these losses."""
    return tuple(f"kneeoa.heads.losses.{loss}" for loss in sorted(set(losses)))


def build(loss: str, level: Level) -> Criterion:
    """Build the criterion ``loss`` for ``level``; :func:`suitable` lists the losses of a kind of
    level.
    """
    (module,) = code_modules([loss])
    criterion: Criterion = importlib.import_module(module).build(level)
    return criterion
