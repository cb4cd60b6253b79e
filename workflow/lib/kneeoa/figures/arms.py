"""Where an arm belongs in a figure: its panel (the backbone) and its look (the mode)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kneeoa.config.prediction import NO_ENSEMBLE
from kneeoa.config.readers import REFERENCE
from kneeoa.errors import KneeoaError
from kneeoa.figures.words import printed

Factors = Mapping[str, Mapping[str, Any]]
"""The arms table: an arm's name -> its ``backbone``, its ``mode`` and, where arms differ in them,
``grid``, ``view``, ``reader`` and ``ensemble``.
"""


@dataclass(frozen=True)
class Panel:
    """The arms that differ in their mode alone: one panel of a figure."""

    backbone: str
    title: str
    arms: dict[str, str]
    """Mode -> arm, in the configuration's order."""


def panels(arms: Factors, labels: Mapping[str, str]) -> list[Panel]:
    """Group arms that share everything but the mode, in the configuration's order.

    A backbone at several grids or views, or with several readers of the labels that it learns,
    makes several panels, whose titles say so; where even that leaves two arms for one mode (they
    differ in their training), each such arm is a panel of its own under its name.

    Raises:
        KneeoaError: an arm lacks its backbone or mode.
    """
    groups: dict[tuple[Any, ...], dict[str, str]] = {}
    for name, factors in arms.items():
        missing = [key for key in ("backbone", "mode") if not factors.get(key)]
        if missing:
            raise KneeoaError(f"the arm '{name}' lacks '{missing[0]}'; every arm needs its backbone and mode.")
        key = (factors["backbone"], factors.get("reader"), factors.get("ensemble"), factors.get("grid"), factors.get("view"))
        groups.setdefault(key, {})[name] = factors["mode"]
    inputs = Counter(key[:3] for key in groups)
    result = []
    for (backbone, reader, ensemble, grid, view), members in groups.items():
        title = learner({"backbone": backbone, "reader": reader, "ensemble": ensemble}, labels)
        if inputs[backbone, reader, ensemble] > 1:
            title += ", " + " ".join(printed(factor, labels) for factor in (grid, view) if factor)
        if len(set(members.values())) == len(members):
            result.append(Panel(backbone, title, {mode: name for name, mode in members.items()}))
        else:
            result += [Panel(backbone, printed(name, labels), {mode: name}) for name, mode in members.items()]
    return result


def learner(factors: Mapping[str, Any], labels: Mapping[str, str] | None) -> str:
    """An arm's backbone, whose labels it learns in a study with noisy readers, and what it is an
    ensemble of: ``ResNet3D, reader r10``.
    """
    reader = factors.get("reader")
    whose = {None: "", REFERENCE: ", reference labels"}.get(reader, f", reader {printed(str(reader), labels)}")
    ensemble = factors.get("ensemble")
    pooled = "" if ensemble in (None, NO_ENSEMBLE) else f", {ensemble}"
    return "+".join(printed(name, labels) for name in str(factors["backbone"]).split("+")) + whose + pooled


def modes(arms: Factors) -> list[str]:
    """The study's modes in the order of the configuration: the order of colours and legends
    everywhere.
    """
    return list(dict.fromkeys(str(factors["mode"]) for factors in arms.values()))
