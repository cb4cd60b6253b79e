"""Which modes there are and how their heads are built. Imports torch only to build."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.config.modes import Mode
from kneeoa.errors import KneeoaError
from kneeoa.modes.criteria import registry as criteria

if TYPE_CHECKING:
    from kneeoa.modes.interface import Heads

_SHARED = {"__init__", "class_weights", "interface", "registry"}


def kinds() -> tuple[str, ...]:
    """Every mode, by name: one file each, read off the folder so that a new one belongs to no
    other's code.
    """
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _SHARED))


def code_modules(kind: str, losses: Iterable[str] = ()) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to the mode ``kind`` and to ``losses`` alone.

    Raises:
        KneeoaError: there is no such mode.
    """
    if kind not in kinds():
        raise KneeoaError(f"'kind' is '{kind}', which is not a mode; allowed are {', '.join(kinds())}")
    return (f"kneeoa.modes.{kind}", *criteria.code_modules(losses))


def losses(mode: Mode, levels: tuple[Level, ...]) -> dict[str, str]:
    """What each level of ``mode`` is trained by, coarse to fine.

    Raises:
        KneeoaError: the mode names a level that is not declared, or a loss that does not suit its
            level.
    """
    declared = {level.name: level for level in levels}
    unknown = [name for name in mode.levels if name not in declared]
    if unknown:
        raise KneeoaError(f"the mode supervises the level '{unknown[0]}', which is not declared; declared are {', '.join(declared)}")
    try:
        return {name: mode.loss_of(name, declared[name].kind) for name in mode.levels}
    except ValueError as error:
        raise KneeoaError(str(error)) from error


def build(mode: Mode, levels: tuple[Level, ...], width: int) -> Heads:
    """Build the heads of a mode with fresh weights drawn from torch's global generator (seed it
    first).

    Args:
        mode: which levels supervise, coarse to fine, and how.
        levels: the study's levels; those that the mode does not name are left out.
        width: components of the embedding.

    Raises:
        KneeoaError: unknown mode, the mode names a level that is not declared, or a loss that does
            not suit its level.
    """
    from kneeoa.modes.interface import Supervision

    module = code_modules(mode.kind)[0]
    chosen = losses(mode, levels)
    declared = {level.name: level for level in levels}
    supervisions = tuple(
        Supervision(criteria.build(loss, declared[name]), float(mode.weights.get(name, 1.0))) for name, loss in chosen.items()
    )
    heads: Heads = importlib.import_module(module).build(supervisions, width)
    return heads
