"""Registry of modes, and how their heads are built. Imports torch only to build.

A mode is a file of this folder that declares ``LEVELS``, the least and the most levels that it
takes (None: any number). Its ``DEFAULT_LOSSES``, where it declares them, come before those of the
losses' registry.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kneeoa.config.hierarchy import Level
from kneeoa.declarations import declared, members
from kneeoa.errors import KneeoaError
from kneeoa.heads.losses import registry as criteria

if TYPE_CHECKING:
    from kneeoa.config.modes import Mode
    from kneeoa.heads.interface import Heads, Supervision

_FOLDER = Path(__file__).parent
_NUMBERS = ("no level", "one level", "two levels", "three levels", "four levels")


def kinds() -> tuple[str, ...]:
    """Names of all modes: one file each, read from the folder so that a new one belongs to no
    other's code.
    """
    return tuple(members(_FOLDER, "LEVELS"))


def code_modules(kind: str, losses: Iterable[str] = ()) -> tuple[str, ...]:
    """Dotted names of the modules whose code belongs to the mode ``kind`` and to ``losses`` alone.

    Raises:
        KneeoaError: there is no such mode.
    """
    if kind not in kinds():
        raise KneeoaError(f"'kind' is '{kind}', which is not a mode; allowed are {', '.join(kinds())}")
    return (f"kneeoa.heads.{kind}", *criteria.code_modules(losses))


def check_level_count(kind: str, levels: Sequence[str]) -> None:
    """Check that the mode ``kind`` takes as many levels as these.

    Raises:
        ValueError: it takes fewer or more.
    """
    least, most = members(_FOLDER, "LEVELS")[kind]
    if least <= len(levels) and (most is None or len(levels) <= most):
        return
    if least == most:
        wanted = f"exactly {_levels(least)}"
    else:
        wanted = f"at least {_levels(least)}" + ("" if most is None else f" and at most {_levels(most)}")
    raise ValueError(f"a {kind} mode takes {wanted}, not {list(levels)}")


def _levels(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else f"{count} levels"


def losses(mode: Mode, levels: tuple[Level, ...]) -> dict[str, str]:
    """The loss of each level of ``mode``, coarse to fine.

    Raises:
        KneeoaError: the mode names a level that is not declared, or a loss that does not suit its
            level.
    """
    by_name = {level.name: level for level in levels}
    unknown = [name for name in mode.levels if name not in by_name]
    if unknown:
        raise KneeoaError(f"the mode supervises the level '{unknown[0]}', which is not declared; declared are {', '.join(by_name)}")
    return {name: _loss(mode, by_name[name]) for name in mode.levels}


def _loss(mode: Mode, level: Level) -> str:
    suitable = criteria.suitable(level.kind)
    defaults: dict[str, str] = declared(_FOLDER / f"{mode.kind}.py", "DEFAULT_LOSSES") or {}
    loss = mode.losses.get(level.name, defaults.get(level.kind, suitable[0]))
    if loss not in suitable:
        raise KneeoaError(
            f"'losses.{level.name}' is '{loss}', but level '{level.name}' is {level.kind}, which takes {' or '.join(suitable)}"
        )
    return loss


def chain(kind: str) -> str | None:
    """Return how the heads of the mode ``kind`` sit at each part of a plug-in (its ``CHAIN``); None
    where the mode does not say, so that no plug-in can take it.
    """
    sits: str | None = declared(_FOLDER / f"{kind}.py", "CHAIN")
    return sits


def supervisions(mode: Mode, levels: tuple[Level, ...]) -> tuple[Supervision, ...]:
    """The parts of a mode's levels in training, coarse to fine.

    Raises:
        KneeoaError: as :func:`losses`.
    """
    from kneeoa.heads.interface import Supervision

    by_name = {level.name: level for level in levels}
    return tuple(
        Supervision(criteria.build(loss, by_name[name]), float(mode.weights.get(name, 1.0))) for name, loss in losses(mode, levels).items()
    )


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
    module = code_modules(mode.kind)[0]
    heads: Heads = importlib.import_module(module).build(supervisions(mode, levels), width)
    return heads
