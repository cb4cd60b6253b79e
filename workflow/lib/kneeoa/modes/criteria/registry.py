"""Which losses there are, each a file of this folder, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level

if TYPE_CHECKING:
    from kneeoa.modes.criteria.interface import Criterion


def code_modules(losses: Iterable[str]) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to these losses."""
    return tuple(f"kneeoa.modes.criteria.{loss}" for loss in sorted(set(losses)))


def build(loss: str, level: Level) -> Criterion:
    """The criterion ``loss`` of ``level``; which suits which kind of level:
    :data:`kneeoa.config.modes.LOSSES`.
    """
    (module,) = code_modules([loss])
    criterion: Criterion = importlib.import_module(module).build(level)
    return criterion
