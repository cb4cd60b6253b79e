"""Where an arm belongs in a figure: its panel (the backbone) and its look (the mode)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kneeoa.errors import KneeoaError
from kneeoa.figures.words import printed

Factors = Mapping[str, Mapping[str, Any]]
"""The arms table: an arm's name -> its ``backbone``, its ``mode`` and, where arms differ in them, ``grid`` and ``view``."""


@dataclass(frozen=True)
class Panel:
    """The arms that differ in their mode alone: one panel of a figure."""

    backbone: str
    title: str
    arms: dict[str, str]
    """Mode -> arm, in the configuration's order."""


def panels(arms: Factors, labels: Mapping[str, str]) -> list[Panel]:
    """Group arms that share everything but the mode, in the configuration's order.

    A backbone at several grids or views makes several panels, whose titles say so; where even that leaves two arms for one mode (they
    differ in their training), each such arm is a panel of its own under its name.

    Raises:
        KneeoaError: an arm lacks its backbone or mode.
    """
    groups: dict[tuple[Any, ...], dict[str, str]] = {}
    for name, factors in arms.items():
        missing = [key for key in ("backbone", "mode") if not factors.get(key)]
        if missing:
            raise KneeoaError(f"the arm '{name}' lacks '{missing[0]}'; every arm needs its backbone and mode.")
        groups.setdefault((factors["backbone"], factors.get("grid"), factors.get("view")), {})[name] = factors["mode"]
    backbones = Counter(backbone for backbone, _, _ in groups)
    result = []
    for (backbone, grid, view), members in groups.items():
        title = printed(backbone, labels)
        if backbones[backbone] > 1:
            title += ", " + " ".join(printed(factor, labels) for factor in (grid, view) if factor)
        if len(set(members.values())) == len(members):
            result.append(Panel(backbone, title, {mode: name for name, mode in members.items()}))
        else:
            result += [Panel(backbone, printed(name, labels), {mode: name}) for name, mode in members.items()]
    return result


def modes(arms: Factors) -> list[str]:
    """The study's modes in the order of the configuration: the order of colours and legends everywhere."""
    return list(dict.fromkeys(str(factors["mode"]) for factors in arms.values()))
