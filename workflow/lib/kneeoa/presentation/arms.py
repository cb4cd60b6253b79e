"""Group arms into the panels of a figure, order them in a table, and print their names and
factors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kneeoa.config.factors import MEMBERS, NONE, TRAINING
from kneeoa.config.pairs import shared_value
from kneeoa.config.prediction import NO_ENSEMBLE
from kneeoa.config.raters import REFERENCE
from kneeoa.errors import KneeoaError
from kneeoa.presentation.display_names import display_name

Factors = Mapping[str, Mapping[str, Any]]
"""The arms table: an arm's name -> its ``backbone``, its ``mode`` and the other factors in which
arms of the study may differ; None where a factor does not apply.
"""

MODE = ("mode",)
"""The factor that figures tell arms apart by, unless the study's contrasts vary another one: that
factor first, then those that follow it.
"""
_FIRST = ("backbone", "mode", "rater", "ensemble")
"""Factors that a title always names, needed to tell arms apart or not."""
_UNNAMED = (MEMBERS, TRAINING)
_NOT_APPLICABLE = "–"


@dataclass(frozen=True)
class Panel:
    """The arms that differ in one factor alone, drawn as one panel."""

    backbone: str
    title: str
    arms: dict[str, str]
    """Value of the factor -> arm, in the configuration's order."""
    factor: str = "mode"
    """The factor in which they differ."""


def panels(arms: Factors, labels: Mapping[str, str], varied: Sequence[str] = MODE) -> list[Panel]:
    """Group arms that share everything but the factor that varies, in the configuration's order.

    Other factors in which arms differ make several panels, whose titles say so; where even that
    leaves two arms for one value, each such arm is a panel of its own under its name.

    Args:
        arms: the arms table.
        labels: the study's own printed names.
        varied: the factor that varies, then those that follow it.

    Raises:
        KneeoaError: an arm lacks its backbone or mode.
    """
    groups: dict[tuple[Any, ...], dict[str, str]] = {}
    for name, factors in arms.items():
        missing = [key for key in ("backbone", "mode") if key not in factors]
        if missing:
            raise KneeoaError(f"the arm '{name}' lacks '{missing[0]}'; every arm needs its backbone and mode.")
        key = tuple(sorted((key, str(value)) for key, value in factors.items() if key not in (*varied, *_UNNAMED)))
        groups.setdefault(key, {})[name] = value_of(factors, varied[0])
    result = []
    for members in groups.values():
        first = next(iter(members))
        backbone = str(arms[first]["backbone"])
        if len(set(members.values())) == len(members):
            title = arm_title(arms, first, labels, varied) or display_name(first, labels)
            result.append(Panel(backbone, title, {value: name for name, value in members.items()}, varied[0]))
        else:
            result += [Panel(backbone, display_name(name, labels), {value: name}, varied[0]) for name, value in members.items()]
    return result


def panels_of(present: Collection[str], arms: Factors, labels: Mapping[str, str], varied: Sequence[str] = MODE) -> list[Panel]:
    """Group arms as :func:`panels` does, and leave out panels without an arm of ``present``."""
    return [panel for panel in panels(arms, labels, varied) if not set(panel.arms.values()).isdisjoint(present)]


def arm_title(arms: Factors, arm: str, labels: Mapping[str, str] | None, varied: Sequence[str] = MODE) -> str:
    """Print an arm without the factors that vary: its backbone, its mode, whose labels it learns in
    a study with noisy raters, what it is an ensemble of, and whatever else tells it from arms like
    it: ``ResNet3D, rater r10``.
    """
    return _description(arms[arm], _distinguishing_factors(arms, arm, varied), labels, varied)


def pair_title(arms: Factors, candidate: str, reference: str, labels: Mapping[str, str] | None, varied: Sequence[str] = MODE) -> str:
    """Print the factors that two compared arms share, as :func:`learner` prints those of one; a
    factor that applies to one of them alone is that one's.
    """
    shared = {key: shared_value(arms, (candidate, reference), key) for key in arms[candidate] if key != MEMBERS}
    telling = {*_distinguishing_factors(arms, candidate, varied), *_distinguishing_factors(arms, reference, varied)}
    return _description(shared, [key for key in shared if key in telling], labels, varied)


def _distinguishing_factors(arms: Factors, arm: str, varied: Sequence[str]) -> list[str]:
    """Factors beside those of ``_FIRST`` in which an arm differs from others that share those."""
    arm_factors = arms[arm]
    alike = [factors for factors in arms.values() if all(arm_factors.get(key) == factors.get(key) for key in _FIRST if key not in varied)]
    rest = [key for key in arm_factors if key not in (*_FIRST, *_UNNAMED, *varied)]
    return [key for key in rest if any(factors.get(key) != arm_factors[key] for factors in alike)]


def _description(factors: Mapping[str, Any], telling: Sequence[str], labels: Mapping[str, str] | None, varied: Sequence[str]) -> str:
    """Printed factors of ``_FIRST`` and ``telling``, without those that do not apply or are none
    (but for the rater).
    """
    named = [key for key in (*_FIRST, *telling) if key not in varied and factors.get(key) is not None]
    without = [key for key in named if factors[key] == NONE and key != "rater"]
    return ", ".join(display_value(key, str(factors[key]), labels) for key in named if key not in without)


def display_value(factor: str, value: str, labels: Mapping[str, str] | None = None) -> str:
    """Print a factor's value: ``ResNet3D``, ``rater r10``, ``learning rate 0.001``, ``no
    plugin``.
    """
    if value in (labels or {}) or factor in ("backbone", "mode", "view", "grid"):
        return "+".join(display_name(name, labels) for name in value.split("+"))
    if value == _NOT_APPLICABLE:
        return value
    if factor == "ensemble":
        return "single network" if value == NO_ENSEMBLE else value
    name = factor_name(factor)
    if factor == "rater":
        return "reference labels" if value == REFERENCE else f"{name} {display_name(value, labels)}"
    return f"no {name}" if value == NONE else f"{name} {display_name(value, labels)}"


def factor_name(factor: str) -> str:
    """Print a factor's name: ``mode``, ``learning rate``."""
    return factor.rpartition(".")[2].replace("_", " ")


def differing_factors(arms: Factors) -> list[str]:
    """Return the factors in which arms of the table differ, in its order."""
    names = dict.fromkeys(name for factors in arms.values() for name in factors if name not in _UNNAMED)
    return [name for name in names if len({str(factors.get(name)) for factors in arms.values()}) > 1]


def value_of(factors: Mapping[str, Any], factor: str) -> str:
    """Return an arm's value of a factor; a dash where it does not apply."""
    value = factors.get(factor)
    return _NOT_APPLICABLE if value is None else str(value)


def values_of(arms: Factors, factor: str) -> list[str]:
    """Return the values of a factor in the order of the configuration: the order of colours and
    legends in all figures.
    """
    return list(dict.fromkeys(value_of(factors, factor) for factors in arms.values()))


class ArmNames:
    """Order and printed names of the arms, for the left columns of a table; arms that the arms
    table lacks come last under their own names.
    """

    def __init__(self, arms: Factors | None, labels: Mapping[str, str] | None) -> None:
        self._arms, self._labels = dict(arms or {}), labels
        self._rank = {arm: rank for rank, arm in enumerate(self._arms)}

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Return each arm once, in the order of the configuration, unknown ones by name."""
        return sorted(set(names), key=lambda arm: (self._rank.get(arm, len(self._rank)), arm))

    def backbone(self, arm: str) -> str:
        """Print the backbone and whatever else but the mode tells the arm apart; for an unknown arm
        its own name.
        """
        return arm_title(self._arms, arm, self._labels) or display_name(arm, self._labels) if arm in self._arms else arm

    def mode(self, arm: str) -> str:
        """Print the mode; for an unknown arm nothing."""
        return display_value("mode", value_of(self._arms[arm], "mode"), self._labels) if arm in self._arms else ""

    def pair(self, candidate: str, reference: str, factor: str = "mode") -> str:
        """Print the values of the factor that varies, ``Dual vs Single-OA``; whole names where the
        arms table lacks the arms.
        """
        return f"{self._value(candidate, factor)} vs {self._value(reference, factor)}"

    def setting(self, candidate: str, reference: str, factor: str, otherwise: object = "") -> str:
        """Print what the two arms share, by which rows of a table of comparisons are grouped;
        ``otherwise`` where the arms table lacks one of them.
        """
        if candidate in self._arms and reference in self._arms:
            return pair_title(self._arms, candidate, reference, self._labels, (factor,))
        return display_name(otherwise, self._labels) if isinstance(otherwise, str) else ""

    def _value(self, arm: str, factor: str) -> str:
        return display_value(factor, value_of(self._arms[arm], factor), self._labels) if arm in self._arms else arm


def settings_heading(factors: Iterable[object]) -> str:
    """Return the heading of the column of settings: the backbone, where the mode alone varies."""
    return "Backbone" if set(factors) <= {"mode"} else "Arms"
